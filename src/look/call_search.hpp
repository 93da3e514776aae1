// Whether a task's filters let a system call through with some of the arguments that a shield
// denies.
#pragma once

#include "runclad/privilege/denied_call.hpp"

#include "task_state.hpp"

namespace runclad::look {

// By every ABI. Yes: with the arguments in `because`.
Answer AskDeniedCall(const TaskState& task, const privilege::DeniedCall& call);

// By one ABI, under which the call has this number.
Answer AskDeniedCall(const TaskState& task, const privilege::DeniedCall& call,
                     std::string_view architecture, std::uint32_t number);

}  // namespace runclad::look
