#include "host_aliases.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace runclad::host {
namespace {

using Access = SourceFacts::Access;

bool IsStrictlyBelow(std::string_view path, std::string_view directory) {
  const auto rest = sys::Below(path, directory);
  return rest && !rest->empty();
}

std::string Join(std::string_view directory, std::string_view rest) {
  std::string path(directory == "/" && !rest.empty() ? std::string_view() : directory);
  path += rest;
  return path;
}

// The directory above "/a/b": "/a"; "/" has none.
std::string_view Parent(std::string_view directory) {
  const std::size_t slash = directory.rfind('/');
  if (slash == std::string_view::npos || directory.size() <= 1) return {};
  return slash == 0 ? directory.substr(0, 1) : directory.substr(0, slash);
}

std::string Describe(const Alias& alias) {
  return (alias.is_inside ? "contains what the host has at " : "is what the host has at ") +
         alias.path + ", which " + alias.verdict.because;
}

}  // namespace

std::optional<Alias> HostAliases::AliasBy(const sys::Mount& mount, const sys::Place& place,
                                          std::string_view own_path) const {
  Alias alias;
  if (const auto rest = sys::Below(place.path, mount.root)) {
    alias.path = Join(mount.point, *rest);
  } else if (sys::Below(mount.root, place.path)) {
    alias.path = mount.point;
    alias.is_inside = true;
  } else {
    return std::nullopt;
  }
  if (alias.path == own_path) return std::nullopt;
  alias.verdict = policy_.Judge(alias.path);
  return alias;
}

Verdict HostAliases::Judge(const sys::Place& place, std::string_view own_path,
                           const std::function<bool(const Alias&)>& skip) const {
  Verdict strictest;
  VisitMounts(place, [&](const sys::Mount& mount) {
    const auto alias = AliasBy(mount, place, own_path);
    if (!alias || skip(*alias) || alias->verdict.access == Access::kAllowed) return false;
    if (alias->verdict.is_volume && IsVolumeOfAnother(mount)) return false;
    Verdict verdict{alias->verdict.access, Describe(*alias)};
    verdict.is_denied_by_list = alias->verdict.is_denied_by_list;
    if (!alias->is_inside) {
      verdict.allow = alias->verdict.allow;
      verdict.is_credential = alias->verdict.is_credential;
    }
    strictest = Stricter(std::move(strictest), std::move(verdict));
    return false;
  });
  return strictest;
}

bool HostAliases::HasAlias(const sys::Place& place, std::string_view own_path,
                           const std::function<bool(const Alias&)>& is_one) const {
  return VisitMounts(place, [&](const sys::Mount& mount) {
    const auto alias = AliasBy(mount, place, own_path);
    return alias && is_one(*alias);
  });
}

// A directory that an engine mounted as a volume does not become the engine's by that. It exists
// elsewhere on the host if some mount that is not a volume shows it from further up.
bool HostAliases::IsVolumeOfAnother(const sys::Mount& mount) const {
  SortMounts();
  for (std::string_view above = Parent(mount.root); !above.empty(); above = Parent(above)) {
    if (HasHome(mount.file_system, above)) return true;
  }
  return false;
}

bool HostAliases::HasHome(std::uint64_t file_system, std::string_view root) const {
  const Shown shown(file_system, root);
  const auto known = has_home_.find(shown);
  if (known != has_home_.end()) return known->second;
  const bool has_home = VisitExactly(
      shown, [&](const sys::Mount& mount) { return !policy_.Judge(mount.point).is_volume; });
  has_home_.emplace(shown, has_home);
  return has_home;
}

void HostAliases::SortMounts() const {
  if (!sorted_.empty()) return;
  for (const sys::Mount& mount : table_.mounts()) sorted_.push_back(&mount);
  std::ranges::sort(sorted_, [](const sys::Mount* left, const sys::Mount* right) {
    return std::tuple(left->file_system, left->root, left) <
           std::tuple(right->file_system, right->root, right);
  });
}

bool HostAliases::VisitExactly(const Shown& shown,
                               const std::function<bool(const sys::Mount&)>& visit) const {
  const auto what = [](const sys::Mount* mount) { return Shown(mount->file_system, mount->root); };
  for (auto at = std::ranges::lower_bound(sorted_, shown, {}, what);
       at != sorted_.end() && what(*at) == shown; ++at) {
    if (visit(**at)) return true;
  }
  return false;
}

bool HostAliases::VisitMounts(const sys::Place& place,
                              const std::function<bool(const sys::Mount&)>& visit) const {
  constexpr int kPassesBeforeSorting = 16;
  if (sorted_.empty() && ++passes_ <= kPassesBeforeSorting) {
    return std::ranges::any_of(table_.mounts(), [&](const sys::Mount& mount) {
      return mount.file_system == place.file_system && visit(mount);
    });
  }
  SortMounts();
  for (std::string_view above = place.path; !above.empty(); above = Parent(above)) {
    if (VisitExactly({place.file_system, above}, visit)) return true;
  }
  // What is below "/a" begins with "/a/", and so comes before "/a0".
  const std::string first = place.path == "/" ? "/" : place.path + "/";
  std::string last = first;
  ++last.back();
  const auto what = [](const sys::Mount* mount) { return Shown(mount->file_system, mount->root); };
  const auto begin = std::ranges::lower_bound(sorted_, Shown(place.file_system, first), {}, what);
  const auto end = std::ranges::lower_bound(sorted_, Shown(place.file_system, last), {}, what);
  for (const sys::Mount* mount : std::span(begin, end)) {
    if (mount->root != place.path && visit(*mount)) return true;
  }
  return false;
}

bool HostAliases::HasMountsBelow(std::string_view directory) const {
  return std::ranges::any_of(table_.mounts(), [&](const sys::Mount& mount) {
    return IsStrictlyBelow(mount.point, directory);
  });
}

Verdict HostAliases::JudgeMountsBelow(std::string_view directory) const {
  constexpr std::size_t kMaxLooks = 250'000;  // a fraction of a second
  // Thousands of mounts often show the same directory: each is examined once.
  struct Shower {
    std::string_view point;  // where it is mounted below
    bool is_alone = true;
  };
  std::map<Shown, Shower> shown_below;
  for (const sys::Mount& mount : table_.mounts()) {
    if (!IsStrictlyBelow(mount.point, directory)) continue;
    const auto [known, is_new] =
        shown_below.try_emplace({mount.file_system, mount.root}, Shower{mount.point});
    if (!is_new) known->second.is_alone = false;
  }
  SortMounts();
  Verdict strictest;
  std::size_t looks = 0;
  for (const auto& entry : shown_below) {
    const Shower& below = entry.second;
    const sys::Place place{entry.first.first, std::string(entry.first.second)};
    const bool is_stopped = VisitMounts(place, [&](const sys::Mount& mount) {
      if (++looks > kMaxLooks) return true;
      // The other ones are aliases of each other.
      const auto alias = AliasBy(mount, place, below.is_alone ? below.point : std::string_view());
      if (!alias || alias->verdict.access == Access::kAllowed) return false;
      if (alias->verdict.is_volume && IsVolumeOfAnother(mount)) return false;
      Verdict verdict{alias->verdict.access, "has " + std::string(below.point) +
                                                 " mounted below it, which " + Describe(*alias)};
      verdict.is_denied_by_list = alias->verdict.is_denied_by_list;
      strictest = Stricter(std::move(strictest), std::move(verdict));
      return false;
    });
    if (is_stopped) return {Access::kUnknown, "has more mounts below it than runclad can judge"};
  }
  return strictest;
}

}  // namespace runclad::host
