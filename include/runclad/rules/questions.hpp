// What rules may read in addition to the document: one type for each question about the host, the
// image or the container. A check names the questions that it reads in its signature, and only
// those are asked (rules/binding.hpp). What one rule alone reads, and finds out by itself, is in
// its own folder: src/rules/<id>/facts.hpp. Here is what several rules read, what the promise
// (enforce/promise.hpp) reads too, and what takes the policy or the engine to answer.
// enforce/facts.cpp has the one function that answers each.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
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

using store::kSeverityNames;
using store::Severity;
using store::VulnerabilityCount;
using store::VulnerabilityCounts;

struct ContainerName {
  std::string id;          // empty: not known
  std::string name_space;  // containerd's, by the bundle's place; empty: another engine's
};

struct LowerRuntime {
  bool is_crun = false;  // by the name of its program
};

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
  // As in ImageFacts.
  std::optional<ScanFacts> scan = {};
  std::string no_scan_because = {};
  std::string mispinned_name = {};
  std::vector<std::string> pinned_digests = {};
};

// What the policy and a scanner say of the images.
struct ImageFacts {
  // Looked for when the policy asks for it. None: because …
  std::optional<ScanFacts> scan;
  std::string no_scan_because;
  // One of its names that the policy pins to other digests than the image has, and these.
  std::string mispinned_name;
  std::vector<std::string> pinned_digests;
  std::vector<ImageVolumeFacts> volumes;
};

using Program = std::optional<ProgramFacts>;     // none: the document names none, or no image
using Hooks = std::map<std::string, HookFacts>;  // by pointer: "/hooks/prestart/0"

// By /mounts/*/source as written for binds, by each layer's directory for overlay mounts.
using Sources = std::map<std::string, SourceFacts>;
using Namespaces = std::map<std::string, NamespaceFacts>;  // by /linux/namespaces/*/path as written
// None: the root of the container's user namespace is the host's, or could not be found out.
using UserNamespace = std::optional<UserNamespaceFacts>;
using HostSys = std::optional<HostSysFacts>;  // none: podman did not bind it, see engine_sys.hpp

// The directory of the container's root: st_dev and st_ino; 0: not known.
struct RootDirectory {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
};

// The policy's devices.allow, for device-cgroup.
struct ListedDevices {
  std::vector<std::string> entries;
};

// Paths inside the container with links resolved: every mount destination, through what is mounted
// before it, and every path that read-only-rootfs may mount a tmpfs over. A path that is not in
// here resolves to itself.
struct Destinations {
  std::map<std::string, std::string> resolved;
  // Of /mounts/*/destination as written: a predicate that says why the runtime may mount elsewhere.
  std::map<std::string, std::string> uncertain;

  [[nodiscard]] const std::string& Resolve(const std::string& destination) const {
    const auto found = resolved.find(destination);
    return found == resolved.end() ? destination : found->second;
  }
};

using WorkingDirectory = std::optional<PlaceFacts>;  // none: relative, or not looked for

// By /linux/maskedPaths/* and /linux/readonlyPaths/* as written.
struct HardenedPaths {
  std::map<std::string, PlaceFacts> places;

  // Whether the path leads to the container's root.
  [[nodiscard]] bool IsRoot(const std::string& path) const {
    const auto found = places.find(path);
    return (found == places.end() ? path : found->second.resolved) == "/";
  }
};

// What the image has where read-only-rootfs may mount a tmpfs, by resolved path.
struct ImageDirectories {
  std::map<std::string, DirectoryFacts> by_path;
};

// Where mount-options leaves programs runnable: its exec-paths, resolved.
struct ExecDirectories {
  std::vector<std::string> paths;
};

// Every question.
using Answers = std::tuple<engine::Identity, ContainerName, LowerRuntime, ImageFacts, KernelFacts,
                           LsmFacts, Program, Hooks, RootFacts, RootDirectory, Sources, Namespaces,
                           UserNamespace, HostSys, ListedDevices, Destinations, WorkingDirectory,
                           HardenedPaths, ImageDirectories, ExecDirectories>;

}  // namespace runclad::rules
