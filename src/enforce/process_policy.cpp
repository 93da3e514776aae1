#include "runclad/enforce/process_policy.hpp"

#include <map>

#include "runclad/rules/rule.hpp"

namespace runclad::enforce {

policy::Effective ProcessPolicy(const policy::Effective& policy, const oci::Spec& spec,
                                const rules::Facts& facts) {
  policy::Effective process = policy;
  std::erase_if(process.rules, [](const auto& entry) {
    const rules::Rule* rule = rules::FindRule(entry.first);
    return rule == nullptr || (rule->scope != rules::Scope::kProcess && !rule->judges_updates);
  });
  for (auto& [id, setting] : process.rules) {
    const rules::Rule& rule = *rules::FindRule(id);
    if (rule.for_exec != nullptr) rule.for_exec(spec, facts, setting.parameters);
  }
  return process;
}

}  // namespace runclad::enforce
