// What the host mounts below the source of a recursive bind: judged at start by the rule that
// judged the source, so that an automount since then does not cause a refusal.
#pragma once

#include <functional>
#include <string>

#include "runclad/engine/layout.hpp"
#include "runclad/host/path_lists.hpp"
#include "runclad/sys/mounts.hpp"

namespace runclad::host {

// How what comes along with a bind is judged.
struct SubmountRule {
  PathLists lists;
  bool allows_all = false;    // whatever the host has mounted there
  bool expects_none = false;  // there was nothing that could come along
};

// Answers for MountEvidence::submount_fault. `host` has to outlive the answer; `layout` is asked
// for once, when there is something to judge.
std::function<std::string(const sys::Mount&, const std::string&)> JudgeSubmounts(
    SubmountRule rule, const sys::MountTable& host, std::function<engine::Layout()> layout);

}  // namespace runclad::host
