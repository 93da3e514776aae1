// Leftovers in runclad's own directories: each create removes a few.
#pragma once

#include <ctime>
#include <functional>

namespace runclad::store {

// The sweep delays a create, so it is limited; the next create continues it.
inline constexpr int kMaxSweptAtOnce = 64;
// Younger entries may still be in use.
inline constexpr std::time_t kSweepSeconds = 600;

// Whether the entry `name` is no longer needed. `age` in seconds, negative where the file is dated
// in the future. Must not allocate for each entry: there may be any number of them.
using IsLeftover = std::function<bool(const char* name, std::time_t age)>;

// Removes the leftovers in `directory` that are older than ten minutes, until `left_to_change` is
// used up. One that is dated in the future is ten minutes old in ten minutes: it is dated now,
// which counts as a change. Returns whether everything was examined.
bool RemoveLeftovers(int directory, const IsLeftover& is_leftover, int& left_to_change);

// Calls `sweep` unless it said within the last ten minutes, by the file "swept" in `directory`,
// that it was through.
void SweepWhenDue(int directory, const std::function<bool()>& sweep);

}  // namespace runclad::store
