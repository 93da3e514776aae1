// How 32-bit programs (i386, arm) make a call that 64-bit programs make under another name or with
// other arguments. A filter has numbers: what denies "setuid" alone leaves "setuid32" open.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace runclad::privilege {

// The other names by which 32-bit programs make the call: setuid32 for setuid, futex_time64 for
// futex. Calls behind socketcall and ipc are not among them.
std::vector<std::string_view> CompatNamesOf(std::string_view syscall);

// Whether an entry for `syscall` speaks of `name`, too.
bool IsSameCall(std::string_view syscall, std::string_view name);

// The first argument that is another one for 32-bit programs: after a number of 64 bits, which
// takes two places there; in memory; or of 16 bits, whose upper half the kernel ignores. None: a
// comparison means the same for all programs.
std::optional<std::uint32_t> FirstMovedArgument(std::string_view syscall);

// The argument of which the kernel takes 16 bits, whoever calls: the mode of a file.
std::optional<std::uint32_t> ModeArgument(std::string_view syscall);

}  // namespace runclad::privilege
