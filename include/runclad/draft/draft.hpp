// The config.json that an engine would write for a request.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/draft/request.hpp"
#include "runclad/json/value.hpp"

namespace runclad::draft {

// The parts of an image's config that an engine uses for a container.
struct Image {
  bool is_known = false;
  std::string user;
  std::vector<std::string> environment;
  std::vector<std::string> entrypoint;
  std::vector<std::string> command;
  std::string working_directory;
  std::vector<std::string> volumes;
};

// `text`: the config of an OCI image, or the output of `docker image inspect` or `podman image
// inspect`.
Result<Image> ReadImage(std::string_view text);

// What an engine's document depends on in addition to the request.
struct Host {
  int kernel_major = 6;
  int kernel_minor = 1;
  std::string architecture = "amd64";     // Go's name
  std::vector<std::string> capabilities;  // that the engine can grant: "CAP_CHOWN"; empty: all
  bool has_only_cgroup2 = false;
  bool has_apparmor = false;
  std::string docker_root = "/var/lib/docker";
  std::string podman_root = "/var/lib/containers/storage";
  std::string containerd_root = "/var/lib/containerd";
  std::string kubelet_root = "/var/lib/kubelet";
  std::string devices = "/dev";  // where --privileged finds them
};

// The owner of a namespace that the document names by a path.
struct Joined {
  enum class Whose { kHost, kSandbox, kContainer };
  Whose whose = Whose::kHost;
  std::string container;  // as typed, for kContainer
};

struct Draft {
  std::string id;
  json::Value config;
  // Mount sources that the engine creates for this container alone.
  std::vector<std::string> engine_files;
  // Sources that are volumes, with the device that the driver mounts there; empty: no device.
  std::map<std::string, std::string> volumes;
  // Sources that the engine creates as directories if they are missing.
  std::vector<std::string> made_if_missing;
  std::map<std::string, Joined> namespaces;  // by path
  std::vector<std::string> not_judged;       // sentences
};

// An error if the engine itself would refuse the request, as far as this can be known without it.
Result<Draft> DraftOf(const Request& request, const Image& image, const Host& host);

}  // namespace runclad::draft
