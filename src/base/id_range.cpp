#include "runclad/base/id_range.hpp"

#include <charconv>
#include <system_error>

namespace runclad {
namespace {

std::optional<std::uint32_t> ParseId(std::string_view text) {
  constexpr std::uint32_t kNone = 0xFFFFFFFF;
  std::uint32_t id = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (fault != std::errc() || end != text.data() + text.size() || id == kNone) return std::nullopt;
  if (text.size() > 1 && text.front() == '0') return std::nullopt;  // octal to some
  return id;
}

}  // namespace

std::optional<IdRange> ParseIdRange(std::string_view text) {
  const std::size_t dash = text.find('-');
  const auto first = ParseId(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : ParseId(text.substr(dash + 1));
  if (!first || !last || *first > *last) return std::nullopt;
  return IdRange{*first, *last};
}

std::string ToString(const IdRange& range) {
  std::string text = std::to_string(range.first);
  if (range.last != range.first) text += "-" + std::to_string(range.last);
  return text;
}

std::optional<UserAndGroup> ParseUserAndGroup(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto uid = ParseId(text.substr(0, colon));
  const auto gid = ParseId(text.substr(colon + 1));
  if (!uid || !gid) return std::nullopt;
  return UserAndGroup{*uid, *gid};
}

}  // namespace runclad
