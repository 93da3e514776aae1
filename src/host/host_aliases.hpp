// Other paths under which the host sees a place, and the policy's verdict on those.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/sys/mounts.hpp"

#include "path_policy.hpp"

namespace runclad::host {

// A path other than the one that was asked for.
struct Alias {
  std::string path;
  bool is_inside = false;  // what stands there is somewhere inside the place, not all of it
  Verdict verdict;
};

class HostAliases {
 public:
  // Both must outlive this.
  HostAliases(const sys::MountTable& table, const PathPolicy& policy)
      : table_(table), policy_(policy) {}

  // The strictest verdict on the paths, other than `own_path`, at which the host sees `place` or
  // something inside it, without those aliases for which `skip` says so. The first few times one
  // pass over the mounts, then only those that show the place.
  [[nodiscard]] Verdict Judge(const sys::Place& place, std::string_view own_path,
                              const std::function<bool(const Alias&)>& skip) const;

  // Whether some alias other than `own_path` is such a one.
  [[nodiscard]] bool HasAlias(const sys::Place& place, std::string_view own_path,
                              const std::function<bool(const Alias&)>& is_one) const;

  [[nodiscard]] bool HasMountsBelow(std::string_view directory) const;
  // The strictest verdict on the aliases of what is mounted below `directory`; kUnknown if there
  // are too many to examine.
  [[nodiscard]] Verdict JudgeMountsBelow(std::string_view directory) const;

  [[nodiscard]] const sys::MountTable& table() const { return table_; }

 private:
  // The alias that `mount` makes of `place`, if it makes one.
  [[nodiscard]] std::optional<Alias> AliasBy(const sys::Mount& mount, const sys::Place& place,
                                             std::string_view own_path) const;
  [[nodiscard]] bool IsVolumeOfAnother(const sys::Mount& mount) const;
  // Whether some mount that is not a volume shows exactly this directory of the filesystem.
  [[nodiscard]] bool HasHome(std::uint64_t file_system, std::string_view root) const;

  // A file system and a directory in it: what a mount shows.
  using Shown = std::pair<std::uint64_t, std::string_view>;
  // Calls `visit` with the mounts that show the place, a directory above it or one below; some that
  // show neither may be among them. Ends early when `visit` returns true, and returns that.
  bool VisitMounts(const sys::Place& place,
                   const std::function<bool(const sys::Mount&)>& visit) const;
  // Those that show exactly this.
  bool VisitExactly(const Shown& shown, const std::function<bool(const sys::Mount&)>& visit) const;
  void SortMounts() const;

  const sys::MountTable& table_;
  const PathPolicy& policy_;
  mutable int passes_ = 0;
  mutable std::vector<const sys::Mount*>
      sorted_;  // by what they show; empty until sorting pays off
  mutable std::map<Shown, bool> has_home_;
};

}  // namespace runclad::host
