// Whether a task's filters let a system call through with some of the arguments that a shield
// denies.
#pragma once

#include <string>
#include <string_view>

#include "runclad/privilege/denied_call.hpp"

#include "task_state.hpp"

namespace runclad::look {

// By every ABI. Yes: with the arguments in `because`, and the way, if it is not the machine's own
// ABI.
Answer AskDeniedCall(const TaskState& task, const privilege::DeniedCall& call);

// The same, with the way apart: "through SCMP_ARCH_X86"; empty: the machine's own ABI.
Answer AskDeniedCall(const TaskState& task, const privilege::DeniedCall& call, std::string& way);

// By one ABI, under which the call has this number.
Answer AskDeniedCall(const TaskState& task, const privilege::DeniedCall& call,
                     std::string_view architecture, std::uint32_t number);

}  // namespace runclad::look
