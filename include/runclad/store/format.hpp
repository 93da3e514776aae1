// The version of the format of each file that outlives a process. A file without one was written
// before there were any, and is read as the first.
#pragma once

#include <cstdint>

namespace runclad::store {

// A file of a later version is not understood: it may have members that restrict what others say.
inline constexpr std::uint64_t kFormatVersion = 1;
inline constexpr const char* kFormatMember = "version";

}  // namespace runclad::store
