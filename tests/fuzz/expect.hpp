// What a fuzz program does when a property does not hold: libFuzzer keeps the input.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace runclad::fuzz {

inline void Expect(bool holds, std::string_view property) {
  if (holds) return;
  (void)std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(property.size()),
                     property.data());
  std::abort();
}

}  // namespace runclad::fuzz
