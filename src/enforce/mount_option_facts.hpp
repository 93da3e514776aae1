// What mount-options asks of the image.
#pragma once

#include "runclad/base/result.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/facts.hpp"
#include "runclad/sys/rootfs.hpp"

namespace runclad::enforce {

// Fills exec_paths and has_s6_overlay; `setting` is mount-options' own.
Status GatherMountOptions(const oci::Spec& spec, const policy::RuleSetting& setting,
                          const sys::Rootfs& rootfs, rules::Facts& facts);

}  // namespace runclad::enforce
