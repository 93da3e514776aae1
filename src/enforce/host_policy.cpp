#include "runclad/enforce/host_policy.hpp"

#include <array>
#include <ctime>

#include "runclad/rules/catalog.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::enforce {

std::int64_t Today() {
  constexpr std::int64_t kSecondsPerDay = 24L * 3600;
  return std::time(nullptr) / kSecondsPerDay;
}

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

Result<policy::Effective> LoadLoosestPolicy(const std::optional<std::string>& directory) {
  const std::array rules = {rules::kHostMounts.schema.id, rules::kRootfsPath.schema.id};
  return policy::LoadLoosest(directory.value_or(std::string(policy::kDefaultConfigDirectory)),
                             rules::Schemas(), rules,
                             {.today = Today(), .directory_must_exist = directory.has_value()});
}

}  // namespace runclad::enforce
