// The memory of the runtime: operator new and delete of this program (arena.cpp).
#pragma once

#include <cstddef>

namespace runclad::runtime {

// What one call may take in all. The largest document that is read (8 MiB) takes a part of it.
inline constexpr std::size_t kMaxArenaBytes = std::size_t{256} << 20;

// Whether the last allocation that failed would have gone beyond kMaxArenaBytes; otherwise the
// kernel gave nothing.
bool ArenaIsFull();

}  // namespace runclad::runtime
