#include <algorithm>
#include <set>
#include <utility>

#include "edit.hpp"

namespace runclad::configure {
namespace {

std::string BeginOf(const std::string& mark) {
  return "# runcladctl configure: begin (" + mark + ")";
}
std::string EndOf(const std::string& mark) { return "# runcladctl configure: end (" + mark + ")"; }
std::string MarkOf(const std::string& mark) { return "# runcladctl configure (" + mark + ")"; }

// The whole lines of the block of `mark`, with both marks; empty: there is none.
Span BlockSpan(std::string_view text, const std::string& mark) {
  const std::string end_mark = EndOf(mark);
  const std::size_t begin = text.find(BeginOf(mark));
  if (begin == std::string_view::npos) return {};
  const std::size_t end = text.find(end_mark, begin);
  if (end == std::string_view::npos) return {};
  const std::size_t newline = text.find('\n', end);
  return {begin, newline == std::string_view::npos ? text.size() : newline + 1};
}

struct Table {
  Path path;
  std::vector<Setting> settings;
};

std::vector<Table> Grouped(const std::vector<Setting>& settings) {
  std::vector<Table> tables;
  for (const Setting& setting : settings) {
    const Path path(setting.path.begin(), setting.path.end() - 1);
    auto table = std::ranges::find(tables, path, &Table::path);
    if (table == tables.end()) table = tables.insert(table, Table{path, {}});
    table->settings.push_back(setting);
  }
  return tables;
}

std::string KeyText(const Setting& setting) {
  return TomlName({setting.path.back()}) + " = " + TomlValue(setting.value);
}

// At the end of the block, which is made at the end of the text if there is none.
std::string WithTableInBlock(std::string text, const std::string& mark, const Table& table) {
  const std::string end_of_line(LineEnd(text));
  std::string lines = "[" + TomlName(table.path) + "]" + end_of_line;
  for (const Setting& setting : table.settings) lines += "  " + KeyText(setting) + end_of_line;
  const Span block = BlockSpan(text, mark);
  if (block.end != 0) return text.insert(text.rfind(EndOf(mark), block.end), lines);
  if (!text.empty() && !text.ends_with('\n')) text += end_of_line;
  if (!text.empty()) text += end_of_line;
  return text + BeginOf(mark) + end_of_line + lines + EndOf(mark) + end_of_line;
}

// Behind the table's own header or, for what is in no table, the key `version` or at the beginning.
std::string WithKeysInTable(std::string text, const std::string& mark, const Table& table) {
  const auto parsed = ParseToml(text);
  if (!parsed) return text;
  const std::string end_of_line(LineEnd(text));
  std::size_t at = 0;
  std::string indentation;
  if (!table.path.empty()) {
    const auto header = parsed->headers.find(table.path);
    if (header == parsed->headers.end()) return text;
    at = header->second.end;
  } else if (const auto version = parsed->values.find(Path{"version"});
             version != parsed->values.end()) {
    at = std::min(text.find('\n', version->second.end), text.size());
  }
  if (at == text.size()) {
    if (at != 0) text += end_of_line;
    at = text.size();
  } else if (at != 0) {
    ++at;  // behind the line's end
  }
  const std::size_t next = text.find_first_not_of(" \t", at);
  if (next != std::string::npos && text[next] != '[') indentation = Indentation(text, next);
  std::string lines;
  for (const Setting& setting : table.settings) {
    lines += indentation + KeyText(setting);
    // What others add later is in this version: it stays when runclad goes.
    if (setting.path != Path{"version"}) lines += "  " + MarkOf(mark);
    lines += end_of_line;
  }
  return text.insert(at, lines);
}

// An array with more elements at its end, or fewer, keeps its form and its comments; empty: that is
// not the difference.
std::string ArrayInPlaceOf(std::string_view text, const Parsed& parsed, const Path& path,
                           const Document& value) {
  const Document* before = Find(parsed.tree, path);
  const auto elements = parsed.elements.find(path);
  if (!value.is_array() || value.empty() || elements == parsed.elements.end() ||
      before->size() == value.size()) {
    return {};
  }
  const std::size_t kept = std::min(before->size(), value.size());
  if (!std::equal(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(kept),
                  before->begin())) {
    return {};
  }
  const Span array = parsed.values.at(path);
  const std::size_t last_kept = elements->second[kept - 1].end;
  const std::size_t last = elements->second.back().end;
  std::string changed(text.substr(array.begin, last_kept - array.begin));
  for (std::size_t index = kept; index < value.size(); ++index) {
    changed += ", " + TomlValue(value[index]);
  }
  return changed + std::string(text.substr(last, array.end - last));
}

// In the quotes of the text that it replaces.
std::string ValueInPlaceOf(std::string_view text, const Parsed& parsed, const Path& path,
                           const Document& value) {
  if (std::string array = ArrayInPlaceOf(text, parsed, path, value); !array.empty()) return array;
  const Span span = parsed.values.at(path);
  const std::string_view before = text.substr(span.begin, span.end - span.begin);
  if (value.is_string() && before.starts_with('\'') && !before.starts_with("'''")) {
    const auto& plain = value.get_ref<const std::string&>();
    const bool is_plain =
        std::ranges::none_of(plain, [](unsigned char c) { return c == '\'' || c < ' '; });
    if (is_plain) return "'" + plain + "'";
  }
  return TomlValue(value);
}

bool IsAtOrBelow(const Path& path, const Path& above) {
  return path.size() >= above.size() && std::equal(above.begin(), above.end(), path.begin());
}

bool Has(const std::string& text, const Document& expected) {
  const auto parsed = ParseToml(text);
  return parsed && parsed->tree == expected;
}

// Without the lines that `span` is on.
std::string WithoutLines(const std::string& text, const std::vector<Span>& spans) {
  std::string kept;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t newline = text.find('\n', begin);
    const std::size_t end = newline == std::string::npos ? text.size() : newline + 1;
    const bool is_kept = std::ranges::none_of(
        spans, [&](const Span& span) { return span.begin < end && span.end > begin; });
    if (is_kept) kept.append(text, begin, end - begin);
    begin = end;
  }
  return kept;
}

}  // namespace

std::string_view BlockOf(std::string_view text, const std::string& mark) {
  const Span block = BlockSpan(text, mark);
  return text.substr(block.begin, block.end - block.begin);
}

Result<std::string> SetInToml(std::string text, const std::string& mark,
                              const std::vector<Setting>& settings) {
  const auto before = ParseToml(text);
  if (!before) return before.error();
  Document expected = before->tree;
  std::vector<Setting> missing;
  std::vector<std::pair<Span, std::string>> replaced;
  for (const Setting& setting : settings) {
    const auto value = before->values.find(setting.path);
    if (value == before->values.end()) {
      missing.push_back(setting);
    } else {
      replaced.emplace_back(value->second,
                            ValueInPlaceOf(text, *before, setting.path, setting.value));
      Put(expected, setting.path, setting.value);
    }
  }
  // From the back, so that the places stay right.
  std::ranges::sort(replaced, std::greater<>(),
                    [](const auto& entry) { return entry.first.begin; });
  for (const auto& [span, value] : replaced) text.replace(span.begin, span.end - span.begin, value);
  for (const Table& table : Grouped(missing)) {
    for (const Setting& setting : table.settings) Put(expected, setting.path, setting.value);
    std::string changed = table.path.empty() ? text : WithTableInBlock(text, mark, table);
    // The table may be there already, or made in a way that allows no header.
    if (!Has(changed, expected)) changed = WithKeysInTable(text, mark, table);
    if (!Has(changed, expected)) {
      return Error{"the table " + TomlName(table.path) +
                   " is written in a form that cannot be added to; add by hand: " +
                   KeyText(table.settings.front())};
    }
    text = std::move(changed);
  }
  return text;
}

std::string StripMarks(std::string_view text, const std::string& mark) {
  std::string rest(text);
  if (const Span block = BlockSpan(rest, mark); block.end != 0) {
    std::size_t begin = block.begin;
    // The blank line in front of it, if it is ours.
    for (const std::string_view blank : {"\r\n\r\n", "\n\n"}) {
      if (std::string_view(rest).substr(0, begin).ends_with(blank)) {
        begin -= blank.size() / 2;
        break;
      }
    }
    rest.erase(begin, block.end - begin);
  }
  std::string kept;
  for (std::size_t begin = 0; begin < rest.size();) {
    const std::size_t newline = rest.find('\n', begin);
    const std::size_t end = newline == std::string::npos ? rest.size() : newline + 1;
    std::string_view line = std::string_view(rest).substr(begin, end - begin);
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    if (!line.ends_with(MarkOf(mark))) kept.append(rest, begin, end - begin);
    begin = end;
  }
  return kept;
}

std::string UnsetInToml(std::string text, const Restore& restore) {
  const auto parsed = ParseToml(text);
  if (!parsed || Find(parsed->tree, restore.path) == nullptr) return text;
  if (restore.before) {
    const auto value = parsed->values.find(restore.path);
    if (value == parsed->values.end()) return text;
    const Span span = value->second;
    return text.replace(span.begin, span.end - span.begin,
                        ValueInPlaceOf(text, *parsed, restore.path, *restore.before));
  }
  std::vector<Span> spans;
  for (const auto* places : {&parsed->values, &parsed->headers}) {
    for (const auto& [path, span] : *places) {
      if (IsAtOrBelow(path, restore.path)) spans.push_back(span);
    }
  }
  return WithoutLines(text, spans);
}

}  // namespace runclad::configure
