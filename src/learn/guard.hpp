// Cleans up after a learner that is killed.
#pragma once

#include <sys/types.h>

#include <functional>

namespace runclad::learn {

// A process that calls `clean_up` once the process that made it has ended without destroying the
// object, however it ended. It must be made before there are threads. Signals to the process group
// do not reach it. If it cannot be made, or is killed, nobody calls `clean_up`.
class Guard {
 public:
  explicit Guard(const std::function<void()>& clean_up);
  ~Guard();
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;
  Guard(Guard&&) = delete;
  Guard& operator=(Guard&&) = delete;

 private:
  pid_t process_ = -1;
};

}  // namespace runclad::learn
