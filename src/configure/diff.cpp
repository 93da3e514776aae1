// A unified diff, for --dry-run.
#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "files.hpp"

namespace runclad::configure {
namespace {

constexpr std::size_t kContext = 3;

struct Line {
  char sign;  // ' ', '-' or '+'
  std::string_view text;
};

std::vector<std::string_view> SplitLines(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    const std::size_t size = newline == std::string_view::npos ? text.size() : newline + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

// The longest common subsequence of lines, of what differs between a common beginning and end.
std::vector<Line> Compare(const std::vector<std::string_view>& before,
                          const std::vector<std::string_view>& after) {
  std::size_t begin = 0;
  const std::size_t shorter = std::min(before.size(), after.size());
  while (begin < shorter && before[begin] == after[begin]) ++begin;
  std::size_t end = 0;
  while (end < shorter - begin &&
         before[before.size() - 1 - end] == after[after.size() - 1 - end]) {
    ++end;
  }
  const std::size_t rows = before.size() - begin - end;
  const std::size_t columns = after.size() - begin - end;
  // common[i][j]: of the rows from i and the columns from j.
  std::vector<std::vector<std::size_t>> common(rows + 1, std::vector<std::size_t>(columns + 1, 0));
  for (std::size_t i = rows; i-- > 0;) {
    for (std::size_t j = columns; j-- > 0;) {
      common[i][j] = before[begin + i] == after[begin + j]
                         ? common[i + 1][j + 1] + 1
                         : std::max(common[i + 1][j], common[i][j + 1]);
    }
  }
  std::vector<Line> lines;
  for (std::size_t line = 0; line < begin; ++line) lines.push_back({' ', before[line]});
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < rows || j < columns) {
    if (i < rows && j < columns && before[begin + i] == after[begin + j]) {
      lines.push_back({' ', before[begin + i]});
      ++i;
      ++j;
    } else if (i < rows && (j == columns || common[i + 1][j] >= common[i][j + 1])) {
      lines.push_back({'-', before[begin + i++]});
    } else {
      lines.push_back({'+', after[begin + j++]});
    }
  }
  for (std::size_t line = before.size() - end; line < before.size(); ++line) {
    lines.push_back({' ', before[line]});
  }
  return lines;
}

std::string Range(std::size_t first, std::size_t count) {
  // A range without lines is behind the line that it names.
  return std::to_string(count == 0 ? first - 1 : first) +
         (count == 1 ? "" : "," + std::to_string(count));
}

std::string Hunks(const std::vector<Line>& lines) {
  std::string text;
  std::size_t old_line = 1;
  std::size_t new_line = 1;
  for (std::size_t at = 0; at < lines.size();) {
    std::size_t change = at;
    while (change < lines.size() && lines[change].sign == ' ') ++change;
    if (change == lines.size()) break;
    const std::size_t first = std::max(at, change - std::min(change, kContext));
    old_line += first - at;
    new_line += first - at;
    // Changes with no more than two contexts between them are one hunk.
    std::size_t end = change + 1;
    for (std::size_t line = end; line < lines.size() && line < end + 2 * kContext + 1; ++line) {
      if (lines[line].sign != ' ') end = line + 1;
    }
    end = std::min(end + kContext, lines.size());
    std::size_t olds = 0;
    std::size_t news = 0;
    std::string body;
    for (std::size_t line = first; line < end; ++line) {
      olds += lines[line].sign != '+' ? 1 : 0;
      news += lines[line].sign != '-' ? 1 : 0;
      body += lines[line].sign + std::string(lines[line].text);
      if (!body.ends_with('\n')) body += "\n\\ No newline at end of file\n";
    }
    text += "@@ -" + Range(old_line, olds) + " +" + Range(new_line, news) + " @@\n" + body;
    old_line += olds;
    new_line += news;
    at = end;
  }
  return text;
}

}  // namespace

std::string UnifiedDiff(const std::vector<Change>& changes) {
  std::string text;
  for (const Change& change : changes) {
    if (!change.is_needed()) continue;
    const std::string& path = change.before.path;
    text += "--- " + (change.before.bytes ? path : "/dev/null") + "\n";
    text += "+++ " + (change.after ? path : "/dev/null") + "\n";
    text += Hunks(Compare(SplitLines(change.before.text()),
                          SplitLines(change.after ? std::string_view(*change.after) : "")));
  }
  return text;
}

}  // namespace runclad::configure
