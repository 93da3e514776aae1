// Which host files an engine binds into a container of its own accord.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/engine/layout.hpp"
#include "runclad/sys/mounts.hpp"

namespace runclad::engine {

// A container whose namespace this one joins and which runclad itself created.
struct Peer {
  std::string id;
  std::string type;  // of the namespace, as the spec has it: "network", "ipc"
};

enum class Claim {
  kNone,
  kFile,    // made by the engine for this container
  kVolume,  // a named volume's directory; what is mounted there may still be anything
};

// Exact files only, never a directory with everything below it: the directory that has a Docker
// container's hosts file has its config.v2.json too.
//
// Not known here: a Kubernetes pod's volumes (/var/lib/kubelet/pods/<uid>), for which containerd's
// metadata would have to say that the pod is this container's, and a CRI sandbox that the container
// joins but that runclad did not create.
class OwnFiles {
 public:
  OwnFiles() = default;
  OwnFiles(Layout layout, std::vector<Peer> peers)
      : layout_(std::move(layout)), peers_(std::move(peers)) {}

  Claim Of(const sys::Located& source);

  [[nodiscard]] const Layout& layout() const { return layout_; }

 private:
  Claim OfDocker(std::string_view rest);
  [[nodiscard]] bool OfSandbox(std::string_view path) const;
  [[nodiscard]] bool OfStorage(std::string_view path) const;
  [[nodiscard]] bool IsPeer(std::string_view id, std::string_view type) const;
  bool HasDockerVolume(std::string_view name);

  Layout layout_;
  std::vector<Peer> peers_;
  std::optional<std::set<std::string, std::less<>>> docker_volumes_;  // read when first asked for
};

// The init programs that engines bind into a container on request (--init): by inode, since
// docker-init is a link to another program on some hosts.
bool IsEngineInit(const sys::Located& source);

}  // namespace runclad::engine
