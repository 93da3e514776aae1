#include "style.hpp"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "runclad/base/printable.hpp"

namespace runclad::ctl {
namespace {

constexpr std::size_t kColumns = 100;

// Characters, not bytes: the bytes that continue one have no width.
std::size_t Width(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string Variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread
  return value == nullptr ? "" : value;
}

}  // namespace

Style Style::OfStandardOutput() {
  return Style(::isatty(STDOUT_FILENO) == 1 && Variable("NO_COLOR").empty() &&
               Variable("TERM") != "dumb");
}

std::string Style::In(std::string_view code, std::string_view text) const {
  if (!is_coloured_) return std::string(text);
  return "\033[" + std::string(code) + "m" + std::string(text) + "\033[0m";
}

std::string Printable(std::string_view text) { return runclad::Printable(text); }

std::string Wrapped(const std::vector<std::string>& words, std::size_t indent,
                    std::string_view lead) {
  std::string text;
  std::string line(indent - std::min(indent, lead.size()), ' ');
  line += lead;
  bool is_empty = true;
  for (const std::string& word : words) {
    if (!is_empty && Width(line) + 1 + Width(word) > kColumns) {
      text += line + '\n';
      line.assign(indent, ' ');
      is_empty = true;
    }
    if (!is_empty) line += ' ';
    line += word;
    is_empty = false;
  }
  return text + line + '\n';
}

std::string Wrapped(std::string_view text, std::size_t indent, std::string_view lead) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return Wrapped(words, indent, lead);
}

std::string Table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], Width(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      text += row[i];
      if (i + 1 < row.size()) text.append(widths[i] - Width(row[i]) + 2, ' ');
    }
    text += '\n';
  }
  return text;
}

}  // namespace runclad::ctl
