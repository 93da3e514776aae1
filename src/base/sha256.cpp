#include "runclad/base/sha256.hpp"

#include <array>
#include <cstdint>

#include <sha2.h>

namespace runclad {

std::string Sha256(std::string_view bytes) {
  SHA2_CTX context;
  SHA256Init(&context);
  // libmd takes bytes; a char may be accessed as one.
  SHA256Update(&context, reinterpret_cast<const std::uint8_t*>(bytes.data()),
               bytes.size());  // NOLINT
  std::array<char, SHA256_DIGEST_STRING_LENGTH> digits{};
  SHA256End(&context, digits.data());
  return "sha256:" + std::string(digits.data());
}

}  // namespace runclad
