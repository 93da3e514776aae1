// Small pieces of HTML that the parts of the report share.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "figures.hpp"
#include "report.hpp"

namespace runclad::ctl {

// <section> with a heading, a sentence (HTML) below it and a body.
std::string Part(std::string_view id, std::string_view title, const std::string& sentence,
                 const std::string& body);
// A table that can be moved sideways where it is wider than the screen. `head` and `rows`: <tr>.
std::string TableOf(std::string_view name, const std::string& head,
                    const std::vector<std::string>& rows, std::string_view kind = {});
// The same, with the rows after the first `shown` behind a line that can be opened.
std::string LongTable(std::string_view name, const std::string& head,
                      const std::vector<std::string>& rows, std::size_t shown);

// "UNSAFE" in its looks.
std::string LevelOf(double exposure);
// "unsafe", for a class.
std::string LevelClass(double exposure);
// How many containers have each level.
inline constexpr std::array<std::string_view, 4> kLevels = {"unsafe", "exposed", "medium", "ok"};
std::array<std::size_t, kLevels.size()> CountLevels(const Report& report);
// A link to the container's own lines.
std::string LinkTo(const Report& report, const ReportedContainer& entry);
// "web, db and 3 others"; links.
std::string LinksTo(const Report& report, const std::vector<const ReportedContainer*>& entries,
                    std::size_t shown);

}  // namespace runclad::ctl
