// A user namespace's ids as the kernel has them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::sys {

// A line of /proc/PID/uid_map or gid_map (user_namespaces(7)).
struct IdRange {
  std::uint32_t inside = 0;   // the first id in the namespace
  std::uint32_t outside = 0;  // the same in the reader's
  std::uint32_t size = 0;
};

// What is no such line is passed over.
std::vector<IdRange> ParseIdMap(std::string_view text);

struct UserNamespace {
  ino_t inode = 0;
  uid_t root = 0;             // the user on the host who is its root
  bool has_host_ids = false;  // somebody in it is the host's root, or in the host's group root
};

// The user namespace at "/proc/PID/ns/user", by the maps of that process, or at a file that it is
// bound to (engines pin namespaces before any process is in them), by the maps of a child that
// enters it: the caller has one thread. An error for other spellings of a path in /proc, where the
// process went while it was looked at, and where the id 0 is not mapped.
Result<UserNamespace> ReadUserNamespace(const std::string& path);

// Its root, where that is not the host's; no value where it could not be read.
std::optional<uid_t> RootOfUserNamespace(const std::string& path);

}  // namespace runclad::sys
