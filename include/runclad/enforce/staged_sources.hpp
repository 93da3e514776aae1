// Sources that users other than root could replace and that are not compared with what was checked.
#pragma once

#include <optional>

#include "runclad/base/result.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/rules/facts.hpp"
#include "runclad/sys/staging.hpp"

namespace runclad::enforce {

struct Staged {
  sys::Staging staging;
  oci::Spec spec;  // names the places there
};

// Binds the replaceable sources of `spec` at places of our own (sys::Staging), which moves this
// process to another mount namespace: the lower layers of overlays, of which the kernel's mount
// table has only names, and, where `starts_at_once` (run), every bind and the root filesystem.
// `facts` then includes the sources' new names. No value if there is no such source.
Result<std::optional<Staged>> StageSources(const oci::Spec& spec, bool starts_at_once,
                                           rules::Facts& facts);

}  // namespace runclad::enforce
