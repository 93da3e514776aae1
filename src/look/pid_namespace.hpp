// Which processes are in a container's PID namespace: none of them can leave it, whatever cgroup it
// moves to and whatever mounts it makes for itself.
#pragma once

#include <sys/types.h>

#include <map>
#include <vector>

#include "runclad/base/unique_fd.hpp"
#include "runclad/look/container.hpp"

namespace runclad::look {

struct NamespaceMembers {
  std::vector<pid_t> found;
  bool has_missed = false;  // one ended before it was known where it was
};

class PidNamespace {
 public:
  // Not known where the container has none of its own.
  explicit PidNamespace(const Container& container);

  [[nodiscard]] bool is_known() const { return static_cast<bool>(own_); }
  // In it and in those below; without those of other containers that share it.
  [[nodiscard]] NamespaceMembers Members() const;

 private:
  const Container& container_;
  UniqueFd own_;  // held, so that no other one gets its number
  ino_t inode_ = 0;
};

// Which containers share one, those that are not asked for as well.
class PidSharers {
 public:
  void Add(pid_t first_process);
  void Fill(Container& container) const;

 private:
  std::multimap<ino_t, ino_t> known_;  // PID namespaces with mount namespaces
};

}  // namespace runclad::look
