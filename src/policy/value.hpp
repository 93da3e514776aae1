// A parameter's value in a policy file, checked against the parameter's schema.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/policy/parameters.hpp"

#include "layer.hpp"

namespace runclad::policy {

struct ValueFormat {
  const ParameterSchema& schema;
  std::string_view rule;
  bool is_lint = false;  // what does nothing is a fault, too
};

// The value in its canonical form (capabilities as "CAP_KILL"); none when anything in it is wrong,
// with each fault in `faults`.
std::optional<Parameters::Value> ReadValue(const json::Document& value, const ValueFormat& format,
                                           const std::string& pointer,
                                           std::vector<LayerFault>& faults);

// Why `path` is not an absolute path without "." and ".."; empty if it is.
std::string WhyNotAbsolute(std::string_view path);

// "a list"
std::string TypeName(const json::Document& value);

}  // namespace runclad::policy
