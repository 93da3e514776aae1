#include "host_policy.hpp"

#include "runclad/enforce/host_policy.hpp"
#include "runclad/rules/rule.hpp"
#include "runclad/store/break_glass.hpp"

namespace runclad::runtime {

std::string BreakGlassReason() {
  // A switch that cannot be trusted is off; runcladctl says so.
  const auto found = store::FindBreakGlass();
  return found && *found ? (*found)->reason : std::string();
}

namespace {

Result<policy::Effective> Suspended(Result<policy::Effective> policy) {
  std::string break_glass = BreakGlassReason();
  if (break_glass.empty()) return policy;
  if (!policy) {
    auto profile = policy::Parse("{}", "compiled in", rules::Schemas());
    if (!profile) return profile;
    profile->fell_back_because = policy.error().message;
    policy = *std::move(profile);
  }
  policy->break_glass = std::move(break_glass);
  return policy;
}

}  // namespace

Result<policy::Effective> LoadPolicy(const std::optional<std::string>& directory,
                                     const engine::Identity& identity) {
  return Suspended(enforce::LoadPolicy(directory, identity));
}

Result<policy::Effective> LoadLoosestPolicy(const std::optional<std::string>& directory) {
  return Suspended(enforce::LoadLoosestPolicy(directory));
}

}  // namespace runclad::runtime
