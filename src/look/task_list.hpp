// Every task of a container, in lists that say when they may have missed one.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "runclad/look/container.hpp"

#include "pid_namespace.hpp"

namespace runclad::look {

struct TaskListing {
  std::vector<Task> tasks;
  // Why a task may be missing: one that ended while it was looked at may have left children, which
  // came too late for the list, or one could have moved where nobody looks. Empty: they are all
  // here.
  std::string incomplete_because;
  bool has_rings = false;  // with threads of the kernel's that make their calls
};

class TaskLister {
 public:
  // `container` must outlive it.
  explicit TaskLister(const Container& container);

  [[nodiscard]] TaskListing List() const;

 private:
  const Container& container_;
  PidNamespace pids_;
  std::string cgroup_;  // a directory of the container's own; empty: there is none, or it is hidden
};

}  // namespace runclad::look
