// Figures as people read them.
#pragma once

#include <array>
#include <cstdio>
#include <string>
#include <string_view>

namespace runclad::ctl {

// "4.2"
inline std::string Tenths(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  return text.data();
}

// "1 container", "3 containers"
inline std::string Counted(std::size_t count, std::string_view what) {
  return std::to_string(count) + " " + std::string(what) + (count == 1 ? "" : "s");
}

}  // namespace runclad::ctl
