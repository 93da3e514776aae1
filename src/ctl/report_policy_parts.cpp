// What the report's page says of refusals, waivers and benchmarks.
#include <algorithm>
#include <array>
#include <map>

#include "markup.hpp"
#include "report_parts.hpp"
#include "report_pieces.hpp"
#include "style.hpp"

namespace runclad::ctl {
namespace {

constexpr std::size_t kNamedInCell = 6;  // containers in one cell

std::string Number(std::size_t count, bool is_bad) {
  return "<td class=\"number" + std::string(is_bad && count > 0 ? " accent" : "") + "\">" +
         std::to_string(count) + "</td>";
}

// "NIST 800-190 4.4.3", "PCI DSS 2.2.6": the containers that fail a control or check that it names.
using ByRequirement = std::map<std::string, std::vector<const ReportedContainer*>>;

void Count(std::string_view names, const ReportedContainer& entry, ByRequirement& found) {
  while (!names.empty()) {
    const std::size_t end = std::min(names.find(", "), names.size());
    const std::string_view name = names.substr(0, end);
    names.remove_prefix(std::min(end + 2, names.size()));
    if (!name.starts_with("NIST") && !name.starts_with("PCI")) continue;
    auto& entries = found[std::string(name)];
    if (entries.empty() || entries.back() != &entry) entries.push_back(&entry);
  }
}

// All of them; those that no container fails have an empty list.
ByRequirement Requirements(const Report& report) {
  ByRequirement found;
  const ReportedContainer none{};
  for (const look::Control& control : look::Controls()) {
    if (control.assess != nullptr) Count(control.also, none, found);
  }
  for (auto& [name, entries] : found) entries.clear();
  for (const ReportedContainer& entry : report.containers) {
    for (std::size_t i = 0; i < entry.assessments.size(); ++i) {
      if (entry.assessments[i].ruling != look::Ruling::kFail) continue;
      Count(look::Controls()[i].also, entry, found);
    }
  }
  return found;
}

std::string MeaningOf(std::string_view requirement) {
  constexpr std::array<std::array<std::string_view, 2>, 10> kMeanings = {
      {{"NIST 800-190 4.1.1", "Images without known vulnerabilities"},
       {"NIST 800-190 4.4.2", "Limited access to the network"},
       {"NIST 800-190 4.4.3", "Secure configuration of the runtime"},
       {"NIST 800-190 4.4.4", "Containment of a vulnerable program"},
       {"NIST 800-190 4.5.5", "No tampering with the host’s files"},
       {"PCI DSS 2.2.4", "Only the services and functions that are needed"},
       {"PCI DSS 2.2.6", "Settings that prevent misuse"},
       {"PCI DSS 6.3.3", "Updates against known vulnerabilities"},
       {"PCI DSS 7.2.2", "The least privileges that are needed"},
       {"PCI DSS 11.5.2", "Changes of files are noticed"}}};
  for (const auto& [name, meaning] : kMeanings) {
    if (name == requirement) return std::string(meaning);
  }
  return {};
}

}  // namespace

std::string RefusalsPart(const Report& report) {
  std::uint64_t most = 1;
  std::uint64_t refused = 0;
  std::uint64_t would = 0;
  for (const DayOfRefusals& day : report.days) {
    most = std::max(most, day.refused + day.would_refuse);
    refused += day.refused;
    would += day.would_refuse;
  }
  std::string sentence = Counted(refused, "container") + (refused == 1 ? " was" : " were") +
                         " refused in the last 30 days, and " + std::to_string(would) +
                         " would have been in mode audit.";
  if (!report.log_fault.empty()) sentence += " " + Markup(report.log_fault) + ".";
  if (refused + would == 0 || report.days.empty()) {
    return Part("refusals", "Refusals", sentence, "");
  }
  constexpr int kWidth = 10;  // of a day
  constexpr int kHeight = 100;
  std::string bars;
  for (std::size_t i = 0; i < report.days.size(); ++i) {
    const DayOfRefusals& day = report.days[i];
    const auto height = [&](std::uint64_t count) {
      return static_cast<double>(count * kHeight) / static_cast<double>(most);
    };
    const std::string x = std::to_string(i * kWidth + 1);
    const double top = kHeight - height(day.refused);
    bars += "<g><title>" + day.day + ": " + std::to_string(day.refused) + " refused, " +
            std::to_string(day.would_refuse) + " would have been</title>";
    bars += "<rect class=\"refused\" x=\"" + x + "\" width=\"8\" y=\"" + Tenths(top) +
            "\" height=\"" + Tenths(height(day.refused)) + "\"/>";
    bars += "<rect class=\"would\" x=\"" + x + "\" width=\"8\" y=\"" +
            Tenths(top - height(day.would_refuse)) + "\" height=\"" +
            Tenths(height(day.would_refuse)) + "\"/></g>";
  }
  const std::string width = std::to_string(report.days.size() * kWidth);
  std::string body = "<svg class=\"days\" viewBox=\"0 0 " + width +
                     " 100\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"Refusals by "
                     "day, at most " +
                     std::to_string(most) + " on one\">" + bars +
                     "</svg>\n<div class=\"ends\"><span>" + report.days.front().day +
                     "</span><span>at most " + std::to_string(most) + " on a day</span><span>" +
                     report.days.back().day + "</span></div>\n";
  return Part("refusals", "Refusals", sentence, body);
}

std::string WaiversPart(const Report& report) {
  std::vector<std::string> rows;
  for (const ReportedWaiver& waiver : report.waivers) {
    constexpr std::int64_t kSoon = 14;
    const bool is_soon = waiver.days_left && *waiver.days_left <= kSoon;
    const std::string days = !waiver.days_left       ? "never ends"
                             : *waiver.days_left < 0 ? "ended"
                                                     : std::to_string(*waiver.days_left) + " days";
    rows.push_back("<tr><td class=\"number" + std::string(is_soon ? " accent" : "") + "\">" + days +
                   "</td><th scope=\"row\">" + Markup(waiver.rule) + "</th><td>" +
                   Markup(waiver.reason) + "</td><td class=\"mono names\">" + Markup(waiver.file) +
                   "</td></tr>");
  }
  constexpr std::size_t kShownRows = 25;
  return Part("waivers", "Waivers",
              rows.empty()
                  ? "The policy has no waivers."
                  : "What the policy allows on purpose; those that expire first come first.",
              rows.empty() ? std::string()
                           : LongTable("Waivers",
                                       "<tr><th class=\"number\">Left</th><th>Rule</th><th>Reason"
                                       "</th><th>File</th></tr>",
                                       rows, kShownRows));
}

std::string CisPart(const Report& report) {
  std::vector<std::string> rows;
  std::vector<std::string> settings;
  for (std::size_t i = 0; i < look::Controls().size(); ++i) {
    const look::Control& control = look::Controls()[i];
    if (control.framework != "CIS") continue;
    const auto compared = report.compared.find(control.id);
    const std::string theirs =
        report.compared.empty()
            ? ""
            : "<td>" + (compared == report.compared.end() ? "–" : Markup(compared->second)) +
                  "</td>";
    const std::string title = "<tr><td class=\"nowrap\">" + std::string(control.id) +
                              "</td><th scope=\"row\">" + Markup(control.title) + "</th>";
    if (control.assess == nullptr) {
      settings.push_back(title + theirs + "</tr>");
      continue;
    }
    const ControlCounts counts = CountsOf(report, i);
    rows.push_back(title + Number(counts.failed, true) + Number(counts.passed, false) +
                   Number(counts.unknown, false) + "<td class=\"names\">" +
                   LinksTo(report, counts.failing, kNamedInCell) + "</td>" + theirs +
                   "<td class=\"wide mono names\">" + Markup(control.fact) + "</td></tr>");
  }
  const std::string theirs = report.compared.empty() ? "" : "<th>docker-bench</th>";
  return Part(
      "cis", "CIS Docker Benchmark, section 5",
      "Each check in our own words, decided by what the kernel holds. Numbers are those of "
      "version 1.6.",
      TableOf("CIS Docker Benchmark, section 5",
              "<tr><th>No.</th><th>Check</th><th class=\"number\">Fail</th><th class=\"number\">"
              "Pass</th><th class=\"number\">Not known</th><th>Fails</th>" +
                  theirs + "<th class=\"wide\">Fact</th></tr>",
              rows) +
          "<details class=\"more\"><summary>" + std::to_string(settings.size()) +
          " that the kernel's state cannot decide: engine settings and operating "
          "practice</summary>\n" +
          TableOf("CIS checks that the kernel's state cannot decide",
                  "<tr><th>No.</th><th>Check</th>" + theirs + "</tr>", settings) +
          "</details>\n");
}

std::string PodSecurityPart(const Report& report) {
  constexpr std::size_t kFew = 12;
  std::vector<std::string> rows;
  for (const std::string_view level : {"privileged", "baseline", "restricted"}) {
    std::vector<const ReportedContainer*> entries;
    for (const ReportedContainer& entry : report.containers) {
      if (entry.pod_security == level) entries.push_back(&entry);
    }
    rows.push_back("<tr><th scope=\"row\">" + std::string(level) + "</th>" +
                   Number(entries.size(), level == "privileged") + "<td class=\"names\">" +
                   LinksTo(report, entries, kFew) + "</td></tr>");
  }
  std::vector<std::string> others;
  for (const auto& [name, entries] : Requirements(report)) {
    others.push_back("<tr><th scope=\"row\">" + Markup(name) + "</th><td>" + MeaningOf(name) +
                     "</td>" + Number(entries.size(), true) + "<td class=\"names\">" +
                     LinksTo(report, entries, kNamedInCell) + "</td></tr>");
  }
  return Part(
      "pods", "Pod security, NIST SP 800-190 and PCI DSS",
      "The strictest level of the Pod Security Standards that each container meets, and "
      "the requirements of other standards that the checks of section 5 cover.",
      TableOf("Pod Security Standards",
              "<tr><th>Level</th><th class=\"number\">Containers</th><th></th></tr>", rows) +
          TableOf("NIST SP 800-190 and PCI DSS 4.0",
                  "<tr><th>Requirement</th><th>Asks for</th><th class=\"number\">Fail</th>"
                  "<th>Fails</th></tr>",
                  others));
}

}  // namespace runclad::ctl
