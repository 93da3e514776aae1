// sysctls: only settings of the kernel that are the container's own and cannot hurt others.
#include <algorithm>
#include <string_view>

#include "runclad/json/pointer.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::rules {
namespace {

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

// What `docker run --domainname` asks for: a name in the container's own UTS namespace.
bool IsOwnDomainName(const oci::Spec& spec, std::string_view name) {
  if (name != "kernel.domainname") return false;
  const std::vector<oci::Namespace> namespaces = spec.namespaces();
  return std::ranges::any_of(namespaces, [](const oci::Namespace& entry) {
    return entry.type == "uts" && entry.path.empty();
  });
}

Findings Check(const oci::Spec& spec, const Context& context) {
  const std::vector<std::string>& allowed = context.parameters.strings("allow");
  Findings findings;
  for (const auto& [name, value] : spec.sysctls()) {
    const std::string canonical = Canonical(name);
    const bool is_allowed = std::ranges::find(kSafe, canonical) != std::end(kSafe) ||
                            IsOwnDomainName(spec, canonical) ||
                            std::ranges::any_of(allowed, [&](const std::string& entry) {
                              // "net.core.*"
                              return entry.ends_with(".*")
                                         ? canonical.starts_with(entry.substr(0, entry.size() - 1))
                                         : Canonical(entry) == canonical;
                            });
    if (is_allowed) continue;
    findings.push_back(Refuse("/linux/sysctl/" + json::Escape(name), value,
                              "is a setting of the kernel outside the safe set"));
  }
  return findings;
}

constexpr policy::ParameterSchema kParameters[] = {
    {.name = "allow",
     .type = policy::ParameterType::kStrings,
     .merge = policy::Merge::kReplace,
     .vocabulary = policy::Vocabulary::kAny,
     .choices = {},
     .description = "settings beyond the safe set that may be asked for; net.core.* stands for all "
                    "below",
     .order = policy::Order::kMoreIsLooser,
     .docker_default = std::span<const std::string_view>()},
};
constexpr std::string_view kBenchmarks[] = {"PSS baseline"};
constexpr std::string_view kPaths[] = {"/linux/sysctl"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kSysctls{
    .schema = {.id = "sysctls", .actions = kActions, .parameters = kParameters},
    .title = "Only safe settings of the kernel",
    .rationale =
        "A setting that is not the container's own changes the host and every other container; "
        "kernel.core_pattern is a program that the host runs. The runtime refuses some of them by "
        "itself, and which differs with its version and the namespaces.",
    .way_out = "list the setting in sysctls.allow",
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Check,
};

}  // namespace runclad::rules
