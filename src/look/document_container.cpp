// A container as its document describes it, for `score` without a running one.
#include <algorithm>

#include <nlohmann/json.hpp>

#include "runclad/look/score.hpp"
#include "runclad/privilege/capabilities.hpp"

namespace runclad::look {
namespace {

using json::Document;

bool Has(const oci::Mount& mount, std::string_view option) { return mount.has_option(option); }

MountState StateOf(const oci::Mount& mount) {
  MountState state;
  state.point = mount.destination;
  state.type = mount.is_bind() ? "bind" : mount.type;
  state.root = mount.is_bind() ? mount.source : "/";
  state.source = mount.source;
  state.is_writable = !Has(mount, "ro") && !Has(mount, "rro");
  state.may_execute = !Has(mount, "noexec") && !Has(mount, "rnoexec");
  state.may_set_ids = !Has(mount, "nosuid") && !Has(mount, "rnosuid");
  state.has_devices = !Has(mount, "nodev") && !Has(mount, "rnodev");
  state.is_host_bind = mount.is_bind();
  return state;
}

// The kernel's word for what the spec calls "network" and "mount".
std::string KindOf(std::string_view type) {
  if (type == "network") return "net";
  return std::string(type == "mount" ? "mnt" : type);
}

std::optional<std::int64_t> LimitAt(const Document& document, const char* pointer) {
  const Document::json_pointer at(pointer);
  if (!document.contains(at)) return std::nullopt;
  const Document& value = document.at(at);
  if (!value.is_number_integer() || value <= 0) return std::nullopt;
  return value.get<std::int64_t>();
}

}  // namespace

Container ContainerOf(const oci::Spec& spec, std::string_view id) {
  Container container;
  container.id = id;
  const oci::User user = spec.user();
  container.credentials.uids.fill(user.uid);
  container.credentials.gids.fill(user.gid);
  container.credentials.no_new_privileges = spec.no_new_privileges();
  for (const oci::CapabilitySet& set : spec.capabilities()) {
    std::uint64_t mask = 0;
    for (const std::string& name : set.capabilities) {
      const auto canonical = privilege::CanonicalCapability(name);
      const auto number = canonical ? privilege::CapabilityNumber(*canonical) : std::nullopt;
      if (number) mask |= std::uint64_t{1} << *number;
    }
    if (set.name == "bounding") container.credentials.bounding = mask;
    if (set.name == "effective") container.credentials.effective = mask;
    if (set.name == "permitted") container.credentials.permitted = mask;
    if (set.name == "ambient") container.credentials.ambient = mask;
  }
  for (const char* kind : {"cgroup", "ipc", "mnt", "net", "pid", "time", "user", "uts"}) {
    container.namespaces.push_back({kind, 0, true, {}});
  }
  for (const oci::Namespace& own : spec.namespaces()) {
    const std::string kind = KindOf(own.type);
    const auto found = std::ranges::find(container.namespaces, kind, &NamespaceState::kind);
    // Whose a path is, is not looked up.
    if (found != container.namespaces.end()) found->is_host = false;
  }
  container.has_user_namespace = !container.SharesWithHost("user");
  container.user_inside = user.uid;
  container.is_host_root = user.uid == 0 && !container.has_user_namespace;
  container.can_be_host_root = !container.has_user_namespace;
  for (const oci::IdMapping& mapping : spec.uid_mappings()) {
    if (mapping.host_id != 0) continue;
    container.can_be_host_root = true;
    if (user.uid == mapping.container_id) container.is_host_root = true;
  }
  container.label =
      spec.apparmor_profile().empty() ? spec.selinux_label() : spec.apparmor_profile();
  if (container.label == "unconfined") container.label.clear();
  container.is_root_writable = !spec.root_is_read_only();
  MountState root;
  root.point = "/";
  root.type = "overlay";
  root.root = "/";
  root.is_writable = container.is_root_writable;
  root.may_execute = root.may_set_ids = true;
  container.mounts.push_back(root);
  for (const oci::Mount& mount : spec.mounts()) container.mounts.push_back(StateOf(mount));
  for (const std::string& path : spec.readonly_paths()) {
    MountState covered;
    covered.point = path;
    covered.type = "proc";
    container.mounts.push_back(std::move(covered));
  }
  const Document& document = spec.document();
  container.limits.memory = LimitAt(document, "/linux/resources/memory/limit");
  container.limits.pids = LimitAt(document, "/linux/resources/pids/limit");
  if (const auto quota = LimitAt(document, "/linux/resources/cpu/quota")) {
    constexpr std::int64_t kDefaultPeriod = 100000;
    const auto period = LimitAt(document, "/linux/resources/cpu/period").value_or(kDefaultPeriod);
    container.limits.cpus = static_cast<double>(*quota) / static_cast<double>(period);
  }
  if (const auto programs = ProgramsOf(spec.seccomp())) {
    container.filter = Summarize(*programs);
    if (spec.has_seccomp()) {
      container.credentials.seccomp_mode = 2;
      container.filter.source = FilterSummary::Source::kDocument;
    }
  } else {
    container.filter.source = FilterSummary::Source::kUnknown;
    container.filter.unknown_because = programs.error().message;
  }
  container.promise = Promise::kUnknown;
  return container;
}

}  // namespace runclad::look
