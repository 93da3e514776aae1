// sysctls: only settings of the kernel that are the container's own and cannot hurt others.
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <string_view>

#include "runclad/json/pointer.hpp"
#include "runclad/policy/table.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

struct Parameters {
  policy::StringList allow;
  bool own_defaults = false;
};

constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::allow,
     {.name = "allow",
      .description = "settings outside the safe set that may be requested; net.core.* matches "
                     "everything below"}},
    {&Parameters::own_defaults,
     {.name = "own-defaults",
      .description = "add Docker's default settings to a container with its own network that does "
                     "not set them: all ports and ping without capabilities",
      .order = policy::Order::kTrueIsLooser,
      .docker_default = true}},
});

constexpr Code kUnsafe{"unsafe", "the setting is neither in the safe set nor in allow"};
constexpr Code kOwnDefault{"own-default", "a default setting of Docker is added"};
constexpr Code kCodes[] = {kUnsafe, kOwnDefault};

// The safe set of the Pod Security Standards.
constexpr std::string_view kSafe[] = {
    "kernel.shm_rmid_forced",           "net.ipv4.ip_local_port_range",
    "net.ipv4.ip_local_reserved_ports", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.ping_group_range",        "net.ipv4.tcp_fin_timeout",
    "net.ipv4.tcp_keepalive_intvl",     "net.ipv4.tcp_keepalive_probes",
    "net.ipv4.tcp_keepalive_time",      "net.ipv4.tcp_rmem",
    "net.ipv4.tcp_syncookies",          "net.ipv4.tcp_wmem",
};

// The runtime takes "net/ipv4/…" for the same setting.
std::string Canonical(std::string name) {
  std::ranges::replace(name, '/', '.');
  return name;
}

// A namespace that is made for this container.
bool HasOwn(const oci::Spec& spec, std::string_view type) {
  const std::vector<oci::Namespace> namespaces = spec.namespaces();
  return std::ranges::any_of(namespaces, [&](const oci::Namespace& entry) {
    return entry.type == type && entry.path.empty();
  });
}

// What Docker gives every container with a network of its own, and other engines do not: with it
// neither a server on port 80 nor ping needs a capability.
void AddOwnDefaults(const oci::Spec& spec, const KernelFacts& kernel, Findings& findings) {
  // Linux 4.11 has both; a setting that is not there would fail the container.
  const bool has_them = kernel.major > 4 || (kernel.major == 4 && kernel.minor >= 11);
  if (!has_them || !HasOwn(spec, "network")) return;
  struct Default {
    std::string_view name;
    std::string_view value;
    std::string_view why;
  };
  constexpr Default kPorts = {"net.ipv4.ip_unprivileged_port_start", "0",
                              "lets any user of the container listen on ports below 1024"};
  constexpr Default kPing = {"net.ipv4.ping_group_range", "0 2147483647",
                             "lets any user of the container send pings"};
  const auto sysctls = spec.sysctls();
  const auto add = [&](const Default& setting) {
    const bool is_set = std::ranges::any_of(
        sysctls, [&](const auto& entry) { return Canonical(entry.first) == setting.name; });
    if (is_set) return;
    // Another value is asked for by the same name: nothing has to be allowed.
    findings.push_back(ProposeDefault(kOwnDefault, "/linux/sysctl/" + json::Escape(setting.name),
                                      setting.value, std::string(setting.why)));
  };
  add(kPorts);
  // In a user namespace the kernel takes only groups that are mapped.
  if (!HasOwn(spec, "user") && spec.gid_mappings().empty()) add(kPing);
}

Findings Check(const oci::Spec& spec, const Context& context, const KernelFacts& kernel) {
  const Parameters parameters = kParameters.Read(context.parameters);
  Findings findings;
  for (const auto& [name, value] : spec.sysctls()) {
    const std::string canonical = Canonical(name);
    const bool is_allowed = std::ranges::find(kSafe, canonical) != std::end(kSafe) ||
                            (canonical == "kernel.domainname" && HasOwn(spec, "uts")) ||
                            std::ranges::any_of(parameters.allow, [&](const std::string& entry) {
                              // "net.core.*"
                              return entry.ends_with(".*")
                                         ? canonical.starts_with(entry.substr(0, entry.size() - 1))
                                         : Canonical(entry) == canonical;
                            });
    if (is_allowed) continue;
    findings.push_back(Refuse(kUnsafe, "/linux/sysctl/" + json::Escape(name), value,
                              "is a kernel setting outside the safe set",
                              AddTo(kParameters[&Parameters::allow], {canonical})));
  }
  if (parameters.own_defaults) {
    AddOwnDefaults(spec, kernel, findings);
  }
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"PSS baseline"};
constexpr std::string_view kPaths[] = {"/linux/sysctl"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kSysctls{
    .schema = {.id = "sysctls", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "Only safe kernel settings",
    .rationale =
        "A setting that is not namespaced changes the host and every other container; "
        "kernel.core_pattern, for example, names a program that the host runs. The runtime itself "
        "refuses some settings, but which ones depends on its version and on the namespaces.",
    .way_out = "add the setting to sysctls.allow",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
