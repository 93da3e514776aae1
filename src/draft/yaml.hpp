// Reads YAML as JSON values, within limits.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/json/value.hpp"

namespace runclad::draft {

struct YamlLimits {
  std::size_t bytes = std::size_t{4} << 20;
  std::size_t depth = 64;
  std::size_t values = 200'000;  // an alias counts as all values that it stands for
};

// Every document of the stream. Integers become numbers, true and false booleans, null and an empty
// value null; everything else becomes a string, including 0.5 and yes. "<<" merges. A duplicate
// key, or a key that is not a scalar, is an error. Errors name the line.
Result<std::vector<json::Document>> ReadYaml(std::string_view text, const YamlLimits& limits = {});

}  // namespace runclad::draft
