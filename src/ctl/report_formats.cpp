// The report for programs: JSON, SARIF and JUnit.
#include <algorithm>
#include <map>

#include <nlohmann/json.hpp>

#include "runclad/base/time.hpp"
#include "runclad/look/json.hpp"

#include "document_text.hpp"
#include "markup.hpp"
#include "report.hpp"
#include "sarif.hpp"
#include "style.hpp"

namespace runclad::ctl {
namespace {

using json::Document;
using look::Control;
using look::Ruling;

std::string_view Word(Ruling ruling) {
  switch (ruling) {
    case Ruling::kPass:
      return "pass";
    case Ruling::kFail:
      return "fail";
    case Ruling::kUnknown:
      break;
  }
  return "unknown";
}

// "CIS 5.4"
std::string NameOf(const Control& control) {
  return std::string(control.framework) + " " + std::string(control.id);
}

std::string TextOf(const look::Assessed& assessed) {
  std::string text(assessed.check->bad);
  if (!assessed.finding->detail.empty()) text += ": " + Printable(assessed.finding->detail);
  return text;
}

Document ContainerOf(const ReportedContainer& entry) {
  Document document = look::ToDocument(entry.container);
  document["exposure"] = entry.score.exposure;
  document["level"] = look::LevelOf(entry.score.exposure);
  document["podSecurity"] = entry.pod_security;
  Document checks = Document::array();
  for (const look::Assessed& assessed : entry.score.checks) {
    Document check = {{"id", assessed.check->id}, {"weight", assessed.check->weight}};
    if (assessed.finding) {
      check["badness"] = assessed.finding->badness;
      check["share"] = assessed.share;
      check["detail"] = assessed.finding->detail;
    }
    checks.push_back(std::move(check));
  }
  document["checks"] = std::move(checks);
  Document controls = Document::object();
  for (std::size_t i = 0; i < entry.assessments.size(); ++i) {
    const look::Assessment& assessment = entry.assessments[i];
    controls[NameOf(look::Controls()[i])] = {{"result", Word(assessment.ruling)},
                                             {"detail", assessment.detail}};
  }
  document["controls"] = std::move(controls);
  if (entry.drift) {
    document["changes"] = entry.drift->changes.size();
    document["changedPrograms"] =
        std::ranges::count_if(entry.drift->changes, [](const look::Change& change) {
          return change.is_program || change.sets_id || change.has_capabilities;
        });
  } else {
    document["changes"] = nullptr;
    document["changesUnknown"] = entry.no_drift_because;
  }
  return document;
}

// What a container fails: "check/seccomp" or "CIS 5.4", and what was found.
struct Failure {
  std::string id;
  std::string text;
  bool is_severe = false;
};

std::vector<Failure> FailuresOf(const ReportedContainer& entry) {
  std::vector<Failure> failures;
  for (const look::Assessed& assessed : entry.score.checks) {
    if (!assessed.finding || assessed.finding->badness <= 0) continue;
    constexpr double kSevere = 0.5;  // of the exposure
    failures.push_back(
        {"check/" + std::string(assessed.check->id), TextOf(assessed), assessed.share >= kSevere});
  }
  for (std::size_t i = 0; i < entry.assessments.size(); ++i) {
    if (entry.assessments[i].ruling != Ruling::kFail) continue;
    const Control& control = look::Controls()[i];
    failures.push_back(
        {NameOf(control),
         "not so: " + std::string(control.title) + ": " + Printable(entry.assessments[i].detail),
         false});
  }
  return failures;
}

}  // namespace

std::string ReportAsJson(const Report& report) {
  Document containers = Document::array();
  for (const ReportedContainer& entry : report.containers) {
    containers.push_back(ContainerOf(entry));
  }
  Document controls = Document::array();
  for (std::size_t i = 0; i < look::Controls().size(); ++i) {
    const Control& control = look::Controls()[i];
    const ControlCounts counts = CountsOf(report, i);
    Document entry = {{"id", NameOf(control)},    {"title", control.title},
                      {"fact", control.fact},     {"also", control.also},
                      {"passed", counts.passed},  {"failed", counts.failed},
                      {"unknown", counts.unknown}};
    const auto compared = report.compared.find(control.id);
    if (compared != report.compared.end()) entry["dockerBench"] = compared->second;
    controls.push_back(std::move(entry));
  }
  Document waivers = Document::array();
  for (const ReportedWaiver& waiver : report.waivers) {
    waivers.push_back({{"file", waiver.file},
                       {"rule", waiver.rule},
                       {"reason", waiver.reason},
                       {"expires", waiver.expires},
                       {"daysLeft", waiver.days_left ? Document(*waiver.days_left) : Document()}});
  }
  Document days = Document::array();
  for (const DayOfRefusals& day : report.days) {
    days.push_back({{"day", day.day}, {"refused", day.refused}, {"wouldRefuse", day.would_refuse}});
  }
  return Dump({{"version", 1},
               {"host", report.host},
               {"kernel", report.kernel},
               {"day", FormatDay(report.time)},
               {"policy", report.policy},
               {"breakGlass", report.break_glass},
               {"containers", std::move(containers)},
               {"controls", std::move(controls)},
               {"waivers", std::move(waivers)},
               {"refusals", std::move(days)},
               {"logFault", report.log_fault}});
}

std::string ReportAsSarif(const Report& report) {
  Document rules = Document::array();
  for (const look::Check& check : look::Checks()) {
    rules.push_back(SarifRule("check/" + std::string(check.id), check.good,
                              std::string(check.why) + " " + std::string(check.fix)));
  }
  for (const Control& control : look::Controls()) {
    rules.push_back(SarifRule(NameOf(control), control.title, std::string(control.also)));
  }
  Document results = Document::array();
  for (const ReportedContainer& entry : report.containers) {
    const std::string name = report.host + "/" + entry.container.id;
    for (const Failure& failure : FailuresOf(entry)) {
      const Document location = {
          {"name", entry.title()}, {"fullyQualifiedName", name}, {"kind", "resource"}};
      results.push_back(
          {{"ruleId", failure.id},
           {"level", failure.is_severe ? "error" : "warning"},
           {"message", {{"text", entry.title() + ": " + failure.text}}},
           {"locations", Document::array({{{"logicalLocations", Document::array({location})}}})}});
    }
  }
  return Sarif(std::move(rules), std::move(results));
}

std::string ReportAsJunit(const Report& report) {
  std::string suites;
  std::size_t all_tests = 0;
  std::size_t all_failures = 0;
  for (const ReportedContainer& entry : report.containers) {
    std::map<std::string, std::string> failed;
    for (Failure& failure : FailuresOf(entry)) failed[failure.id] = std::move(failure.text);
    std::string cases;
    std::size_t tests = 0;
    const auto add = [&](const std::string& id, bool is_known) {
      ++tests;
      cases += "    <testcase classname=\"" + Markup(entry.title()) + "\" name=\"" + Markup(id);
      const auto found = failed.find(id);
      if (found != failed.end()) {
        cases +=
            "\">\n      <failure message=\"" + Markup(found->second) + "\"/>\n    </testcase>\n";
      } else {
        cases += is_known ? "\"/>\n" : "\">\n      <skipped/>\n    </testcase>\n";
      }
    };
    for (const look::Assessed& assessed : entry.score.checks) {
      add("check/" + std::string(assessed.check->id), assessed.finding.has_value());
    }
    for (std::size_t i = 0; i < entry.assessments.size(); ++i) {
      add(NameOf(look::Controls()[i]), entry.assessments[i].ruling != Ruling::kUnknown);
    }
    suites += "  <testsuite name=\"" + Markup(entry.title()) + "\" tests=\"" +
              std::to_string(tests) + "\" failures=\"" + std::to_string(failed.size()) + "\">\n" +
              cases + "  </testsuite>\n";
    all_tests += tests;
    all_failures += failed.size();
  }
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"" +
         std::to_string(all_tests) + "\" failures=\"" + std::to_string(all_failures) + "\">\n" +
         suites + "</testsuites>\n";
}

}  // namespace runclad::ctl
