// What a policy adds to and takes from our side of an intersection.
#pragma once

#include "runclad/privilege/seccomp.hpp"

#include "seccomp_side.hpp"

namespace runclad::privilege {

inline constexpr std::uint32_t kPermissionError = 1;  // EPERM
inline constexpr std::uint32_t kNotImplemented = 38;  // ENOSYS

// `tuning` must outlive the side, which views its names. SortMentions comes after it.
void Tune(const SeccompTuning& tuning, Side& ours);

}  // namespace runclad::privilege
