// The containers that doctor makes to prove what is enforced, by their ids. The log has decisions
// about them as about all others; what counts decisions, or shows the last ones, leaves them out,
// since nobody asked for these containers.
//
// No user can hide a container of their own among them:
// - Only root can add to the directory.
// - The engine generates the id, and it is added before the container starts. A name, a label or an
//   image would not do: users choose them.
// - Only how the container was made and started is left out: what others do to it while it exists
//   (exec, update) counts.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "runclad/base/result.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/store/state_directory.hpp"

namespace runclad::store {

// The oldest are forgotten: by then, the log has long been counted.
inline constexpr std::size_t kMostProbes = 2000;

// An empty file of this name in <state_directory>/probes.
Status AddProbe(const std::string& id, const std::string& state_directory = kStateDirectory);

class Probes {
 public:
  // Without a directory that only root can write to, there are none.
  static Probes Open(const std::string& state_directory = kStateDirectory);

  // Of a log line: whether runclad made the container `id`, and `verb` is how it was made.
  [[nodiscard]] bool Contains(std::string_view verb, const std::string& id) const;

 private:
  explicit Probes(UniqueFd directory) : directory_(std::move(directory)) {}

  UniqueFd directory_;
};

}  // namespace runclad::store
