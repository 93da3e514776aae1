// Runs the programs of seccomp filters on paper, as the kernel would (seccomp(2), classic BPF).
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <cstdint>
#include <span>
#include <vector>

namespace runclad::privilege {

using FilterProgram = std::vector<sock_filter>;

// The program's answer to a call: a SECCOMP_RET_* value. SECCOMP_RET_KILL_PROCESS, too, for a
// program that the kernel would not load: unknown instructions, jumps and loads out of bounds, no
// return. Jumps only lead forward, so that it always ends.
std::uint32_t RunFilter(std::span<const sock_filter> program, const seccomp_data& call);

// The answer of all filters of a task: every one of them is asked, and the strictest action counts.
// `programs` in the kernel's order, the newest first; of equal actions the newest one's data count.
// No filter allows everything.
std::uint32_t RunFilters(std::span<const FilterProgram> programs, const seccomp_data& call);

}  // namespace runclad::privilege
