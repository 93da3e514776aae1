#include "go_text.hpp"

#include <algorithm>
#include <array>

#include "runclad/base/inline_text.hpp"

namespace runclad::oci {
namespace {

// unicode.IsSpace, in UTF-8.
constexpr std::array<InlineText<3>, 25> kBlanks = {
    " ",      "\t",     "\n",     "\v",     "\f",     "\r",     "\u0085", "\u00A0", "\u1680",
    "\u2000", "\u2001", "\u2002", "\u2003", "\u2004", "\u2005", "\u2006", "\u2007", "\u2008",
    "\u2009", "\u200A", "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"};

bool MayBeginBlank(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= ' ' || byte >= 0xC2;
}

bool MayEndBlank(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte <= ' ' || byte >= 0x80;
}

}  // namespace

bool HasOuterBlank(std::string_view text) {
  if (text.empty() || !(MayBeginBlank(text.front()) || MayEndBlank(text.back()))) return false;
  return std::ranges::any_of(kBlanks, [text](std::string_view blank) {
    return text.starts_with(blank) || text.ends_with(blank);
  });
}

std::string_view WithoutOuterBlanks(std::string_view text) {
  while (HasOuterBlank(text)) {
    for (const std::string_view blank : kBlanks) {
      if (text.starts_with(blank)) text.remove_prefix(blank.size());
      if (text.ends_with(blank)) text.remove_suffix(blank.size());
    }
  }
  return text;
}

bool IsDigits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

bool IsPlainInteger(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  return IsDigits(text) && text.size() <= 18 && (text.size() == 1 || text.front() != '0');
}

std::optional<bool> ParseBool(std::string_view text) {
  for (const std::string_view yes : {"true", "1", "t", "T", "TRUE", "True"}) {
    if (text == yes) return true;
  }
  for (const std::string_view no : {"false", "0", "f", "F", "FALSE", "False"}) {
    if (text == no) return false;
  }
  return std::nullopt;
}

}  // namespace runclad::oci
