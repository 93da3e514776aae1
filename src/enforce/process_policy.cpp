#include "runclad/enforce/process_policy.hpp"

#include <string>

#include "runclad/rules/rule.hpp"

namespace runclad::enforce {

policy::Effective ProcessPolicy(const policy::Effective& policy, const oci::Spec& spec,
                                const rules::Facts& facts) {
  policy::Effective process;
  process.profile = policy.profile;
  process.mode = policy.mode;
  process.log = policy.log;
  process.image = policy.image;
  process.cuts = policy.cuts;
  process.waivers = policy.waivers;
  process.digest = policy.digest;
  process.break_glass = policy.break_glass;
  for (const rules::Rule* rule : rules::Catalog()) {
    if (rule->scope != rules::Scope::kProcess && !rule->judges_updates) continue;
    const auto known = policy.rules.find(rule->id());
    if (known == policy.rules.end()) continue;
    policy::RuleSetting& setting = process.rules.emplace(*known).first->second;
    if (rule->for_exec.run != nullptr) rule->for_exec.run(spec, setting.parameters, facts);
  }
  return process;
}

}  // namespace runclad::enforce
