#include "runclad/engine/layout.hpp"

#include <sys/stat.h>

#include <optional>
#include <string_view>
#include <utility>

#include "runclad/sys/mounts.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::engine {
namespace {

// "/a/b/c" → {"/a/b", "c"}.
std::pair<std::string_view, std::string_view> SplitLast(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {{}, path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

// The path without links; empty where there is nothing.
std::string RealPath(const std::string& path) {
  if (path.empty()) return {};
  auto located = sys::LocateIfPresent(path);
  return located && *located ? (*std::move(located))->path : std::string();
}

void Add(const std::string& directory, std::vector<std::string>& directories) {
  if (!directory.empty() && directory != "/") directories.push_back(directory);
}

// <base>/io.containerd.runtime.v2.task/<namespace>/<id> → <base>; empty for any other shape.
std::string_view ContainerdBase(std::string_view path, std::string_view id) {
  const auto [above_id, last] = SplitLast(path);
  const auto [task, name_space] = SplitLast(above_id);
  const auto [base, plugin] = SplitLast(task);
  const bool is_task = last == id && !name_space.empty() &&
                       plugin.starts_with("io.containerd.runtime.v") && !base.empty();
  return is_task ? base : std::string_view();
}

// The nearest directory above the rootfs that has this container's config.v2.json, where nobody but
// root could have put it. Where others could have, `untrusted_record` becomes its path.
std::string DockerDataRoot(const Call& call, std::string& untrusted_record) {
  const std::string rootfs = RealPath(call.rootfs);
  for (std::string_view at = SplitLast(rootfs).first; !at.empty(); at = SplitLast(at).first) {
    const std::string config = std::string(at) + "/containers/" + call.id + "/config.v2.json";
    struct stat status {};
    // dockerd writes a file; its users can have it create a directory at any path.
    if (::lstat(config.c_str(), &status) != 0 || S_ISDIR(status.st_mode)) continue;
    if (S_ISREG(status.st_mode) && sys::OnlyRootCouldReplace(config)) {
      untrusted_record.clear();
      return std::string(at);
    }
    untrusted_record = config;
  }
  return {};
}

// <exec-root>/runtime-<name>/<namespace>, as dockerd has its runtimes' state.
std::string DockerExecRoot(const std::string& runtime_root) {
  const std::string path = RealPath(runtime_root);
  const auto [exec_root, runtime] = SplitLast(SplitLast(path).first);
  return runtime.starts_with("runtime-") ? std::string(exec_root) : std::string();
}

// CRI-O's bundle is below the runroot, and the graphroot is where the rootfs is a layer of it:
// <graphroot>/overlay/<layer>/merged, <graphroot>/vfs/dir/<layer>. Empty where it is not so.
std::string GraphRoot(const Call& call, const std::string& driver) {
  const std::string rootfs = RealPath(call.rootfs);
  const std::string_view drivers = SplitLast(SplitLast(rootfs).first).first;
  const auto [root, name] = SplitLast(drivers);
  const std::string own = std::string(root) + '/' + driver + "-containers/" + call.id;
  return name == driver && sys::OnlyRootCouldReplace(own) ? std::string(root) : std::string();
}

// buildah, and podman build with it: <temporary directory>/buildah<number>, in which it has mounted
// the root filesystem and each source.
bool IsBuildahBundle(const Call& call, const std::string& bundle) {
  constexpr std::string_view kName = "buildah";
  const std::string_view name = SplitLast(bundle).second;
  return name.size() > kName.size() && name.starts_with(kName) &&
         name.find_first_not_of("0123456789", kName.size()) == std::string_view::npos &&
         call.id == std::string(kName) + '-' + std::string(name) &&
         RealPath(call.rootfs) == bundle + "/mnt/rootfs" && sys::OnlyRootCouldReplace(bundle);
}

void DescribeContainerd(const Call& call, std::string_view state, Layout& layout) {
  layout.engine = Engine::kContainerd;
  layout.containerd_state = state;
  Add(layout.containerd_state, layout.run_directories);
  layout.containerd_root = ContainerdBase(RealPath(layout.bundle + "/work"), call.id);
  Add(layout.containerd_root, layout.data_directories);
  layout.data_root = DockerDataRoot(call, layout.untrusted_record);
  if (layout.data_root.empty()) return;
  layout.engine = Engine::kDocker;
  Add(layout.data_root, layout.data_directories);
  const std::string exec_root = DockerExecRoot(call.runtime_root);
  Add(exec_root, layout.run_directories);
  if (!exec_root.empty()) layout.namespace_directories.push_back(exec_root + "/netns");
}

}  // namespace

Layout Discover(const Call& call) {
  Layout layout;
  layout.id = call.id;
  layout.bundle = RealPath(call.bundle);
  layout.namespace_directories = {"/run/netns", "/var/run/netns", "/run/docker/netns"};
  if (call.id.empty() || layout.bundle.empty()) return layout;

  if (const auto state = ContainerdBase(layout.bundle, call.id); !state.empty()) {
    DescribeContainerd(call, state, layout);
    return layout;
  }
  constexpr std::string_view kContainers = "-containers";
  const auto [above, last] = SplitLast(layout.bundle);
  const auto [directory, id] = SplitLast(above);
  const auto [storage, containers] = SplitLast(directory);
  if (last == "userdata" && id == call.id && containers.ends_with(kContainers)) {
    layout.data_root = storage;
    layout.storage_driver = containers.substr(0, containers.size() - kContainers.size());
    // Both leave the same files. podman says --root only for a user who asks for it, and has its
    // bundles beside the layers.
    const std::string graph_root =
        call.runtime_root.empty() ? std::string() : GraphRoot(call, layout.storage_driver);
    const bool is_podman = call.runtime_root.empty() || graph_root == layout.data_root;
    layout.engine = is_podman ? Engine::kPodman : Engine::kCrio;
    if (layout.engine == Engine::kCrio) {
      if (!graph_root.empty()) {
        Add(layout.data_root, layout.run_directories);
        layout.data_root = graph_root;
      }
    }
    Add(layout.data_root, layout.data_directories);
    // CRI-O pins a pod's namespaces here.
    layout.namespace_directories.insert(layout.namespace_directories.end(),
                                        {"/run/ipcns", "/run/utsns"});
  } else if (last == call.id && id == "executor" && sys::OnlyRootCouldReplace(layout.bundle)) {
    layout.engine = Engine::kBuildkit;
    layout.data_root = above;
    Add(std::string(directory), layout.data_directories);
  } else if (IsBuildahBundle(call, layout.bundle)) {
    layout.engine = Engine::kBuildkit;  // the builder
    layout.data_root = layout.bundle;
  }
  return layout;
}

}  // namespace runclad::engine
