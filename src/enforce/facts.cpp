#include "runclad/enforce/facts.hpp"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>
#include <optional>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/enforce/runtime_state.hpp"
#include "runclad/enforce/subject.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/engine/own_files.hpp"
#include "runclad/json/value.hpp"
#include "runclad/oci/user_namespace.hpp"
#include "runclad/rules/pod_sandbox.hpp"
#include "runclad/sys/process.hpp"
#include "runclad/sys/rootfs.hpp"

#include "hidden_facts.hpp"
#include "hook_facts.hpp"
#include "image_volume_facts.hpp"
#include "lsm_facts.hpp"
#include "mount_option_facts.hpp"
#include "namespace_facts.hpp"
#include "place_facts.hpp"
#include "program_facts.hpp"
#include "root_facts.hpp"
#include "scan_facts.hpp"
#include "source_facts.hpp"

namespace runclad::enforce {
namespace {

using rules::DirectoryFacts;

// Go's names, which engines and the seccomp profile use.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kArchitectures = {{
    {"x86_64", "amd64"},
    {"aarch64", "arm64"},
    {"ppc64le", "ppc64le"},
    {"s390x", "s390x"},
    {"riscv64", "riscv64"},
}};

rules::KernelFacts GatherKernel() {
  rules::KernelFacts kernel;
  utsname name{};
  ::uname(&name);
  const std::string_view machine = static_cast<const char*>(name.machine);
  kernel.architecture = machine;
  for (const auto& [kernels, gos] : kArchitectures) {
    if (kernels == machine) kernel.architecture = gos;
  }
  const std::string_view release = static_cast<const char*>(name.release);
  const char* end = release.data() + release.size();
  const auto major = std::from_chars(release.data(), end, kernel.major);
  if (major.ptr != end) std::from_chars(major.ptr + 1, end, kernel.minor);
  for (int cpu = 0;; ++cpu) {
    std::string path = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/thermal_throttle";
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) break;
    kernel.thermal_throttle_paths.push_back(std::move(path));
  }
  return kernel;
}

// Looked for only for a container that asks for nearly all there are.
std::uint64_t OwnCapabilities(const oci::Spec& spec) {
  constexpr std::size_t kMany = 30;
  const auto sets = spec.capabilities();
  const bool wants_many = std::ranges::any_of(
      sets, [](const oci::CapabilitySet& set) { return set.capabilities.size() >= kMany; });
  std::uint64_t own = 0;
  constexpr unsigned kNumbers = 64;
  for (unsigned number = 0; wants_many && number < kNumbers; ++number) {
    if (::prctl(PR_CAPBSET_READ, number, 0, 0, 0) == 1) own |= std::uint64_t{1} << number;
  }
  return own;
}

// The id inside the container of the host's `id` under a mapping of /linux (uidMappings, …).
std::optional<std::uint32_t> MapToContainer(const oci::Spec& spec, const char* mappings,
                                            std::uint32_t id) {
  const json::Document& document = spec.document();
  const auto linux_member = document.find("linux");
  if (linux_member == document.end() || !linux_member->contains(mappings)) return id;
  for (const json::Document& mapping : linux_member->at(mappings)) {
    const auto host = mapping.value("hostID", std::uint32_t{0});
    const auto size = mapping.value("size", std::uint32_t{0});
    if (id >= host && id - host < size) {
      return mapping.value("containerID", std::uint32_t{0}) + (id - host);
    }
  }
  return std::nullopt;
}

DirectoryFacts Describe(const oci::Spec& spec, const sys::Rootfs& rootfs,
                        const std::string& resolved) {
  DirectoryFacts facts;
  const auto status = rootfs.Examine(resolved);
  if (!status) return facts;
  facts.kind =
      S_ISDIR(status->st_mode) ? DirectoryFacts::Kind::kDirectory : DirectoryFacts::Kind::kOther;
  if (facts.kind == DirectoryFacts::Kind::kOther) return facts;
  constexpr std::uint32_t kPermissions = 07777;
  facts.mode = status->st_mode & kPermissions;
  // An owner that the container cannot see is nobody's to it; its root is the nearest to that.
  facts.uid = MapToContainer(spec, "uidMappings", status->st_uid).value_or(0);
  facts.gid = MapToContainer(spec, "gidMappings", status->st_gid).value_or(0);
  sys::DirectoryContent content = rootfs.Measure(resolved);
  facts.content_bytes = content.bytes;
  facts.special = std::move(content.special);
  return facts;
}

// Empty when the spec has none.
std::string RootOf(const oci::Spec& spec, const Request& request) {
  const std::string root = spec.root_path();
  return root.empty() || root.starts_with('/') ? root : request.bundle + "/" + root;
}

// What the image is known to write and does not get: what its file asked for beyond the host's
// trust, and what its config declares (ctr makes no volumes of these; the other engines do).
std::vector<rules::WrittenDirectory> Written(const policy::Effective& policy,
                                             const engine::Identity& identity) {
  std::vector<rules::WrittenDirectory> written;
  for (const policy::Cut& cut : policy.cuts) {
    if (cut.parameter != "read-only-rootfs/writable") continue;
    written.push_back({cut.value, "is written by this image, says " + cut.source +
                                      ", and becomes read-only: it " + cut.because});
  }
  if (!identity.is_known()) return written;
  for (const std::string& path : identity.volumes) {
    written.push_back({path,
                       "is a volume by the image's own word, and becomes read-only: no volume is "
                       "mounted there"});
  }
  return written;
}

// Where a path leads in the container; kept, since most are asked for more than once.
Result<std::string> ResolveOnce(const std::string& path, const sys::Rootfs& rootfs,
                                rules::Facts& facts) {
  const auto known = facts.resolved_destinations.find(path);
  if (known != facts.resolved_destinations.end()) return known->second;
  auto resolved = rootfs.Resolve(path);
  if (resolved) facts.resolved_destinations.emplace(path, *resolved);
  return resolved;
}

Status GatherRootfs(const oci::Spec& spec, const policy::Effective& policy, const Request& request,
                    const Subject& subject, rules::Facts& facts) {
  const std::string root = RootOf(spec, request);
  if (root.empty()) return {};
  const auto rootfs = sys::Rootfs::Open(root);
  // Without a rootfs no container starts; the lower runtime says so best.
  if (!rootfs) return {};
  if (const auto status = rootfs->Examine("/")) {
    facts.root.device = status->st_dev;
    facts.root.inode = status->st_ino;
  }
  GatherPlaces(spec, root, request.bundle, facts);
  // Of a document by hand (runcladctl check) the image is anybody's word.
  const policy::RuleSetting& hidden = policy.rule("hidden-paths");
  auto found = subject.layout.id.empty()
                   ? GatherHidden(hidden, *rootfs)
                   : GatherHidden(hidden, *rootfs, {.identity = subject.identity, .root = root});
  if (!found) return found.error().In("hidden-paths");
  facts.hidden = *std::move(found);
  auto gathered = GatherMountOptions(spec, policy.rule("mount-options"), *rootfs, facts);
  if (!gathered) return gathered.error().In("mount-options.exec-paths");
  const policy::RuleSetting& setting = policy.rule("read-only-rootfs");
  if (setting.action == policy::Action::kOff || spec.root_is_read_only()) return {};
  std::vector<std::string> writable = {"/tmp", "/var/tmp", "/run"};
  const std::vector<std::string>& listed = setting.parameters.strings("writable");
  writable.insert(writable.end(), listed.begin(), listed.end());
  for (const std::string& path : writable) {
    const auto resolved = ResolveOnce(path, *rootfs, facts);
    if (!resolved) return resolved.error().In("a writable directory");
    facts.directories.try_emplace(*resolved, Describe(spec, *rootfs, *resolved));
  }
  if (setting.action != policy::Action::kFix) return {};
  facts.written = Written(policy, facts.identity);
  for (const rules::WrittenDirectory& directory : facts.written) {
    const auto resolved = ResolveOnce(directory.path, *rootfs, facts);
    if (!resolved) return resolved.error().In("a directory that the image writes");
  }
  return {};
}

// Whether the container has the host's ipc namespace by leave of host-namespaces.
bool MayHaveHostIpc(const oci::Spec& spec, const policy::Effective& policy,
                    const rules::Facts& facts) {
  const auto& allowed = policy.rule("host-namespaces").parameters.strings("allow");
  const bool is_allowed = std::ranges::find(allowed, "ipc") != allowed.end();
  if (!is_allowed && !rules::IsPodSandbox(spec, facts.identity)) return false;
  const auto namespaces = spec.namespaces();
  return std::ranges::none_of(namespaces, [&](const oci::Namespace& entry) {
    if (entry.type != "ipc") return false;
    const auto found = facts.namespaces.find(entry.path);
    return found == facts.namespaces.end() ||
           found->second.owner != rules::NamespaceFacts::Owner::kHost;
  });
}

Status GatherHost(const oci::Spec& spec, const policy::Effective& policy, const Request& request,
                  const Subject& subject, rules::Facts& facts) {
  const std::string& sandbox = subject.pod.sandbox;
  const auto find_container = [&](pid_t pid) {
    std::string id = request.records == nullptr ? std::string() : request.records->FindByPid(pid);
    if (!id.empty() || sandbox.empty()) return id;
    // Its own pod's sandbox may be older than runclad on this host.
    const auto state = ReadRuntimeState(request.runtime_root, sandbox);
    const bool is_sandboxs = state && state->pid == pid && state->start_time == sys::StartTime(pid);
    return is_sandboxs ? sandbox : std::string();
  };
  GatherNamespaces(spec, subject.layout, find_container, subject.pod, facts.namespaces);
  engine::OwnFiles own_files(subject.layout, JoinedPeers(spec, facts.namespaces), subject.pod);
  own_files.AddSharers([&](std::string_view id, std::string_view type) {
    if (request.records == nullptr) return false;
    const auto record = request.records->Find(id, RecordParts::kLife);
    if (!record || !record->has_value() || (*record)->pid == 0) return false;
    const pid_t pid = (*record)->pid;
    return IsInJoined(pid, type, spec, facts.namespaces) &&
           sys::StartTime(pid) == (*record)->start_time;
  });
  if (MayHaveHostIpc(spec, policy, facts)) own_files.AddHostShm();
  if (const auto root = oci::MappedRoot(spec)) own_files.AddMappedRoot(*root);
  const ImagesBySource images =
      GatherSources(spec, policy.rule("host-mounts"), policy.rule("read-only-mounts"),
                    request.bundle, own_files, facts.sources);
  if (auto gathered = GatherImageVolumes(spec, images, policy, request, facts); !gathered) {
    return gathered;
  }
  facts.root = DescribeRoot(spec, policy.rule("rootfs-path"), request.bundle, subject.layout,
                            subject.identity.own_layer);
  if (request.starts_at_once && !facts.root.resolved.empty()) {
    facts.root.replaceable_because =
        ReplaceableBecause(policy.rule("host-mounts"), subject.layout, facts.root.resolved);
  }
  GatherHooks(spec, policy.rule("hooks"), subject.layout, facts.hooks);
  return {};
}

// <state>/io.containerd.runtime.v2.task/<namespace>/<id>
std::string NameSpaceOf(const engine::Layout& layout) {
  if (layout.engine != engine::Engine::kContainerd) return {};
  const std::string directory = layout.bundle.substr(0, layout.bundle.rfind('/'));
  return directory.substr(directory.rfind('/') + 1);
}

}  // namespace

Result<rules::Facts> GatherFacts(const oci::Spec& spec, const policy::Effective& policy,
                                 const Request& request, const Subject& subject) {
  rules::Facts facts;
  facts.container = request.id;
  facts.name_space = NameSpaceOf(subject.layout);
  facts.identity = subject.identity;
  facts.mispinned_name = policy.image.mispinned_name;
  facts.pinned_digests = policy.image.pinned;
  Scan scan = GatherScan(policy.rule("image"), facts.identity, std::time(nullptr));
  facts.scan = std::move(scan.found);
  facts.no_scan_because = std::move(scan.missing_because);
  facts.kernel = GatherKernel();
  facts.kernel.capabilities = OwnCapabilities(spec);
  facts.lsm = GatherLsm(spec, policy.rule("lsm-label"), facts.identity.engine);
  facts.listed_devices = policy.rule("devices").parameters.strings("allow");
  if (auto gathered = GatherHost(spec, policy, request, subject, facts); !gathered) {
    return gathered.error();
  }
  if (auto gathered = GatherRootfs(spec, policy, request, subject, facts); !gathered) {
    return gathered.error();
  }
  auto program = GatherProgram(spec, policy, RootOf(spec, request), facts.resolved_destinations);
  if (!program) return program.error();
  facts.program = *std::move(program);
  return facts;
}

Result<rules::Facts> GatherProcessFacts(const oci::Spec& process, const policy::Effective& policy,
                                        const engine::Identity& identity, const std::string& root) {
  rules::Facts facts;
  facts.identity = identity;
  facts.lsm = GatherLsm(process, policy.rule("lsm-label"), identity.engine);
  auto program = GatherProgram(process, policy, root, {});
  if (!program) return program.error();
  facts.program = *std::move(program);
  GatherWorkingDirectory(process, root, facts);
  return facts;
}

}  // namespace runclad::enforce
