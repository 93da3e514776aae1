// What rules may read in addition to the spec. Gathered in advance by enforce: rules do no I/O.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/engine/identity.hpp"
#include "runclad/host/facts.hpp"
#include "runclad/policy/parameters.hpp"
#include "runclad/store/vulnerabilities.hpp"

namespace runclad::rules {

using host::DirectoryFacts;
using host::HiddenFacts;
using host::HookFacts;
using host::HostSysFacts;
using host::KernelFacts;
using host::LsmFacts;
using host::NamespaceFacts;
using host::PlaceFacts;
using host::ProgramFacts;
using host::RootFacts;
using host::SourceFacts;
using host::UserNamespaceFacts;

// A directory that the container's image is known to write to, but that the policy makes read-only.
struct WrittenDirectory {
  std::string path;
  std::string because;  // a predicate: "is declared as a volume by the image …"
};

using store::kSeverityNames;
using store::Severity;
using store::VulnerabilityCount;
using store::VulnerabilityCounts;

struct ScanFacts {
  std::string scanner;  // "trivy 0.68.1"
  VulnerabilityCounts counts{};
  std::int64_t age_days = 0;
};

// An image that a mount of the container shows, and the rule `image` as the policy has it for this
// image.
struct ImageVolumeFacts {
  std::string path;         // "/mounts/7"
  std::string destination;  // as written
  engine::Identity identity;
  policy::Action action = policy::Action::kRefuse;
  policy::Parameters parameters = {};
  // As in Facts.
  std::optional<ScanFacts> scan = {};
  std::string no_scan_because = {};
  std::string mispinned_name = {};
  std::vector<std::string> pinned_digests = {};
};

struct Facts {
  std::string container;   // its id; empty: not known
  std::string name_space;  // containerd's, by the bundle's place; empty: another engine's
  engine::Identity identity;
  // What a scanner said of the image; gathered when the policy asks for it. None: because …
  std::optional<ScanFacts> scan;
  std::string no_scan_because;
  // One of its names that the policy pins to other digests than the image has, and these.
  std::string mispinned_name;
  std::vector<std::string> pinned_digests;
  std::vector<ImageVolumeFacts> image_volumes;
  KernelFacts kernel;
  bool is_crun = false;  // the lower runtime, by the name of its program
  LsmFacts lsm;
  std::optional<ProgramFacts> program;     // none: not looked for
  std::map<std::string, HookFacts> hooks;  // by pointer: "/hooks/prestart/0"
  RootFacts root;
  HiddenFacts hidden;
  // By /mounts/*/source as written for binds, by each layer's directory for overlay mounts.
  std::map<std::string, SourceFacts> sources;
  std::map<std::string, NamespaceFacts> namespaces;  // by /linux/namespaces/*/path as written
  // None: the root of the container's user namespace is the host's, or could not be found out.
  std::optional<UserNamespaceFacts> user_namespace;
  // None: podman did not bind it, see rules/engine_sys.hpp.
  std::optional<HostSysFacts> host_sys;
  // The policy's devices.allow, for device-cgroup.
  std::vector<std::string> listed_devices;
  // Paths inside the container with links resolved: every mount destination, through what is
  // mounted before it, and every path that a rule may want to make writable. A path that is not in
  // here resolves to itself.
  std::map<std::string, std::string> resolved_destinations;
  // Of /mounts/*/destination as written: a predicate that says why the runtime may mount elsewhere.
  std::map<std::string, std::string> uncertain_destinations;
  std::optional<PlaceFacts> working_directory;  // none: not looked for
  // By /linux/maskedPaths/* and /linux/readonlyPaths/* as written.
  std::map<std::string, PlaceFacts> hardened_paths;
  std::map<std::string, DirectoryFacts> directories;  // by resolved path
  // Gathered where the root becomes read-only.
  std::vector<WrittenDirectory> written;
  // Likewise: directories of the image that hold neither its programs nor the kernel's file
  // systems, resolved. What the image writes is among them or below.
  std::vector<std::string> state_directories;
  // Where mount-options leaves programs runnable: its exec-paths, resolved.
  std::vector<std::string> exec_paths;
  // /process/args/0 is s6-overlay's /init, which runs programs that it writes to /run.
  bool has_s6_overlay = false;

  [[nodiscard]] std::string Resolve(const std::string& destination) const {
    const auto found = resolved_destinations.find(destination);
    return found == resolved_destinations.end() ? destination : found->second;
  }

  // Whether a masked or read-only path leads to the container's root.
  [[nodiscard]] bool IsRoot(const std::string& hardened_path) const {
    const auto found = hardened_paths.find(hardened_path);
    return (found == hardened_paths.end() ? hardened_path : found->second.resolved) == "/";
  }
};

}  // namespace runclad::rules
