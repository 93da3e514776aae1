// What /root/path is on this host: rules::RootFacts.
#pragma once

#include <string>

#include "runclad/engine/layout.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/facts.hpp"

namespace runclad::enforce {

// `setting` is rootfs-path's own; a relative path starts at `bundle`; `own_layer` is where the
// engine's record has the container's layer, empty where it has none. A document that is no living
// container's (layout.id is empty) is held against this host as far as its directory is here.
rules::RootFacts DescribeRoot(const oci::Spec& spec, const policy::RuleSetting& setting,
                              const std::string& bundle, const engine::Layout& layout,
                              const std::string& own_layer);

}  // namespace runclad::enforce
