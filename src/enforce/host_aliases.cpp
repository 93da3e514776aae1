#include "host_aliases.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace runclad::enforce {
namespace {

using Access = rules::SourceFacts::Access;

bool IsStrictlyBelow(std::string_view path, std::string_view directory) {
  const auto rest = sys::Below(path, directory);
  return rest && !rest->empty();
}

std::string Join(std::string_view directory, std::string_view rest) {
  std::string path(directory == "/" && !rest.empty() ? std::string_view() : directory);
  path += rest;
  return path;
}

bool HasSmallerFileSystem(const sys::Mount* left, const sys::Mount* right) {
  return left->file_system < right->file_system;
}

std::string Describe(const Alias& alias) {
  return (alias.is_inside ? "holds what the host has at " : "is what the host has at ") +
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
  for (const sys::Mount& mount : table_.mounts()) {
    if (mount.file_system != place.file_system) continue;
    const auto alias = AliasBy(mount, place, own_path);
    if (!alias || skip(*alias) || alias->verdict.access == Access::kAllowed) continue;
    if (alias->verdict.is_volume && IsVolumeOfAnother(mount)) continue;
    Verdict verdict{alias->verdict.access, Describe(*alias)};
    verdict.is_denied_by_list = alias->verdict.is_denied_by_list;
    if (!alias->is_inside) verdict.allow = alias->verdict.allow;
    strictest = Stricter(std::move(strictest), std::move(verdict));
  }
  return strictest;
}

bool HostAliases::HasAlias(const sys::Place& place, std::string_view own_path,
                           const std::function<bool(const Alias&)>& is_one) const {
  return std::ranges::any_of(table_.mounts(), [&](const sys::Mount& mount) {
    if (mount.file_system != place.file_system) return false;
    const auto alias = AliasBy(mount, place, own_path);
    return alias && is_one(*alias);
  });
}

// A directory that an engine mounted as a volume does not become the engine's by that. It has a
// home of its own when some mount that is no volume shows it from further up.
bool HostAliases::IsVolumeOfAnother(const sys::Mount& mount) const {
  return std::ranges::any_of(table_.mounts(), [&](const sys::Mount& other) {
    return other.file_system == mount.file_system && IsStrictlyBelow(mount.root, other.root) &&
           !policy_.Judge(other.point).is_volume;
  });
}

bool HostAliases::HasMountsBelow(std::string_view directory) const {
  return std::ranges::any_of(table_.mounts(), [&](const sys::Mount& mount) {
    return IsStrictlyBelow(mount.point, directory);
  });
}

Verdict HostAliases::JudgeMountsBelow(std::string_view directory) const {
  // By file system: a directory with thousands of mounts is not to cost thousands of passes.
  std::vector<const sys::Mount*> sorted;
  for (const sys::Mount& mount : table_.mounts()) sorted.push_back(&mount);
  std::ranges::sort(sorted, HasSmallerFileSystem);
  Verdict strictest;
  for (const sys::Mount& below : table_.mounts()) {
    if (!IsStrictlyBelow(below.point, directory)) continue;
    const sys::Place place{below.file_system, std::string(below.root)};
    const auto [first, last] =
        std::equal_range(sorted.begin(), sorted.end(), &below, HasSmallerFileSystem);
    for (const sys::Mount* mount : std::span(first, last)) {
      const auto alias = AliasBy(*mount, place, below.point);
      if (!alias || alias->verdict.access == Access::kAllowed) continue;
      if (alias->verdict.is_volume && IsVolumeOfAnother(*mount)) continue;
      Verdict verdict{alias->verdict.access, "has " + std::string(below.point) +
                                                 " mounted below it, which " + Describe(*alias)};
      verdict.is_denied_by_list = alias->verdict.is_denied_by_list;
      strictest = Stricter(std::move(strictest), std::move(verdict));
    }
  }
  return strictest;
}

}  // namespace runclad::enforce
