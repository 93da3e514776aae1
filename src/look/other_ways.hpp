// Calls that do the same as others, so that a filter which denies one of them alone denies nothing.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/privilege/seccomp.hpp"

#include "task_state.hpp"

namespace runclad::look {

// Sets `may_have_ring` of every task.
void FindOlderRings(const Container& container, TaskStates& states);

// Whether the task can have a ring (io_uring) make calls for it, which no filter sees.
Answer AskRings(const TaskState& task);

// Whether a ring of this kernel can do what the call does.
bool HasRingOperation(std::string_view call);

// All calls that do the same as this one, itself first.
std::vector<std::string_view> CallsLike(std::string_view call);

// The arguments of one of them that matter to the question; no value: it does not do it.
using ArgumentsOf =
    std::optional<std::vector<privilege::SeccompArgument>> (*)(std::string_view call);

// Whether the filters let the call through, or another one that does the same, or a ring.
Answer AskEveryWay(const TaskState& task, std::string_view call, ArgumentsOf arguments_of);
Answer AskEveryWay(const TaskState& task, std::string_view call);

// As AskEveryWay for calls other than `call` alone: what to add to its no; empty: nothing.
std::string OtherWay(const TaskState& task, std::string_view call);

}  // namespace runclad::look
