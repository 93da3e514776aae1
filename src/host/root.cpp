#include "runclad/host/root.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/sys/mounts.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::host {
namespace {

using RootKind = RootFacts::Kind;

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

bool IsHostRoot(const sys::Inode& inode) {
  struct stat status {};
  // Process 1 has another root if we run in a mount namespace of the engine.
  for (const char* root : {"/", "/proc/1/root"}) {
    if (::stat(root, &status) != 0) continue;
    if (inode == sys::Inode{.device = status.st_dev, .number = status.st_ino}) return true;
  }
  return false;
}

std::string Above(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

// Strictly below: the bundle itself is not a container's root.
bool IsBelow(const std::string& path, const std::string& directory) {
  const auto rest = sys::Below(path, directory);
  return rest && !rest->empty() && !directory.empty();
}

// Where the engine keeps what is in `path`: layers, secrets, its database. Empty: elsewhere.
std::string StorageOf(const std::string& path, const engine::Layout& layout) {
  for (const auto* directories : {&layout.data_directories, &layout.run_directories}) {
    for (const std::string& directory : *directories) {
      if (sys::Below(path, directory)) return directory;
    }
  }
  return {};
}

// Whether an entry has `path` at or below it; what is in the engine's storage must be listed by an
// entry that is in there, too.
bool IsListed(const std::string& path, const std::vector<std::string>& allowed,
              const std::string& storage) {
  return std::ranges::any_of(allowed, [&](const std::string& entry) {
    const auto located = sys::LocateIfPresent(entry);
    // The owner of a directory on the path must not decide this.
    if (!located || !*located || !sys::OnlyRootCouldRedirect(entry)) return false;
    const std::string& listed = (*located)->path;
    return sys::Below(path, listed) && (storage.empty() || IsBelow(listed, storage));
  });
}

// podman's overlay over a directory (--rootfs DIRECTORY:O), in what it keeps for this container.
bool IsOwnOverlay(const std::string& path, const engine::Layout& layout) {
  const std::string place =
      '/' + layout.storage_driver + "-containers/" + layout.id + "/rootfs/merge";
  return layout.engine == engine::Engine::kPodman && path.ends_with(place) &&
         sys::OnlyRootCouldReplace(Above(path));
}

// The octal escapes of mountinfo undone.
std::string Unescaped(std::string_view text) {
  constexpr std::size_t kDigits = 3;
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view digits = text.substr(i + 1, kDigits);
    const bool is_escape = text[i] == '\\' && digits.size() == kDigits &&
                           digits.find_first_not_of("01234567") == std::string_view::npos;
    if (!is_escape) {
      plain += text[i];
      continue;
    }
    int code = 0;
    for (const char digit : digits) code = code * 8 + (digit - '0');
    plain += static_cast<char>(code);
    i += kDigits;
  }
  return plain;
}

// The directories of an overlay: everything that lowerdir, upperdir and the options of newer
// kernels (lowerdir+, datadir+) name.
std::vector<std::string> LayersOf(const sys::Mount& mount) {
  std::vector<std::string> layers;
  std::string_view rest = mount.tail.substr(mount.tail.rfind(' ') + 1);
  while (!rest.empty()) {
    const std::string_view option = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), option.size() + 1));
    const std::size_t equals = option.find('=');
    const std::string_view name = option.substr(0, equals);
    if (equals == std::string_view::npos ||
        (name != "upperdir" && name != "lowerdir" && name != "lowerdir+" && name != "datadir+")) {
      continue;
    }
    // A colon separates layers; behind a backslash it belongs to a name.
    std::string layer;
    const std::string value = Unescaped(option.substr(equals + 1));
    for (std::size_t i = 0; i <= value.size(); ++i) {
      if (i == value.size() || (value[i] == ':' && name == "lowerdir")) {
        if (!layer.empty()) layers.push_back(std::move(layer));
        layer.clear();
      } else {
        if (value[i] == '\\' && i + 1 < value.size()) ++i;
        layer += value[i];
      }
    }
  }
  return layers;
}

// Checks directories against the policy's list, including the layers of overlays.
class Listing {
 public:
  Listing(const engine::Layout& layout, const std::vector<std::string>& allowed)
      : layout_(layout), allowed_(allowed) {}

  RootFacts Judge(const sys::Located& directory) {
    const std::string storage = StorageOf(directory.path, layout_);
    if (IsListed(directory.path, allowed_, storage)) return JudgeLayers(directory, /*own=*/{});
    RootFacts unlisted = {RootKind::kOutside, directory.path,
                          storage.empty()
                              ? "is neither in the bundle nor the container's own layer"
                              : "is in the engine's storage and not the container's own layer"};
    if (!IsListed(directory.path, {directory.path}, storage)) return unlisted;
    // What lies under it would have to be listed as well.
    const RootFacts layers = JudgeLayers(directory, /*own=*/{});
    if (layers.kind == RootKind::kOrdinary || !layers.allow.empty()) {
      unlisted.allow = layers.allow;
      unlisted.allow.insert(unlisted.allow.begin(), directory.path);
    }
    return unlisted;
  }

  // The layers of what is mounted at `directory`; those below `own` are made for this container.
  RootFacts JudgeLayers(const sys::Located& directory, const std::string& own) {
    const RootFacts ordinary = {RootKind::kOrdinary, directory.path, {}};
    auto table = sys::MountTable::Read();
    const sys::Mount* const mount = table ? table->Find(directory.mount_id) : nullptr;
    if (mount == nullptr) {
      return {RootKind::kOutside, directory.path, "is on an unknown mount"};
    }
    if (mount->type() != "overlay" || mount->point != directory.path) return ordinary;
    if (++depth_ > kMaxDepth) {
      return {RootKind::kOutside, directory.path, "is an overlay with too many nested overlays"};
    }
    std::optional<RootFacts> first;
    for (const std::string& layer : LayersOf(*mount)) {
      if (IsBelow(layer, own)) continue;
      const RootFacts judged = JudgeLayer(layer);
      if (judged.kind == RootKind::kOrdinary) continue;
      if (!first) {
        first = judged;
        first->resolved = directory.path;
        first->because = "is an overlay over " + layer + ", which " + judged.because;
      } else if (!first->allow.empty()) {
        first->allow.insert(first->allow.end(), judged.allow.begin(), judged.allow.end());
      }
      if (judged.allow.empty()) first->allow.clear();
    }
    return first.value_or(ordinary);
  }

 private:
  static constexpr int kMaxDepth = 8;

  // The kernel reports a layer by the path with which it was mounted, and nothing compares it
  // later: it is accepted only if nobody but root can have replaced it.
  RootFacts JudgeLayer(const std::string& layer) {
    const auto located = sys::LocateIfPresent(layer);
    if (!located || !*located || (*located)->path != layer) {
      return {RootKind::kOutside, layer, "cannot be found on this host by that path"};
    }
    if (IsHostRoot((*located)->inode)) {
      return {RootKind::kHostRoot, layer, "is the host's root filesystem"};
    }
    RootFacts judged = Judge(**located);
    if (sys::OnlyRootCouldReplace(Above(layer))) return judged;
    judged.allow.clear();
    if (judged.kind != RootKind::kOrdinary) return judged;
    return {RootKind::kOutside, layer, "is in a directory that users other than root can modify"};
  }

  const engine::Layout& layout_;
  const std::vector<std::string>& allowed_;
  int depth_ = 0;
};

}  // namespace

RootFacts DescribeRoot(const oci::Spec& spec, const std::vector<std::string>& allowed,
                       const std::string& bundle, const engine::Layout& layout,
                       const std::string& own_layer) {
  RootFacts facts;
  std::string path = spec.root_path();
  if (path.empty()) return facts;
  path = Clean(path.starts_with('/') ? path : bundle + "/" + path);
  const bool is_living = !layout.id.empty();
  const auto located = sys::LocateIfPresent(path);
  if (!located && is_living) {
    return {RootKind::kOutside, {}, "cannot be examined: " + located.error().message};
  }
  if (!located || !*located) {
    if (!is_living) return facts;
    return {RootKind::kOutside, {}, "is not a directory that can be found on this host"};
  }
  const sys::Located& root = **located;
  facts.resolved = root.path;
  if (IsHostRoot(root.inode)) {
    facts.kind = RootKind::kHostRoot;
    facts.because = root.path == "/" ? "is the host's root filesystem"
                                     : "is an alias of the host's root filesystem";
  } else if (root.path != path) {
    facts.kind = RootKind::kLink;
    facts.because = "leads through a link to " + root.path;
  } else if (!S_ISDIR(root.mode)) {
    facts.kind = RootKind::kOutside;
    facts.because = "is not a directory";
  } else if (!is_living || IsBelow(path, layout.bundle) || path == own_layer) {
    facts.kind = RootKind::kOrdinary;
  } else {
    Listing listing(layout, allowed);
    facts =
        IsOwnOverlay(path, layout) ? listing.JudgeLayers(root, Above(path)) : listing.Judge(root);
    if (facts.kind == RootKind::kOutside && path == layout.bundle) {
      facts.because =
          "is the bundle itself, so that its config.json would be among the container's files: "
          "keep them in a directory below it";
    }
  }
  return facts;
}

}  // namespace runclad::host
