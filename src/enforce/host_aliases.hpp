// Under which other paths the host sees a place, and what the policy says of those.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "runclad/sys/mounts.hpp"

#include "path_policy.hpp"

namespace runclad::enforce {

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
  // something inside it, without those aliases for which `skip` says so. One pass over the mounts.
  [[nodiscard]] Verdict Judge(const sys::Place& place, std::string_view own_path,
                              const std::function<bool(const Alias&)>& skip) const;

  // Whether some alias other than `own_path` is such a one.
  [[nodiscard]] bool HasAlias(const sys::Place& place, std::string_view own_path,
                              const std::function<bool(const Alias&)>& is_one) const;

  [[nodiscard]] bool HasMountsBelow(std::string_view directory) const;
  // The strictest verdict on the aliases of what is mounted below `directory`.
  [[nodiscard]] Verdict JudgeMountsBelow(std::string_view directory) const;

  [[nodiscard]] const sys::MountTable& table() const { return table_; }

 private:
  // The alias that `mount` makes of `place`, if it makes one.
  [[nodiscard]] std::optional<Alias> AliasBy(const sys::Mount& mount, const sys::Place& place,
                                             std::string_view own_path) const;
  [[nodiscard]] bool IsVolumeOfAnother(const sys::Mount& mount) const;

  const sys::MountTable& table_;
  const PathPolicy& policy_;
};

}  // namespace runclad::enforce
