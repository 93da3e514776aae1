// What the engines of this host say of themselves: which runtimes they know, which one they take,
// and which containers they have. Nothing is changed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace runclad::configure {

struct KnownRuntime {
  std::string name;
  std::string program;    // as the engine names it: a path, a name to find in its PATH; or a shim
  std::string arguments;  // that the engine gives it, with blanks between
};

struct KnownContainer {
  std::string name;
  std::string runtime;
  std::string remedy;  // what makes it again
  bool is_running = false;
};

struct Survey {
  std::string engine;   // one of kEngines
  std::string place;    // which one of several: a socket, or the file that it reads
  std::string address;  // of its API, as its client takes it; empty: unknown, or it has none
  std::string fault;    // why it could not be asked; then the rest is empty
  pid_t pid = 0;        // 0: it has no daemon
  std::string version;
  std::string search_path;      // where it finds programs by name
  std::string shim_path;        // where the shims of its containers do; empty: as search_path
  std::string default_runtime;  // a name in `runtimes`; empty: it knows none by name
  std::vector<KnownRuntime> runtimes;
  std::vector<KnownContainer> containers;  // Docker and podman only
  std::string builder;        // what runs build steps of BuildKit; empty: the default runtime does
  std::string cgroup_parent;  // a setting of Docker's; empty: none
  std::vector<std::string> open_addresses;  // TCP without client certificates
  std::vector<std::string> nri_plugins;     // in the directory from which containerd starts them
  bool is_stale =
      false;  // a file was changed after the daemon had started, and it reads none later
};

inline constexpr const char* kPodRemedy = "delete the pod: its controller makes it again";

// Of the name that CRI-O gives conmon, k8s_<container>_<pod>_<namespace>_<uid>_<attempt>:
// "<namespace>/<pod>"; empty: it is none.
std::string CrioPodOf(std::string_view name);

// Every engine that runs or, without a daemon, is installed. Each answer may take `limit`.
std::vector<Survey> SurveyEngines(std::chrono::seconds limit);

}  // namespace runclad::configure
