// What hidden-paths would hide in an image, and what it must leave.
#pragma once

#include "runclad/policy/effective.hpp"
#include "runclad/rules/facts.hpp"
#include "runclad/sys/rootfs.hpp"

namespace runclad::enforce {

// `setting` is hidden-paths' own; nothing is looked at while its lists are empty.
rules::HiddenFacts GatherHidden(const policy::RuleSetting& setting, const sys::Rootfs& rootfs);

}  // namespace runclad::enforce
