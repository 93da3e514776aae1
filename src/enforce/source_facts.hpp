// What each mount's source is on this host: rules::SourceFacts.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runclad/engine/identity.hpp"
#include "runclad/engine/own_files.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/facts.hpp"

namespace runclad::enforce {

// The images that are mounted as volumes, by a mount's source or a layer as written.
using ImagesBySource = std::map<std::string, std::vector<engine::Identity>>;

// `host_mounts` and `read_only_mounts` are those rules' own settings; relative sources start at
// `bundle`. The host's mounts and the policy's lists are looked at only when some source is not the
// engine's own.
ImagesBySource GatherSources(const oci::Spec& spec, const policy::RuleSetting& host_mounts,
                             const policy::RuleSetting& read_only_mounts, const std::string& bundle,
                             engine::OwnFiles& own_files,
                             std::map<std::string, rules::SourceFacts>& sources);

// A predicate: who else than root could put something else at `path`, absolute and on this host;
// empty: nobody could.
std::string ReplaceableBecause(const policy::RuleSetting& host_mounts, const engine::Layout& layout,
                               const std::string& path);

}  // namespace runclad::enforce
