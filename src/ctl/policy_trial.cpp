#include "policy_trial.hpp"

#include <unistd.h>

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "runclad/enforce/host_policy.hpp"
#include "runclad/enforce/running.hpp"

#include "bundles.hpp"
#include "findings.hpp"
#include "judgement.hpp"

namespace runclad::ctl {
namespace {

// What would happen to a container: its findings as far as they are acted on.
struct Fate {
  bool is_refused = false;
  std::string error;                // why it could not be judged; empty: it was
  std::set<std::string> sentences;  // of what is changed, refused and warned of
};

Fate FateOf(const Result<Judgement>& judgement) {
  Fate fate;
  if (!judgement) {
    fate.error = judgement.error().message;
    return fate;
  }
  const bool is_audit = judgement->policy.mode == policy::Mode::kAudit;
  fate.is_refused = !is_audit && judgement->decision.outcome == enforce::Outcome::kRefused;
  for (const Finding& finding : FindingsFrom(judgement->decision.findings)) {
    std::string sentence = Sentence(finding);
    if (finding.action == "fixed" && !finding.after.is_null()) {
      sentence += ": becomes " + finding.after.Dump();
    }
    fate.sentences.insert((is_audit ? "recorded only: " : "") + std::move(sentence));
  }
  return fate;
}

std::string LinesOf(const std::set<std::string>& sentences, const std::set<std::string>& others,
                    std::string_view sign) {
  std::string text;
  std::vector<std::string> only;
  std::ranges::set_difference(sentences, others, std::back_inserter(only));
  for (const std::string& sentence : only) {
    constexpr std::size_t kMaxBytes = 300;
    std::string shown = Printable(sentence);
    if (shown.size() > kMaxBytes) shown = Printable(sentence.substr(0, kMaxBytes)) + "…";
    text += Wrapped(shown, 6, std::string(sign) + " ");
  }
  return text;
}

std::string Verdict(const Fate& was, const Fate& is, const Style& style) {
  if (!is.error.empty()) return style.Red("cannot be judged by it: ") + Printable(is.error);
  if (is.is_refused && !was.is_refused) return style.Red("would newly be refused");
  if (was.is_refused && !is.is_refused) return style.Green("would no longer be refused");
  return style.Yellow(is.is_refused ? "would be refused for other reasons"
                                    : "would be treated differently");
}

}  // namespace

PolicyTrial TryPolicy(const std::optional<std::string>& directory, const std::string& candidate,
                      const Style& style) {
  PolicyTrial trial;
  std::size_t tried = 0;
  std::size_t different = 0;
  CheckRequest in_force;
  in_force.config_directory = directory;
  CheckRequest other;
  other.config_directory = candidate;
  for (const host::RunningContainer& container : enforce::FindEveryRunning()) {
    const std::string path = container.bundle + "/config.json";
    const auto opened = OpenContainer(container, path);
    if (!opened) {
      // One that has ended in the meantime has no bundle any more.
      if (::access(path.c_str(), F_OK) != 0) continue;
      trial.text += "  " + Printable(container.id) + ": " + style.Red("cannot be read: ") +
                    Printable(opened.error().message) + "\n";
      continue;
    }
    ++tried;
    const Fate was = FateOf(Judge(*opened, in_force));
    const Fate is = FateOf(Judge(*opened, other));
    const bool is_worse =
        (is.is_refused || !is.error.empty()) && !was.is_refused && was.error.empty();
    // A policy in force that cannot be used refuses everything, and excuses nothing.
    const bool is_refused_anyway = is.is_refused && !was.error.empty();
    if (is_worse || is_refused_anyway) ++trial.newly_refused;
    if (was.error == is.error && was.is_refused == is.is_refused && was.sentences == is.sentences) {
      continue;
    }
    ++different;
    trial.text += "  " + Printable(Heading(*opened)) + ": " + Verdict(was, is, style) + "\n" +
                  LinesOf(was.sentences, is.sentences, "-") +
                  LinesOf(is.sentences, was.sentences, "+");
  }
  trial.text += "tried with " + std::to_string(tried) +
                (tried == 1 ? " running container: " : " running containers: ") +
                (different == 0 ? "no difference" : std::to_string(different) + " differ") +
                (trial.newly_refused == 0
                     ? ""
                     : ", " + std::to_string(trial.newly_refused) + " would newly be refused") +
                "\n";
  return trial;
}

}  // namespace runclad::ctl
