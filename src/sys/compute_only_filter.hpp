#pragma once

namespace runclad::sys {

// From here on the calling process can compute, take memory that is not executable, write to the
// file descriptor `output` and end; any other system call kills it. False where the kernel does
// not take the filter. Needs no_new_privs.
bool AllowOnlyComputing(int output);

}  // namespace runclad::sys
