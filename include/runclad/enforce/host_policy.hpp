// The host's policy as it is today.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/host/path_lists.hpp"
#include "runclad/policy/effective.hpp"

namespace runclad::enforce {

// Days since 1970-01-01 UTC: waivers end by them.
std::int64_t Today();

// The policy in `directory`, which has to be there, or in /etc/runclad, for containers of this
// image; over `profile` if it is not empty, in place of the profile that the policy extends.
Result<policy::Effective> LoadPolicy(const std::optional<std::string>& directory,
                                     const engine::Identity& identity = {}, bool origins = false,
                                     std::string_view profile = {});

// The same for the rules that say what containers may write on the host, as loose as some container
// gets them (policy::LoadLoosest).
// `ignores_applied`: of the directory's own files, whatever is in force.
Result<policy::Effective> LoadLoosestPolicy(const std::optional<std::string>& directory,
                                            bool ignores_applied = false);

// What containers may write on the host; none: anything, so that no directory could be kept from
// them. `policy` must outlive it.
std::optional<host::PathLists> WritableLists(const policy::Effective& policy);

}  // namespace runclad::enforce
