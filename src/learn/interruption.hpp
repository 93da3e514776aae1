// SIGINT, SIGTERM and SIGHUP while containers run: everything is removed before the program ends.
#pragma once

#include <signal.h>

namespace runclad::learn {

// Catches them for its lifetime, of which there is one at a time.
class Interruption {
 public:
  Interruption();
  ~Interruption();
  Interruption(const Interruption&) = delete;
  Interruption& operator=(const Interruption&) = delete;

  [[nodiscard]] static bool HasCome();

 private:
  struct sigaction interrupt_ {};
  struct sigaction terminate_ {};
  struct sigaction hang_up_ {};
};

}  // namespace runclad::learn
