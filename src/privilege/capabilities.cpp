#include "runclad/privilege/capabilities.hpp"

#include <cap-ng.h>

namespace runclad::privilege {
namespace {

constexpr std::string_view kCapabilityPrefix = "CAP_";

constexpr char kToLower = 'a' - 'A';

// libcap-ng speaks lower case without the prefix.
std::string LibraryName(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + kToLower) : c;
  if (lower.starts_with("cap_")) lower.erase(0, kCapabilityPrefix.size());
  return lower;
}

std::string SpecName(std::string_view library_name) {
  std::string upper;
  upper.reserve(kCapabilityPrefix.size() + library_name.size());
  upper.append(kCapabilityPrefix).append(library_name);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - kToLower) : c;
  return upper;
}

}  // namespace

std::optional<std::string> CanonicalCapability(std::string_view name) {
  const std::string library_name = LibraryName(name);
  if (capng_name_to_capability(library_name.c_str()) < 0) return std::nullopt;
  return SpecName(library_name);
}

std::optional<int> CapabilityNumber(std::string_view canonical_name) {
  const int number = capng_name_to_capability(LibraryName(canonical_name).c_str());
  if (number < 0) return std::nullopt;
  return number;
}

const std::vector<std::string>& AllCapabilities() {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> names;
    for (unsigned number = 0;; ++number) {
      const char* name = capng_capability_to_name(number);
      if (name == nullptr || !CapabilityNumber(name)) return names;
      names.push_back(SpecName(name));
    }
  }();
  return all;
}

}  // namespace runclad::privilege
