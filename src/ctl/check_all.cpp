// runcladctl check --all: what runclad would do about every running container, before a step to a
// tighter policy.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/enforce/host_policy.hpp"
#include "runclad/enforce/running.hpp"
#include "runclad/rules/rule.hpp"

#include "bundles.hpp"
#include "check_sarif.hpp"
#include "commands.hpp"
#include "document_text.hpp"
#include "findings.hpp"
#include "judgement.hpp"

namespace runclad::ctl {
namespace {

using json::Document;

struct Line {
  OpenedContainer opened;
  Result<Judgement> judgement;
};

// The rules with findings of this kind, each once: "capabilities, seccomp".
std::string RulesWith(enforce::Disposition disposition, const enforce::Decision& decision) {
  std::vector<std::string_view> rules;
  for (const enforce::Applied& applied : decision.findings) {
    const std::string_view id = applied.rule->id();
    if (applied.disposition == disposition && std::ranges::find(rules, id) == rules.end()) {
      rules.push_back(id);
    }
  }
  return Joined(rules);
}

std::string AsText(const Judgement& judgement, const Style& style) {
  const enforce::Decision& decision = judgement.decision;
  std::string text;
  for (const Finding& finding : FindingsFrom(decision.findings)) {
    if (finding.action == "refused") text += Wrapped(Sentence(finding), 4);
  }
  const std::string fixed = RulesWith(enforce::Disposition::kFixed, decision);
  const std::string warned = RulesWith(enforce::Disposition::kWarned, decision);
  if (!fixed.empty()) text += Wrapped("changed by " + fixed, 4);
  if (!warned.empty()) text += Wrapped("warnings from " + warned, 4);
  switch (decision.outcome) {
    case enforce::Outcome::kRefused:
      return style.Red("would be refused") + "\n" + text;
    case enforce::Outcome::kRewritten:
      return style.Yellow("would be rewritten") + "\n" + text;
    case enforce::Outcome::kUnchanged:
      break;
  }
  return "would not be changed\n" + text;
}

struct Counts {
  std::array<std::size_t, 3> by_outcome{};
  std::size_t failed = 0;

  [[nodiscard]] std::size_t of(enforce::Outcome outcome) const {
    return by_outcome.at(static_cast<std::size_t>(outcome));
  }
};

std::string Summary(const Counts& counts, std::size_t all) {
  std::vector<std::string> parts;
  const auto add = [&](std::size_t count, const std::string& what) {
    if (count > 0) parts.push_back(std::to_string(count) + " " + what);
  };
  add(counts.of(enforce::Outcome::kRefused), "would be refused");
  add(counts.of(enforce::Outcome::kRewritten), "would be rewritten");
  add(counts.of(enforce::Outcome::kUnchanged), "would not be changed");
  add(counts.failed, "could not be checked");
  return std::to_string(all) + (all == 1 ? " running container: " : " running containers: ") +
         Joined(parts) + "; see runcladctl check ID\n";
}

std::vector<Line> JudgeAll(const CheckRequest& request) {
  std::vector<Line> lines;
  for (const host::RunningContainer& container : enforce::FindEveryRunning()) {
    const std::string path = container.bundle + "/config.json";
    auto opened = OpenContainer(container, path);
    if (!opened) {
      // One that has ended in the meantime has no bundle any more.
      if (::access(path.c_str(), F_OK) != 0) continue;
      auto nothing = oci::Spec::Parse("{}");
      if (nothing) {
        lines.push_back(
            {{container, path, container.name, *std::move(nothing), {}, {}}, opened.error()});
      }
      continue;
    }
    auto judgement = Judge(*opened, request);
    lines.push_back({*std::move(opened), std::move(judgement)});
  }
  std::ranges::stable_sort(lines, {}, [](const Line& line) {
    return std::tuple(engine::Name(line.opened.subject.identity.engine), line.opened.name);
  });
  return lines;
}

Document AsJson(const std::vector<Line>& lines, const Counts& counts) {
  Document containers = Document::array();
  for (const auto& [opened, judgement] : lines) {
    Document entry = ToDocument(opened);
    if (judgement) {
      entry.update(ToDocument(*judgement));
    } else {
      entry["error"] = judgement.error().message;
    }
    containers.push_back(std::move(entry));
  }
  return {{"containers", std::move(containers)},
          {"refused", counts.of(enforce::Outcome::kRefused)},
          {"rewritten", counts.of(enforce::Outcome::kRewritten)},
          {"unchanged", counts.of(enforce::Outcome::kUnchanged)},
          {"failed", counts.failed}};
}

}  // namespace

Result<Output> CheckAll(const CheckRequest& request, const Style& style) {
  if (::geteuid() != 0) return Error{"only root can look for the running containers"};
  // A policy that cannot be read is one fault, not one of each container.
  if (auto policy = enforce::LoadPolicy(request.config_directory, {}, false, request.profile);
      !policy) {
    return policy.error();
  }
  const std::vector<Line> lines = JudgeAll(request);
  Counts counts;
  Output output;
  for (const auto& [opened, judgement] : lines) {
    if (judgement) {
      const enforce::Outcome outcome = judgement->decision.outcome;
      ++counts.by_outcome.at(static_cast<std::size_t>(outcome));
      output.status = std::max(output.status, StatusOf(outcome));
      output.text += Printable(Heading(opened)) + ": " + AsText(*judgement, style);
    } else {
      ++counts.failed;
      output.status = kError;
      output.text += Printable(Heading(opened)) + ": " + style.Red("could not be checked") + "\n" +
                     Wrapped(Printable(judgement.error().message), 4);
    }
  }
  output.text +=
      lines.empty() ? "no running containers were found\n" : Summary(counts, lines.size());
  if (request.json) output.text = Dump(AsJson(lines, counts));
  if (request.sarif) {
    std::vector<JudgedDocument> documents;
    for (const auto& [opened, judgement] : lines) {
      documents.push_back({opened.path, Heading(opened), judgement});
    }
    output.text = AsSarif(documents);
  }
  return output;
}

}  // namespace runclad::ctl
