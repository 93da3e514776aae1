#include "runclad/privilege/socket_families.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace runclad::privilege {
namespace {

constexpr std::string_view kFamilyPrefix = "AF_";

struct OtherName {
  std::string_view name;
  std::string_view canonical;
};
constexpr OtherName kOtherNames[] = {
    {"AF_FILE", "AF_UNIX"}, {"AF_LOCAL", "AF_UNIX"}, {"AF_ROUTE", "AF_NETLINK"}};

std::optional<std::uint16_t> NumberOf(std::string_view text) {
  std::uint16_t number = 0;
  const char* end = text.data() + text.size();
  const auto [at, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc() || at != end) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::string> CanonicalFamily(std::string_view text) {
  if (const auto number = NumberOf(text)) {
    return *number < kFamilyNames.size() ? std::string(kFamilyNames.at(*number))
                                         : std::to_string(*number);
  }
  std::string name(text);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  if (!name.starts_with(kFamilyPrefix)) name.insert(0, kFamilyPrefix);
  for (const OtherName& other : kOtherNames) {
    if (other.name == name) return std::string(other.canonical);
  }
  if (std::ranges::find(kFamilyNames, std::string_view(name)) == kFamilyNames.end())
    return std::nullopt;
  return name;
}

std::optional<std::uint16_t> FamilyNumber(std::string_view canonical) {
  const auto* found = std::ranges::find(kFamilyNames, canonical);
  if (found == kFamilyNames.end()) return NumberOf(canonical);
  return static_cast<std::uint16_t>(found - kFamilyNames.begin());
}

}  // namespace runclad::privilege
