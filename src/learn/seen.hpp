// What the host can see of a running container.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/look/container.hpp"

namespace runclad::learn {

// How a container serves; later lives must match it.
struct Serving {
  std::set<std::string> users;      // of its processes: "999:999"
  std::set<std::string> listeners;  // "tcp 80"

  // What this has and `other` lacks, as the end of a sentence; empty: nothing.
  [[nodiscard]] std::string MissingIn(const Serving& other) const;
};

struct Seen {
  look::Container container;
  Serving serving;
  std::uint64_t bounding = 0;     // capabilities that it was created with; a program may drop some
  std::uint64_t peak_memory = 0;  // bytes; 0: not known
  std::uint64_t peak_processes = 0;  // 0: not known
};

Result<Seen> SeenOf(const std::string& id);

// "999:999" of a /proc/PID/status: the effective ids; empty: it has no such lines.
std::string UserIn(std::string_view status);

}  // namespace runclad::learn
