#include "runclad/enforce/host_policy.hpp"

#include <array>
#include <ctime>

#include "runclad/base/time.hpp"
#include "runclad/rules/catalog.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::enforce {

std::int64_t Today() { return std::time(nullptr) / kSecondsPerDay; }

Result<policy::Effective> LoadPolicy(const std::optional<std::string>& directory,
                                     const engine::Identity& identity, bool origins,
                                     std::string_view profile) {
  return policy::Load(directory.value_or(std::string(policy::kDefaultConfigDirectory)),
                      rules::Schemas(),
                      {.identity = &identity,
                       .today = Today(),
                       .directory_must_exist = directory.has_value(),
                       .origins = origins,
                       .extends = profile});
}

Result<policy::Effective> LoadLoosestPolicy(const std::optional<std::string>& directory,
                                            bool ignores_applied) {
  const std::array rules = {rules::kHostMounts.schema.id, rules::kRootfsPath.schema.id};
  return policy::LoadLoosest(directory.value_or(std::string(policy::kDefaultConfigDirectory)),
                             rules::Schemas(), rules,
                             {.today = Today(),
                              .directory_must_exist = directory.has_value(),
                              .ignores_applied = ignores_applied});
}

std::optional<host::PathLists> WritableLists(const policy::Effective& policy) {
  const policy::RuleSetting& setting = policy.rule(rules::kHostMounts.schema);
  if (setting.action == policy::Action::kOff || setting.action == policy::Action::kWarn) {
    return std::nullopt;
  }
  host::PathLists lists = rules::PathListsOf(setting);
  lists.roots = rules::AllowedRoots(policy.rule(rules::kRootfsPath.schema));
  return lists;
}

}  // namespace runclad::enforce
