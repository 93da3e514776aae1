// The parts of the report's page that are about single containers: the most exposed one, the table,
// the details.
#include <algorithm>
#include <array>

#include "markup.hpp"
#include "report_parts.hpp"
#include "report_pieces.hpp"
#include "style.hpp"

namespace runclad::ctl {
namespace {

using look::Assessed;
using look::Container;

constexpr std::size_t kWorstChecks = 3;
constexpr std::size_t kContainerRows = 25;  // of a table, before the rest can be opened

std::string EngineText(const Container& container) {
  if (container.identity.engine == engine::Engine::kUnknown) return "no engine";
  return std::string(engine::Name(container.identity.engine));
}

std::string PolicyOf(const Container& container) {
  switch (container.promise) {
    case look::Promise::kNone:
      return "not through runclad";
    case look::Promise::kKept:
      return container.profile + (container.mode == "audit" ? ", audit" : "");
    case look::Promise::kBroken:
      return container.profile + ", but changed since";
    case look::Promise::kUnknown:
      break;
  }
  return "its record cannot be read";
}

std::string PolicyCell(const Container& container) {
  const std::string text = Markup(PolicyOf(container));
  return container.promise == look::Promise::kKept ? text
                                                   : "<span class=\"accent\">" + text + "</span>";
}

// "Its bounding set has … : sys_admin", the detail apart.
std::string Sentence(const Assessed& assessed) {
  constexpr std::size_t kMostOfDetail = 160;
  std::string text = Markup(assessed.check->bad);
  std::string detail = assessed.finding->detail;
  if (detail.empty()) return text;
  if (detail.size() > kMostOfDetail) {
    detail.resize(detail.rfind(' ', kMostOfDetail) == std::string::npos
                      ? kMostOfDetail
                      : detail.rfind(' ', kMostOfDetail));
    detail += " …";
  }
  return text + ": <span class=\"mono\">" + Markup(detail) + "</span>";
}

std::string Bar(double exposure) {
  return "<svg class=\"bar\" viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" "
         "aria-hidden=\"true\"><rect class=\"ground\" width=\"100\" height=\"8\"/><rect class=\"" +
         LevelClass(exposure) + "\" width=\"" + Tenths(exposure * 10) + "\" height=\"8\"/></svg>";
}

std::string Spread(const std::array<std::size_t, 4>& counts) {
  std::size_t total = 0;
  for (const std::size_t count : counts) total += count;
  std::string text = "<svg class=\"spread\" viewBox=\"0 0 " +
                     std::to_string(std::max<std::size_t>(total, 1)) +
                     " 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\">";
  std::size_t at = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    text += "<rect class=\"" + std::string(kLevels.at(i)) + "\" x=\"" + std::to_string(at) +
            "\" width=\"" + std::to_string(counts.at(i)) + "\" height=\"8\"/>";
    at += counts.at(i);
  }
  text += "</svg>\n<ul class=\"legend\">";
  constexpr std::array<std::string_view, 4> kTexts = {"unsafe (8 and more)", "exposed (6 to 8)",
                                                      "medium (3 to 6)", "OK (below 3)"};
  for (std::size_t i = 0; i < counts.size(); ++i) {
    text += "<li><svg class=\"spread\" viewBox=\"0 0 8 8\" aria-hidden=\"true\"><rect class=\"" +
            std::string(kLevels.at(i)) + "\" width=\"8\" height=\"8\"/></svg>" +
            std::to_string(counts.at(i)) + " " + std::string(kTexts.at(i)) + "</li>";
  }
  return text + "</ul>\n";
}

}  // namespace

std::string WorstPart(const Report& report) {
  if (report.containers.empty()) {
    return "<section class=\"worst\"><div></div><h2>No container is running.</h2></section>\n";
  }
  const ReportedContainer& entry = report.containers.front();
  const Container& container = entry.container;
  const std::string image = container.image();
  std::string text =
      "<section class=\"worst\" aria-labelledby=\"worst\">\n<div class=\"score\"><span "
      "class=\"figure\">" +
      Tenths(entry.score.exposure) + "</span>" + LevelOf(entry.score.exposure) +
      "</div>\n<div>\n<p class=\"eyebrow\">The most exposed of " +
      Counted(report.containers.size(), "container") + "</p>\n<h2 id=\"worst\">" +
      LinkTo(report, entry) + "</h2>\n<p class=\"soft\">" +
      (image.empty() ? std::string("unknown image") : Markup(image)) + " · " +
      Markup(EngineText(container)) + " · " + PolicyCell(container) + "</p>\n<ol class=\"why\">\n";
  for (const Assessed& assessed : entry.score.worst(kWorstChecks)) {
    text += "<li><b>−" + Tenths(assessed.share) + "</b><div>" + Sentence(assessed) + "<p>" +
            Markup(assessed.check->fix) + "</p></div></li>\n";
  }
  return text + "</ol>\n</div>\n</section>\n";
}

std::string ExposurePart(const Report& report) {
  std::vector<std::string> rows;
  for (const ReportedContainer& entry : report.containers) {
    std::string worst;
    for (const Assessed& assessed : entry.score.worst(kWorstChecks)) {
      worst += (worst.empty() ? "" : ", ") + std::string("<a href=\"#check-") +
               std::string(assessed.check->id) + "\">" + std::string(assessed.check->id) + "</a>";
    }
    const double exposure = entry.score.exposure;
    const std::string image = entry.container.image();
    rows.push_back(
        "<tr><th scope=\"row\">" + LinkTo(report, entry) + "</th><td><div class=\"exposure\"><b>" +
        Tenths(exposure) + "</b>" + Bar(exposure) + LevelOf(exposure) + "</div></td><td>" + worst +
        "</td><td class=\"wide names\">" + (image.empty() ? std::string("–") : Markup(image)) +
        "</td><td class=\"wide\">" + PolicyCell(entry.container) + "</td></tr>");
  }
  return Part("exposure", "Exposure", "",
              Spread(CountLevels(report)) +
                  LongTable("Containers by their exposure",
                            "<tr><th>Container</th><th>Exposure</th><th>What weighs most</th><th "
                            "class=\"wide\">Image</th><th class=\"wide\">Policy</th></tr>",
                            rows, kContainerRows));
}

std::string ContainersPart(const Report& report) {
  std::string body;
  for (const ReportedContainer& entry : report.containers) {
    const Container& container = entry.container;
    std::string rows;
    std::string passed;
    std::string unknown;
    for (const Assessed& assessed : entry.score.checks) {
      const std::string id(assessed.check->id);
      if (!assessed.finding) {
        unknown += (unknown.empty() ? "" : ", ") + id;
      } else if (assessed.finding->badness <= 0) {
        passed += (passed.empty() ? "" : ", ") + id;
      } else {
        rows += "<tr><td class=\"number\">" + Tenths(assessed.share) +
                "</td><td class=\"nowrap\">"
                "<a href=\"#check-" +
                id + "\">" + id + "</a></td><td>" + Sentence(assessed) + "</td></tr>\n";
      }
    }
    const auto number = std::to_string(&entry - report.containers.data());
    body += "<details class=\"container\"><summary>" + Markup(entry.title()) +
            " <span "
            "class=\"soft\">" +
            Tenths(entry.score.exposure) + "</span>" + LevelOf(entry.score.exposure) +
            "</summary>\n<div id=\"c" + number + "\"><p class=\"soft\"><span class=\"mono\">" +
            Markup(container.id) + "</span> · " + Markup(EngineText(container)) + " · " +
            (container.image().empty() ? std::string("unknown image") : Markup(container.image())) +
            " · " + PolicyCell(container) + "</p>\n" +
            (container.difference.empty() ? std::string()
                                          : "<p>" + Markup(container.difference) + "</p>\n") +
            "<div class=\"table\"><table><tbody>\n" + rows + "</tbody></table></div>\n" +
            (passed.empty() ? "" : "<p class=\"soft\">Passed: " + passed + ".</p>\n") +
            (unknown.empty() ? "" : "<p class=\"soft\">Not known: " + unknown + ".</p>\n") +
            "</div></details>\n";
  }
  return Part("containers", "Every container", "Open one to see what it fails.", body);
}

std::string ChecksPart(const Report&) {
  std::string body = "<dl class=\"terms\">\n";
  for (const look::Check& check : look::Checks()) {
    body += "<div id=\"check-" + std::string(check.id) + "\"><dt>" + std::string(check.id) +
            " <span class=\"soft\">weight " + Tenths(check.weight) + "</span></dt><dd>" +
            Markup(check.why) + " " + Markup(check.fix) +
            (check.benchmarks.empty() ? "" : " " + Markup(check.benchmarks) + ".") +
            "</dd></div>\n";
  }
  return Part("checks", "What the checks mean", "", body + "</dl>\n");
}

}  // namespace runclad::ctl
