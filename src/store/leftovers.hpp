// What was left behind in directories of runclad's own: removed a little at a time, by creates that
// come by.
#pragma once

#include <ctime>
#include <functional>

namespace runclad::store {

// A create waits for the sweep: it is cut short here, and the next create goes on.
inline constexpr int kMaxSweptAtOnce = 64;
// What is younger may belong to somebody who is about to use it.
inline constexpr std::time_t kSweepSeconds = 600;

// Whether nobody needs the entry `name` any more. `age` in seconds, negative where the file is
// dated in the future. Must not allocate for each entry: there may be any number of them.
using IsLeftover = std::function<bool(const char* name, std::time_t age)>;

// Removes the leftovers in `directory` that are older than ten minutes, until `left_to_change` is
// used up. One that is dated in the future is ten minutes old in ten minutes: it is dated now,
// which counts as a change. Whether everything was looked at.
bool RemoveLeftovers(int directory, const IsLeftover& is_leftover, int& left_to_change);

// Calls `sweep` unless it said within the last ten minutes, by the file "swept" in `directory`,
// that it was through.
void SweepWhenDue(int directory, const std::function<bool()>& sweep);

}  // namespace runclad::store
