#include "report_pieces.hpp"

#include <algorithm>
#include <array>

#include "markup.hpp"

namespace runclad::ctl {

std::string Part(std::string_view id, std::string_view title, const std::string& sentence,
                 const std::string& body) {
  const std::string name(id);
  return "<section class=\"part\" id=\"" + name + "\" aria-labelledby=\"" + name +
         "-title\">\n<h2 id=\"" + name + "-title\">" + std::string(title) + "</h2>\n" +
         (sentence.empty() ? "" : "<p class=\"soft\">" + sentence + "</p>\n") + body +
         "</section>\n";
}

std::string TableOf(std::string_view name, const std::string& head,
                    const std::vector<std::string>& rows, std::string_view kind) {
  // It takes the focus, so that it can be moved with the keyboard.
  std::string text = "<div class=\"table\" role=\"region\" tabindex=\"0\" aria-label=\"" +
                     Markup(name) + "\"><table" +
                     (kind.empty() ? "" : " class=\"" + std::string(kind) + "\"") + "><thead>" +
                     head + "</thead>\n<tbody>\n";
  for (const std::string& row : rows) text += row + "\n";
  return text + "</tbody></table></div>\n";
}

std::string LongTable(std::string_view name, const std::string& head,
                      const std::vector<std::string>& rows, std::size_t shown) {
  // A few more are not worth a click.
  constexpr std::size_t kFew = 5;
  if (rows.size() <= shown + kFew) return TableOf(name, head, rows);
  const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(shown);
  return TableOf(name, head, {rows.begin(), middle}) + "<details class=\"more\"><summary>" +
         std::to_string(rows.size() - shown) + " more</summary>\n" +
         TableOf(std::string(name) + ", the rest", head, {middle, rows.end()}) + "</details>\n";
}

std::string LevelClass(double exposure) {
  std::string name(look::LevelOf(exposure));
  std::ranges::transform(name, name.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return name;
}

std::string LevelOf(double exposure) {
  return "<span class=\"level " + LevelClass(exposure) + "\">" +
         std::string(look::LevelOf(exposure)) + "</span>";
}

std::array<std::size_t, kLevels.size()> CountLevels(const Report& report) {
  std::array<std::size_t, kLevels.size()> counts{};
  for (const ReportedContainer& entry : report.containers) {
    const auto* const level = std::ranges::find(kLevels, LevelClass(entry.score.exposure));
    if (level != kLevels.end()) ++counts.at(static_cast<std::size_t>(level - kLevels.begin()));
  }
  return counts;
}

std::string LinkTo(const Report& report, const ReportedContainer& entry) {
  const auto number = &entry - report.containers.data();
  return "<a href=\"#c" + std::to_string(number) + "\">" + Markup(entry.title()) + "</a>";
}

std::string LinksTo(const Report& report, const std::vector<const ReportedContainer*>& entries,
                    std::size_t shown) {
  std::string text;
  const bool is_cut = entries.size() > shown + 1;
  const std::size_t count = is_cut ? shown : entries.size();
  for (std::size_t i = 0; i < count; ++i) {
    text += (i == 0 ? "" : ", ") + LinkTo(report, *entries[i]);
  }
  if (is_cut) text += " and " + std::to_string(entries.size() - shown) + " others";
  return text;
}

}  // namespace runclad::ctl
