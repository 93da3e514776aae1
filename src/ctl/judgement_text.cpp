#include "judgement_text.hpp"

#include "findings.hpp"

namespace runclad::ctl {

std::string AsText(const Judgement& judgement, const std::string& what, const Style& style) {
  const auto& [policy, decision] = judgement;
  std::string outcome = "would not be changed";
  if (decision.outcome == enforce::Outcome::kRewritten)
    outcome = style.Yellow("would be rewritten");
  if (decision.outcome == enforce::Outcome::kRefused) outcome = style.Red("would be refused");
  std::string text = Printable(what) + " " + outcome + " (profile " + policy.profile + ")\n";
  if (policy.mode == policy::Mode::kAudit) {
    text += "The policy's mode is audit: this is only logged, and nothing is changed.\n";
  }
  const auto findings = FindingsFrom(decision.findings);
  return text + Render(findings, style) + '\n' + Summary(findings) +
         (findings.empty() ? "" : "; see runcladctl explain RULE") + '\n';
}

}  // namespace runclad::ctl
