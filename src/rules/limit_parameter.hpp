// A number that a container may ask for at most, as pids-limit, memory-limit and cpu-limit have it.
#pragma once

#include <cstdint>
#include <string_view>

#include "runclad/policy/parameters.hpp"

namespace runclad::rules {

// From 1 to `largest`; Docker's own default sets no such limit.
constexpr policy::ParameterSchema LimitParameter(std::string_view name, std::int64_t largest,
                                                 std::string_view description) {
  return {.name = name,
          .description = description,
          .order = policy::Order::kMoreIsLooser,
          .docker_default = policy::Anything{},
          .minimum = 1,
          .maximum = largest};
}

}  // namespace runclad::rules
