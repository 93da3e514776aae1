#include "runclad/oci/secret_options.hpp"

#include <algorithm>
#include <cctype>
#include <string>

namespace runclad::oci {
namespace {

// pass, password, password2, passwd (cifs); secret (ceph). cifs has compared names without regard
// to case.
bool IsSecret(std::string_view name) {
  std::string lower(name);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower.starts_with("pass") || lower == "secret";
}

}  // namespace

std::optional<std::size_t> FindSecret(std::string_view option) {
  for (std::size_t begin = 0; begin < option.size();) {
    const std::size_t end = std::min(option.find(',', begin), option.size());
    const std::size_t equals = option.find('=', begin);
    if (equals < end && IsSecret(option.substr(begin, equals - begin))) return equals + 1;
    begin = end + 1;
  }
  return std::nullopt;
}

}  // namespace runclad::oci
