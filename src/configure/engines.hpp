// What runclad's registration is in the configuration of each engine. Pure: from trees to settings.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "edit.hpp"

namespace runclad::configure {

// containerd's own name for the shim that calls runc, and its default.
inline constexpr const char* kRuncShim = "io.containerd.runc.v2";

struct Registration {
  std::string name;     // the runtime's name in the engine
  std::string program;  // absolute
  bool is_default = false;
};

// `tree` is the file's, `effective` what the engine makes of all its files (empty: unknown), and
// `original` the file's before runclad was registered; null: unknown.

std::vector<Setting> DockerSettings(const Registration& registration);
std::vector<Restore> DockerRestores(const std::string& name, const Document& tree,
                                    const Document* original);

// Inherits from the entry of runc or of the default runtime in `effective`, for example
// SystemdCgroup. An error if the file's version is not one in which a runtime can be registered; an
// empty file gets `default_version`.
Result<std::vector<Setting>> ContainerdSettings(const Registration& registration,
                                                const Document& tree, const Document& effective,
                                                int default_version);
// The entries of runtimes that `before` has and `after` lacks, in `tree`'s version: containerd
// drops its own entry for runc once a file has entries of its own.
std::vector<Setting> ContainerdLost(const Document& tree, const Document& before,
                                    const Document& after, int default_version);
// `effective` without what registering under `name` may change.
Document ContainerdRest(Document effective, const std::string& name);
// The entry and the default of a registration in `effective`, whose version may be another one than
// the file's.
std::string ContainerdProgram(const Document& effective, const std::string& name);
std::string ContainerdDefault(const Document& effective);
// The entries of the CRI plugin, an object.
Document ContainerdRuntimes(const Document& effective);
// `block` is what runclad's own block in the file has.
std::vector<Restore> ContainerdRestores(const std::string& name, const Document& tree,
                                        const Document* original, const Document& block);
// What leads the name to a lower runtime where `tree` has its entry, and makes it the default no
// longer.
std::vector<Setting> ContainerdKept(const Registration& lower, const Document& tree);

std::vector<Setting> CrioSettings(const Registration& registration, const Document& effective);
std::vector<Restore> CrioRestores(const std::string& name, const Document& tree,
                                  const Document* original);

// `is_crun`: the lower runtime is crun, which can run containers without a cgroup.
std::vector<Setting> PodmanSettings(const Registration& registration, const Document& effective,
                                    bool is_crun);
std::vector<Restore> PodmanRestores(const std::string& name, const Document& tree,
                                    const Document* original);

std::vector<Setting> BuildkitSettings(const Registration& registration);
std::vector<Restore> BuildkitRestores(const std::string& program, const Document& tree,
                                      const Document* original);

}  // namespace runclad::configure
