// runcladctl doctor: what is wrong with this host, and how to fix it.
#include "doctor.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/version.hpp"
#include "runclad/doctor/facts.hpp"
#include "runclad/doctor/probe_inside.hpp"
#include "runclad/json/value.hpp"

#include "document_text.hpp"
#include "figures.hpp"
#include "installed_program.hpp"
#include "lint_report.hpp"

namespace runclad::ctl {
namespace {

using doctor::CheckResult;
using doctor::Level;
using json::Document;

bool IsUtf8Locale() {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = ::getenv(name);  // NOLINT(concurrency-mt-unsafe)
    if (value == nullptr || *value == '\0') continue;
    const std::string_view locale = value;
    return locale.find("UTF-8") != std::string_view::npos ||
           locale.find("utf8") != std::string_view::npos;
  }
  return false;
}

class Marks {
 public:
  explicit Marks(const Style& style) : style_(style), is_utf8_(IsUtf8Locale()) {}

  [[nodiscard]] std::string Of(Level level) const {
    switch (level) {
      case Level::kFine:
        return style_.Green(is_utf8_ ? "✓" : "+");
      case Level::kWarning:
        return style_.Yellow(is_utf8_ ? "‼" : "!");
      case Level::kCritical:
        return style_.Red(is_utf8_ ? "✗" : "x");
      case Level::kUnknown:
        break;
    }
    return style_.Yellow("?");
  }
  [[nodiscard]] std::string Of(const doctor::Finding& finding) const {
    return finding.acknowledged.empty() ? Of(finding.level) : "-";
  }

 private:
  const Style& style_;
  bool is_utf8_;
};

std::string TextOf(const CheckResult& result, const doctor::Finding& finding, const Marks& marks) {
  std::string text = std::string(result.check->id) + ": ";
  if (!finding.subject.empty()) text += finding.subject + ": ";
  constexpr std::size_t kIndent = 4;
  std::string lines = Wrapped(Printable(text + finding.sentence), kIndent);
  lines.replace(2, 1, marks.Of(finding));
  if (!finding.acknowledged.empty()) {
    return lines + Wrapped("acknowledged: " + Printable(finding.acknowledged), kIndent + 4, "> ");
  }
  if (finding.remedy.empty()) return lines;
  return lines + Wrapped(Printable(finding.remedy), kIndent + 4, "> ");
}

// "crio /etc/crio/crio.conf: pods use runclad by its configuration, which is not proved: …"
std::string UnprovenText(const doctor::ProbeFacts& probe) {
  return probe.engine + " " + probe.place + ": " + probe.way +
         " use runclad by its configuration, which is not proved: " + probe.unproven;
}

// "docker run: holds CAP_NET_BIND_SERVICE; 7 of 7 attacks were refused"
std::string TextOf(const doctor::ProbeFacts& probe) {
  if (!probe.unproven.empty()) return UnprovenText(probe);
  if (!probe.refusal.empty()) return probe.way + ": " + probe.refusal;
  if (!probe.answer) return {};
  const auto refused = std::ranges::count(probe.attacks, true, &doctor::AttackFact::is_refused);
  std::string names;
  for (const std::string& name : doctor::CapabilitiesOf(*probe.answer)) {
    names += (names.empty() ? "" : ", ") + name;
  }
  return probe.way + ": holds " + (names.empty() ? "no capability" : names) +
         (probe.answer->has_no_new_privileges ? ", no_new_privs" : "") +
         (probe.answer->seccomp == 2 ? ", a seccomp filter" : "") + "; " + std::to_string(refused) +
         " of " + Counted(probe.attacks.size(), "attack") + " refused";
}

std::string AsText(const doctor::Examination& examination, const Style& style) {
  const std::vector<CheckResult>& results = examination.results;
  const Marks marks(style);
  std::string text;
  for (auto begin = results.begin(); begin != results.end();) {
    const std::string_view category = begin->check->category();
    const auto end = std::find_if(begin, results.end(), [&](const CheckResult& result) {
      return result.check->category() != category;
    });
    Level level = Level::kFine;
    std::size_t count = 0;
    std::string findings;
    for (auto result = begin; result != end; ++result) {
      level = doctor::Worse(level, result->level());
      count += result->findings.size();
      for (const doctor::Finding& finding : result->findings)
        findings += TextOf(*result, finding, marks);
    }
    constexpr std::size_t kWidth = 10;
    std::string name(category);
    name.resize(std::max(kWidth, name.size()), ' ');
    const bool is_unproven = category == "probe" && count == 0 && !examination.is_proven();
    text += (is_unproven ? "-" : marks.Of(level)) + " " + name +
            Counted(static_cast<std::size_t>(end - begin), "check") +
            (count == 0 ? "" : ", " + Counted(count, "finding")) + "\n" + findings;
    begin = end;
    if (is_unproven && examination.probes.empty()) {
      text +=
          Wrapped("nothing was probed: no engine that can be asked has runclad as its default", 4);
    }
    if (category != "probe") continue;
    for (const doctor::ProbeFacts& probe : examination.probes) {
      const std::string line = TextOf(probe);
      if (line.empty()) continue;
      std::string lines = Wrapped(Printable(line), 4);
      if (!probe.unproven.empty()) lines.replace(2, 1, "-");
      text += lines;
    }
  }
  return text;
}

// sd-daemon(3): "<3>" is an error, "<4>" a warning, "<6>" information.
std::string AsLogLines(const doctor::Examination& examination, Level level) {
  const std::vector<CheckResult>& results = examination.results;
  constexpr std::string_view kPriorities[] = {"<6>", "<4>", "<3>", "<4>"};
  const auto priority = [&](Level of) { return kPriorities[static_cast<std::size_t>(of)]; };
  std::string text;
  std::size_t count = 0;
  for (const CheckResult& result : results) {
    for (const doctor::Finding& finding : result.findings) {
      if (!finding.acknowledged.empty()) continue;
      ++count;
      text += std::string(priority(finding.level)) + std::string(doctor::Name(finding.level)) +
              " " + std::string(result.check->id) + ": " +
              Printable(finding.subject + (finding.subject.empty() ? "" : ": ") + finding.sentence +
                        (finding.remedy.empty() ? "" : "; ") + finding.remedy) +
              "\n";
    }
  }
  for (const doctor::ProbeFacts& probe : examination.probes) {
    if (!probe.unproven.empty()) text += "<6>" + Printable(UnprovenText(probe)) + "\n";
  }
  return text + std::string(priority(level)) + Counted(results.size(), "check") + ", " +
         Counted(count, "finding") + ": " + std::string(doctor::Name(level)) + "\n";
}

Document ProbeDocument(const doctor::ProbeFacts& probe) {
  Document document = {{"engine", probe.engine}, {"place", probe.place}, {"way", probe.way}};
  if (!probe.fault.empty()) document["fault"] = probe.fault;
  if (!probe.refusal.empty()) document["refusal"] = probe.refusal;
  if (!probe.unproven.empty()) document["unproven"] = probe.unproven;
  if (probe.answer) {
    document["capabilities"] = doctor::CapabilitiesOf(*probe.answer);
    document["noNewPrivileges"] = probe.answer->has_no_new_privileges;
    document["seccomp"] = probe.answer->seccomp;
    document["writable"] = probe.answer->writable;
    document["readable"] = probe.answer->readable;
    document["hostNamespaces"] = probe.answer->shared;
    document["succeeded"] = probe.answer->succeeded;
  }
  Document attacks = Document::array();
  for (const doctor::AttackFact& attack : probe.attacks) {
    attacks.push_back({{"name", attack.name}, {"refused", attack.is_refused}});
  }
  document["attacks"] = std::move(attacks);
  return document;
}

Document AsJson(const doctor::Examination& examination, Level level) {
  const std::vector<CheckResult>& results = examination.results;
  Document probes = Document::array();
  for (const doctor::ProbeFacts& probe : examination.probes) probes.push_back(ProbeDocument(probe));
  Document checks = Document::array();
  std::size_t open = 0;
  for (const CheckResult& result : results) {
    Document findings = Document::array();
    for (const doctor::Finding& finding : result.findings) {
      findings.push_back({{"level", doctor::Name(finding.level)},
                          {"subject", finding.subject},
                          {"finding", finding.sentence},
                          {"remedy", finding.remedy}});
      if (!finding.acknowledged.empty()) findings.back()["acknowledged"] = finding.acknowledged;
      open += result.check->category() == "roads" && finding.level != Level::kUnknown ? 1U : 0U;
    }
    checks.push_back({{"id", result.check->id},
                      {"category", result.check->category()},
                      {"expected", result.check->expected},
                      {"level", doctor::Name(result.level())},
                      {"findings", std::move(findings)}});
  }
  return {{"version", 1},      {"level", doctor::Name(level)}, {"status", doctor::StatusOf(level)},
          {"roadsOpen", open}, {"checks", std::move(checks)},  {"probes", std::move(probes)}};
}

Output List(const DoctorRequest& request) {
  if (request.json) {
    Document checks = Document::array();
    for (const doctor::Check& check : doctor::Checks()) {
      checks.push_back(
          {{"id", check.id}, {"category", check.category()}, {"expected", check.expected}});
    }
    return {checks.dump(2) + "\n"};
  }
  std::vector<std::vector<std::string>> rows;
  for (const doctor::Check& check : doctor::Checks()) {
    rows.push_back({std::string(check.id), std::string(check.expected)});
  }
  return {Table(rows)};
}

std::vector<doctor::PolicyFault> FaultsOf(const std::string& directory) {
  std::vector<doctor::PolicyFault> faults;
  for (LintFinding& finding : LintDirectory(directory)) {
    faults.push_back({std::move(finding.file), finding.line, finding.level == LintLevel::kFault,
                      std::move(finding.kind), std::move(finding.message)});
  }
  return faults;
}

}  // namespace

Result<Output> Doctor(const DoctorRequest& request, const Style& style) {
  if (request.inside) return Output{doctor::ProbeFromInside(*request.inside)};
  if (request.list) return List(request);
  doctor::Options options;
  options.only = request.only;
  options.program = request.program.empty() ? InstalledProgram() : request.program;
  options.own_version = VersionAndCommit();
  options.config_directory = request.config_directory;
  options.lint = FaultsOf;
  options.limit = std::chrono::seconds(request.limit);
  const auto examination = doctor::Examine(options);
  if (!examination) return examination.error();
  const Level level = doctor::LevelOf(examination->results);
  Output output{AsText(*examination, style), doctor::StatusOf(level)};
  if (request.daily) output.text = AsLogLines(*examination, level);
  if (request.json) {
    output.text = Dump(AsJson(*examination, level));
  }
  return output;
}

}  // namespace runclad::ctl
