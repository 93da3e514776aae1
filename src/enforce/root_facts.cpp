#include "root_facts.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/sys/mounts.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::enforce {
namespace {

using rules::RootFacts;
using Kind = RootFacts::Kind;

// Without "." and empty components; ".." stays, and is then no real path's.
std::string Clean(std::string_view path) {
  std::string clean;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view name = path.substr(begin, end - begin);
    if (!name.empty() && name != ".") clean.append("/").append(name);
    begin = end + 1;
  }
  return clean.empty() ? "/" : clean;
}

bool IsHostsRoot(const sys::Inode& inode) {
  struct stat status {};
  // Process 1's is another one where we run in a mount namespace of the engine's.
  for (const char* root : {"/", "/proc/1/root"}) {
    if (::stat(root, &status) != 0) continue;
    if (inode == sys::Inode{.device = status.st_dev, .number = status.st_ino}) return true;
  }
  return false;
}

// Strictly below: the engine's directory itself is no container's.
bool IsBelow(const std::string& path, const std::string& directory) {
  const auto rest = sys::Below(path, directory);
  return rest && !rest->empty() && !directory.empty();
}

bool IsListed(const std::string& path, const std::vector<std::string>& allowed) {
  return std::ranges::any_of(allowed, [&](const std::string& entry) {
    const auto located = sys::LocateIfPresent(entry);
    // Not for those to say who own a directory on the way there.
    if (!located || !*located || !sys::OnlyRootCouldRedirect(entry)) return false;
    return sys::Below(path, (*located)->path).has_value();
  });
}

}  // namespace

RootFacts DescribeRoot(const oci::Spec& spec, const policy::RuleSetting& setting,
                       const std::string& bundle, const engine::Layout& layout) {
  RootFacts facts;
  std::string path = spec.root_path();
  if (setting.action == policy::Action::kOff || path.empty()) return facts;
  path = Clean(path.starts_with('/') ? path : bundle + "/" + path);
  const bool is_living = !layout.id.empty();
  const auto located = sys::LocateIfPresent(path);
  if (!located || !*located) {
    if (!is_living) return facts;
    return {Kind::kOutside, {}, "is no directory that can be found on this host"};
  }
  const sys::Located& root = **located;
  facts.resolved = root.path;
  if (IsHostsRoot(root.inode)) {
    facts.kind = Kind::kHostRoot;
    facts.because = root.path == "/" ? "is the host's root filesystem"
                                     : "is an alias of the host's root filesystem";
  } else if (root.path != path) {
    facts.kind = Kind::kLink;
    facts.because = "leads through a link to " + root.path;
  } else if (!S_ISDIR(root.mode)) {
    facts.kind = Kind::kOutside;
    facts.because = "is no directory";
  } else {
    const bool is_engines =
        IsBelow(path, layout.bundle) ||
        std::ranges::any_of(layout.data_directories,
                            [&](const std::string& directory) { return IsBelow(path, directory); });
    const bool may_be =
        !is_living || is_engines || IsListed(path, setting.parameters.strings("allow"));
    facts.kind = may_be ? Kind::kOrdinary : Kind::kOutside;
    if (!may_be) facts.because = "is neither in the bundle nor in the engine's storage";
  }
  return facts;
}

}  // namespace runclad::enforce
