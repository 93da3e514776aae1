#include "list_edit.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/json/pointer.hpp"
#include "runclad/json/reader.hpp"

namespace runclad::ctl {
namespace {

using json::Document;
constexpr std::size_t kNone = std::string::npos;
constexpr std::string_view kBlanks = " \t\r";

struct Parsed {
  Document document;
  json::Positions positions;
};

Result<Parsed> Parse(const std::string& text) {
  Parsed parsed;
  auto document = json::Read(text, {.comments = true, .positions = &parsed.positions});
  if (!document) return document.error();
  parsed.document = *std::move(document);
  return parsed;
}

std::size_t OffsetOf(std::string_view text, const json::Position& position) {
  std::size_t begin = 0;
  for (std::size_t line = 1; line < position.line; ++line) begin = text.find('\n', begin) + 1;
  return begin + position.column - 1;
}

// Behind the string that begins at `begin`.
std::size_t EndOfString(std::string_view text, std::size_t begin) {
  std::size_t at = begin + 1;
  while (text[at] != '"') at += text[at] == '\\' ? 2 : 1;
  return at + 1;
}

// Behind the comment that begins at `at`; `at` where none does. The newline behind // stays.
std::size_t EndOfComment(std::string_view text, std::size_t at) {
  if (text.substr(at, 2) == "//") return std::min(text.find('\n', at), text.size());
  if (text.substr(at, 2) == "/*") return text.find("*/", at + 2) + 2;
  return at;
}

// The newline of the line that goes on at `at`, if nothing but comments, and a comma where
// `may_be`, comes before it.
std::optional<std::size_t> NewlineAfter(std::string_view text, std::size_t at,
                                        std::string_view may_be = {}) {
  while (at < text.size()) {
    if (text[at] == '\n') return at;
    const std::size_t end = EndOfComment(text, at);
    if (end == at && kBlanks.find(text[at]) == kNone && may_be.find(text[at]) == kNone) break;
    at = std::max(end, at + (end == at ? 1 : 0));
  }
  return std::nullopt;
}

// The line break and the blanks in front of what begins at `at`; no value if it is not the first on
// its line.
std::optional<std::string> BreakBefore(std::string_view text, std::size_t at) {
  const std::size_t newline = text.rfind('\n', at);
  if (newline == kNone) return std::nullopt;
  const std::string_view between = text.substr(newline + 1, at - newline - 1);
  if (between.find_first_not_of(kBlanks) != kNone) return std::nullopt;
  const bool has_return = newline > 0 && text[newline - 1] == '\r';
  return (has_return ? "\r\n" : "\n") + std::string(between);
}

std::string Elements(const std::vector<std::string>& texts, const std::string& separator) {
  std::string joined;
  for (const std::string& text : texts) {
    if (!joined.empty()) joined += separator;
    joined += Document(text).dump();
  }
  return joined;
}

// Of the member or element that stands first in the object or list at `pointer`.
std::optional<std::size_t> FirstBelow(const Parsed& parsed, const std::string& text,
                                      const std::string& pointer) {
  std::optional<std::size_t> first;
  for (const auto& [below, position] : parsed.positions) {
    const bool is_member =
        below.starts_with(pointer + "/") && below.find('/', pointer.size() + 1) == kNone;
    if (!is_member) continue;
    const std::size_t offset = OffsetOf(text, position);
    if (!first || offset < *first) first = offset;
  }
  return first;
}

std::string InsertList(const Parsed& parsed, std::string text, const std::string& object,
                       const std::string& name, const std::vector<std::string>& added) {
  const auto first = FirstBelow(parsed, text, object);
  if (!first) {
    // The root: an object without members.
    const std::size_t end = text.rfind('}');
    return text.replace(end, 1, "\n  \"" + name + "\": [" + Elements(added, ", ") + "]\n}");
  }
  const std::string separator = BreakBefore(text, *first).value_or(" ");
  return text.insert(*first, "\"" + name + "\": [" + Elements(added, ", ") + "]," + separator);
}

std::string Append(const Parsed& parsed, std::string text, const std::string& pointer,
                   std::size_t size, const std::vector<std::string>& added) {
  const auto last = parsed.positions.find(pointer + "/" + std::to_string(size - 1));
  const std::size_t begin = OffsetOf(text, last->second);
  const std::size_t end = EndOfString(text, begin);
  const auto indented = BreakBefore(text, begin);
  auto newline = NewlineAfter(text, end);
  if (!indented || !newline) return text.insert(end, ", " + Elements(added, ", "));
  if (*newline > 0 && text[*newline - 1] == '\r') --*newline;
  // Behind the comment on the line, which is the last element's.
  text.insert(*newline, *indented + Elements(added, "," + *indented));
  return text.insert(end, ",");
}

std::string Remove(const Parsed& parsed, std::string text, const std::string& pointer,
                   std::size_t size, std::size_t index) {
  const auto begin_of = [&](std::size_t at) {
    return OffsetOf(text, parsed.positions.find(pointer + "/" + std::to_string(at))->second);
  };
  const std::size_t begin = begin_of(index);
  const std::size_t end = EndOfString(text, begin);
  const bool is_last = index + 1 == size;
  const auto newline = NewlineAfter(text, end, ",");
  std::size_t from = begin;
  std::size_t to = is_last ? end : begin_of(index + 1);
  if (BreakBefore(text, begin) && newline) {
    from = text.rfind('\n', begin) + 1;
    to = *newline + 1;
  } else if (is_last && index > 0) {
    from = EndOfString(text, begin_of(index - 1));
    return text.erase(from, to - from);
  }
  text.erase(from, to - from);
  // What was in front of the last one ends the list now.
  if (is_last && index > 0) {
    const std::size_t comma = text.find(',', EndOfString(text, begin_of(index - 1)));
    text.erase(comma, 1);
  }
  return text;
}

// An error unless `text` has `expected` and nothing of the rest has changed.
Result<std::string> Checked(std::string text, const Document& expected) {
  const auto document = json::Read(text, {.comments = true});
  if (document && *document == expected) return text;
  return Error{"cannot be changed without changing the rest of it"};
}

// The list at `pointer`, and the pointer of the object around it.
std::pair<std::string, std::string> Split(const std::string& pointer) {
  const std::size_t slash = pointer.rfind('/');
  return {pointer.substr(0, slash), pointer.substr(slash + 1)};
}

}  // namespace

Result<std::string> WithElements(const std::string& text, const std::string& pointer,
                                 const std::vector<std::string>& added) {
  auto parsed = Parse(text);
  if (!parsed) return parsed.error();
  const json::Value list = json::Get(parsed->document, pointer);
  const auto [object, name] = Split(pointer);
  Document expected = parsed->document;
  Document elements = list.is_null() ? Document::array() : list.document();
  const std::size_t size = elements.size();
  for (const std::string& element : added) elements.push_back(element);
  static_cast<void>(json::Set(expected, pointer, json::Value(std::move(elements))));
  return Checked(size == 0 ? InsertList(*parsed, text, object, name, added)
                           : Append(*parsed, text, pointer, size, added),
                 expected);
}

Result<std::string> WithoutElements(std::string text, const std::string& pointer,
                                    const std::vector<std::string>& removed) {
  for (const std::string& element : removed) {
    auto parsed = Parse(text);
    if (!parsed) return parsed.error();
    Document list = json::Get(parsed->document, pointer).document();
    const auto found = std::ranges::find(list, Document(element));
    if (found == list.end()) return Error{"has no " + Quoted(element)};
    const auto index = static_cast<std::size_t>(found - list.begin());
    const std::size_t size = list.size();
    list.erase(found);
    Document expected = parsed->document;
    static_cast<void>(json::Set(expected, pointer, json::Value(std::move(list))));
    auto changed = Checked(Remove(*parsed, std::move(text), pointer, size, index), expected);
    if (!changed) return changed;
    text = *std::move(changed);
  }
  return text;
}

}  // namespace runclad::ctl
