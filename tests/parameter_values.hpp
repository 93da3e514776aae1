// The value of a parameter by its name; an absent one is empty or 0.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runclad/policy/parameters.hpp"

namespace runclad::policy {

template <typename T>
T Named(const Parameters& parameters, std::string_view name) {
  const auto found = parameters.all().find(name);
  return found == parameters.all().end() ? T() : std::get<T>(found->second);
}

inline std::vector<std::string> StringsOf(const Parameters& parameters, std::string_view name) {
  return Named<std::vector<std::string>>(parameters, name);
}
inline std::string TextOf(const Parameters& parameters, std::string_view name) {
  return Named<std::string>(parameters, name);
}
inline std::int64_t IntegerOf(const Parameters& parameters, std::string_view name) {
  return Named<std::int64_t>(parameters, name);
}

}  // namespace runclad::policy
