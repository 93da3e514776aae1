#include "interruption.hpp"

namespace runclad::learn {
namespace {

volatile sig_atomic_t has_come = 0;

void Note(int /*signal*/) { has_come = 1; }

}  // namespace

Interruption::Interruption() {
  has_come = 0;
  struct sigaction action {};
  action.sa_handler = Note;  // without SA_RESTART: what waits ends
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, &interrupt_);
  ::sigaction(SIGTERM, &action, &terminate_);
  ::sigaction(SIGHUP, &action, &hang_up_);
}

Interruption::~Interruption() {
  ::sigaction(SIGINT, &interrupt_, nullptr);
  ::sigaction(SIGTERM, &terminate_, nullptr);
  ::sigaction(SIGHUP, &hang_up_, nullptr);
}

bool Interruption::HasCome() { return has_come != 0; }

}  // namespace runclad::learn
