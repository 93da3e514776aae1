// A number that a container may ask for at most, as pids-limit, memory-limit and cpu-limit have it.
#pragma once

#include <cstdint>
#include <string_view>

#include "runclad/policy/parameters.hpp"

namespace runclad::rules {

// From 1 to `largest`, which may be the word "unlimited"; Docker's own default sets no such limit.
constexpr policy::ParameterSchema LimitParameter(std::string_view name, std::int64_t largest,
                                                 std::string_view description,
                                                 bool has_unlimited = false) {
  return {.name = name,
          .description = description,
          .order = policy::Order::kMoreIsLooser,
          .docker_default = policy::Anything{},
          .minimum = 1,
          .maximum = largest,
          .has_unlimited = has_unlimited};
}

}  // namespace runclad::rules
