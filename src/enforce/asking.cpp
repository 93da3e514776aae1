#include "asking.hpp"

#include <ctime>

namespace runclad::enforce {

rules::QuestionSet QuestionsOf(const policy::Effective& policy, rules::Scope scope) {
  rules::QuestionSet questions = 0;
  for (const rules::Rule* rule : rules::Catalog()) {
    if (scope == rules::Scope::kProcess && rule->scope != scope) continue;
    const bool is_on = policy.rule(rule->id()).action != policy::Action::kOff;
    if (is_on || rule->judges_image_volumes) {
      questions |= rule->check.questions | rule->for_exec.questions;
    }
  }
  return questions;
}

Status GatherByRule(const policy::Effective& policy, rules::Scope scope, host::Container& container,
                    rules::Facts& facts) {
  for (const rules::Rule* rule : rules::Catalog()) {
    if (rule->check.gather == nullptr) continue;
    if (scope == rules::Scope::kProcess && rule->scope != scope) continue;
    const policy::RuleSetting& setting = policy.rule(rule->id());
    if (setting.action == policy::Action::kOff) continue;
    const rules::Asked asked{container, setting.action, setting.parameters, policy.cuts,
                             std::time(nullptr)};
    if (auto gathered = rule->check.gather(asked, facts); !gathered) return gathered;
  }
  return {};
}

}  // namespace runclad::enforce
