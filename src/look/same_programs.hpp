#pragma once

#include <algorithm>
#include <vector>

#include "runclad/privilege/filter_program.hpp"

namespace runclad::look {

inline bool SamePrograms(const std::vector<privilege::FilterProgram>& left,
                         const std::vector<privilege::FilterProgram>& right) {
  return std::ranges::equal(left, right, [](const auto& one, const auto& other) {
    return std::ranges::equal(one, other, [](const sock_filter& a, const sock_filter& b) {
      return a.code == b.code && a.jt == b.jt && a.jf == b.jf && a.k == b.k;
    });
  });
}

}  // namespace runclad::look
