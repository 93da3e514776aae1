// FNV-1a, 64 bits. It tells policies apart in the log and secures nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace runclad::policy {

constexpr std::uint64_t Digest(std::string_view text, std::uint64_t state = 0xcbf29ce484222325U) {
  for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return state;
}

inline std::string Hex(std::uint64_t digest) {
  std::string digits(16, '0');
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit, digest >>= 4) {
    *digit = "0123456789abcdef"[digest & 0xF];
  }
  return digits;
}

}  // namespace runclad::policy
