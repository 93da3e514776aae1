#pragma once

#include <string>
#include <vector>

namespace runclad::sys {

// What execve and posix_spawn take: ends with a null pointer, and is good as long as `strings` is.
// They do not change what they are given; their signatures only predate const.
inline std::vector<char*> Pointers(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& string : strings) {
    pointers.push_back(const_cast<char*>(string.c_str()));  // NOLINT(*-const-cast)
  }
  pointers.push_back(nullptr);
  return pointers;
}

}  // namespace runclad::sys
