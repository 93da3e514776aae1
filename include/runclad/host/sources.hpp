// What each mount's source is on this host: SourceFacts.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "runclad/engine/identity.hpp"
#include "runclad/engine/own_files.hpp"
#include "runclad/host/facts.hpp"
#include "runclad/host/path_lists.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::host {

// The images that are mounted as volumes, by a mount's source or a layer as written.
using ImagesBySource = std::map<std::string, std::vector<engine::Identity>>;

// What may be mounted is said by `lists`, what may only be read by `read_only`; relative sources
// start at `bundle`. The host's mounts and the policy's lists are read only if some source is not
// the engine's own.
ImagesBySource GatherSources(const oci::Spec& spec, const PathLists& lists,
                             PathLists::List read_only, const std::string& bundle,
                             engine::OwnFiles& own_files,
                             std::map<std::string, SourceFacts>& sources);

// The same of a host on which every absolute source is what its name says: an empty directory that
// only root can replace. Nothing is looked up.
void DescribeNamedSources(const oci::Spec& spec, const PathLists& lists, PathLists::List read_only,
                          std::map<std::string, SourceFacts>& sources);

// A predicate: which user other than root could replace what is at `path`, which is absolute and on
// this host; empty: none.
std::string ReplaceableBecause(const PathLists& lists, const engine::Layout& layout,
                               const std::string& path);

}  // namespace runclad::host
