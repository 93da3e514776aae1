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

// What a program asked of a word of the call on its way to the answer: whether the bits of `mask`
// in it are those of `value`, or which of the two is greater.
struct Comparison {
  std::uint32_t word = 0;  // of seccomp_data, from 0
  std::uint32_t mask = 0;
  std::uint32_t value = 0;
};
struct Comparisons {
  std::vector<Comparison> all;
  // False: it also compared, or returned, what it had calculated, or the place that the call was
  // made from.
  bool are_complete = true;
};
// Adds to `asked`, too.
std::uint32_t RunFilter(std::span<const sock_filter> program, const seccomp_data& call,
                        Comparisons& asked);

// The answer of all filters of a task: every one of them is asked, and the strictest action counts.
// `programs` in the kernel's order, the newest first; of equal actions the newest one's data count.
// No filter allows everything.
std::uint32_t RunFilters(std::span<const FilterProgram> programs, const seccomp_data& call);

}  // namespace runclad::privilege
