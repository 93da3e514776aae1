// What a recursive bind of a directory above the container's root directory also mounts.
//
// The runtime binds the root directory on itself before it mounts anything: the bind takes that
// along, with what is mounted in it so far. That is the root where the root directory lies on the
// host, and below it mounts that the container has at the same place inside, none with a flag less.
// The root itself becomes read-only later.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "runclad/sys/mounts.hpp"

#include "spot_lines.hpp"

namespace runclad::enforce {

class OwnMounts {
 public:
  using Points = std::unordered_set<std::string_view>;

  // `explained` has the lines that are accounted for, `masked` and `readonly` what is hidden and
  // protected; they grow, and outlive this. `root_path` as in MountEvidence.
  OwnMounts(const SpotTable& explained, const Points& masked, const Points& readonly,
            std::function<std::string()> root_path)
      : explained_(explained),
        masked_(masked),
        readonly_(readonly),
        ask_root_path_(std::move(root_path)) {}

  // The place in the container of which `mount`, at `host_path` by its bind's source, is the copy;
  // nothing: it is not one. `root` is the container's.
  std::optional<std::string_view> PlaceOf(const sys::Mount& mount, std::string_view host_path,
                                          const sys::Mount& root);

  // Whether the copy of what is at `place` shows or lets be written what the container may not: the
  // runtime masks and protects paths when everything is mounted.
  bool IsOpened(const sys::Mount& mount, std::string_view place);

 private:
  const SpotTable& explained_;
  const Points& masked_;
  const Points& readonly_;
  std::vector<std::string_view> sorted_masked_;  // made when first needed
  std::vector<std::string_view> sorted_readonly_;
  std::function<std::string()> ask_root_path_;
  std::optional<std::string> root_path_;
};

}  // namespace runclad::enforce
