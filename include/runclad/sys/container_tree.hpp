// A model of a container's filesystem while its runtime makes one mount after another.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::sys {

// What a mount shows below its mount point.
enum class Content {
  kImage,    // the container's root filesystem
  kEmpty,    // nothing yet: a new tmpfs
  kProc,     // a proc file system
  kKernel,   // another file system of the kernel, a cgroup tree, say
  kForeign,  // directories of the host, which others may change at any time
  kUnknown,  // a file system that is not mounted anywhere yet
};

// Where a path leads for the runtime: all links resolved, never outside the root.
struct ResolvedPath {
  std::string path;  // absolute, without "." and ".."; what does not exist stays as written
  // A predicate that explains why the runtime may find another place; empty: it finds this one.
  std::string uncertain_because;
  bool is_complete = true;    // false: the walk was given up, for the reason above
  bool touches_proc = false;  // it is a proc file system, or the way leads through a name in one
};

class ContainerTree {
 public:
  // `rootfs`: of a container that is to be made, or /proc/PID/root of one that runs, whose mounts
  // are then part of it.
  static Result<ContainerTree> Open(const std::string& rootfs);

  // Links in the image and in what is mounted are followed. A link in foreign content makes the
  // place uncertain, since it can be another one by the time the runtime follows it; a directory
  // there does not: if someone replaces it by a link, `start` finds a mount that was not promised.
  // The work is linear in the length of the path, and bounded for all paths together.
  [[nodiscard]] ResolvedPath Resolve(std::string_view path) const;

  // Mounts over `path`, the resolved path of a place. `directories`: on the host, those whose
  // content is seen, the sources of a bind or the layers of an overlay.
  void Mount(std::string_view path, Content content, std::vector<std::string> directories = {});

 private:
  friend class TreeWalk;

  struct Layer {
    Content content = Content::kImage;
    std::vector<std::string> directories;
  };
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> children;
    std::optional<Layer> layer;  // what is mounted here
  };

  explicit ContainerTree(const std::string& rootfs);

  std::unique_ptr<Node> root_;         // held apart: a walk points into it
  mutable std::size_t looked_up_ = 0;  // names on the host, by Resolve
};

}  // namespace runclad::sys
