// The files of the cgroups that a process is in, in either layout.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/sys/mounts.hpp"

namespace runclad::sys {

inline constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

// Directories of a process's cgroups. `text` (/proc/PID/cgroup) and `host` must live as long.
class Cgroups {
 public:
  Cgroups(std::string_view text, const MountTable& host);

  // The words of a file of the controller: `v1` where it is in a hierarchy of its own, else `v2`.
  [[nodiscard]] std::optional<std::string> Read(std::string_view controller, const char* v1,
                                                const char* v2) const;

 private:
  [[nodiscard]] std::optional<std::string> ReadIn(std::string_view type,
                                                  std::string_view controller,
                                                  std::string_view path, const char* name) const;

  const MountTable& host_;
  std::vector<std::pair<std::string_view, std::string_view>> lines_;  // controllers, path
};

// The paths in such a text ("4:memory:/docker/ID"), each once. "/" is left out: a hierarchy in
// which the container has no cgroup of its own says nothing.
std::vector<std::string> CgroupPaths(std::string_view text);

// The path of a controller of version 1 in such a text; empty: it is not there.
std::string_view CgroupPathOf(std::string_view text, std::string_view controller);

// The first word of such a file: a number, or kNoLimit for "max", -1 and what is none.
std::int64_t LimitIn(std::string_view text);

}  // namespace runclad::sys
