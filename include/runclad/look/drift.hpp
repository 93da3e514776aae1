// What a running container has changed of its image: by the upper directory of its overlay root.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/look/container.hpp"

namespace runclad::look {

enum class ChangeKind {
  kAdded,
  kContent,   // of a file that the image has
  kMode,      // mode, owner or attributes alone: the content is the image's
  kRemoved,   // by a whiteout
  kReplaced,  // a directory whose content of the image is hidden, or another type of file
};

struct Change {
  std::string path;  // as the container sees it
  ChangeKind kind = ChangeKind::kAdded;
  std::uint32_t mode = 0;   // type and permissions now; 0: removed
  std::uint32_t uid = 0;    // on the host
  std::uint64_t size = 0;   // bytes
  bool is_program = false;  // a regular file that can be executed
  bool sets_id = false;     // set-user-ID or set-group-ID
  bool has_capabilities = false;
};

struct Drift {
  std::vector<Change> changes;  // set-ids and file capabilities first, then programs, then by path
  bool is_cut = false;          // there are more than kMaxChanges
};
inline constexpr std::size_t kMaxChanges = 100'000;

// Directories that only got an entry are not changes. An error: its root is not an overlay, or the
// upper directory cannot be read.
Result<Drift> DriftOf(const Container& container);

}  // namespace runclad::look
