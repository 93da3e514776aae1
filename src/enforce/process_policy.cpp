#include "runclad/enforce/process_policy.hpp"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "runclad/oci/user_namespace.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::enforce {

policy::Effective ProcessPolicy(const policy::Effective& policy, const oci::Spec& spec,
                                const rules::Facts& facts) {
  policy::Effective process = policy;
  std::erase_if(process.rules, [](const auto& entry) {
    const rules::Rule* rule = rules::FindRule(entry.first);
    return rule == nullptr || (rule->scope != rules::Scope::kProcess && !rule->judges_updates);
  });
  for (oci::CapabilitySet& set : spec.capabilities()) {
    if (set.name != "bounding") continue;
    auto& setting = process.rules["capabilities"];
    setting.parameters.Set("allow", std::move(set.capabilities));
    // The container's own request is already decided; that of an exec is only reduced.
    setting.parameters.Set("unlisted", std::string("fix"));
  }
  // An exec's document does not tell of the container's user namespace.
  const auto user = process.rules.find("user");
  if (user != process.rules.end() && (oci::RootIsMapped(spec) || facts.user_namespace)) {
    user->second.parameters.Set("root", std::string("allow"));
  }
  const auto label = process.rules.find("lsm-label");
  if (label != process.rules.end()) {
    label->second.parameters.Set(
        "own-labels", std::vector<std::string>{spec.apparmor_profile(), spec.selinux_label()});
    label->second.parameters.Set("unconfined", std::string("fix"));
  }
  return process;
}

}  // namespace runclad::enforce
