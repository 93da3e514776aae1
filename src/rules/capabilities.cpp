// capabilities: each of the five sets keeps what the allowlist has; nothing is ever added
// (CIS 5.4).
#include "runclad/privilege/capabilities.hpp"

#include <algorithm>
#include <array>

#include "runclad/rules/rule.hpp"

namespace runclad::rules {
namespace {

// What engines give a container that asked for nothing (Docker, containerd; Podman: fewer).
constexpr std::array<std::string_view, 14> kEngineDefaults = {
    "CAP_AUDIT_WRITE", "CAP_CHOWN",      "CAP_DAC_OVERRIDE", "CAP_FOWNER",
    "CAP_FSETID",      "CAP_KILL",       "CAP_MKNOD",        "CAP_NET_RAW",
    "CAP_SETFCAP",     "CAP_SETGID",     "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE",
    "CAP_SETUID",      "CAP_SYS_CHROOT",
};

bool Has(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != std::ranges::end(names);
}

// Every set of the request with the names written as the spec writes them, unknown ones left out.
std::vector<oci::CapabilitySet> Canonical(const oci::Spec& spec) {
  std::vector<oci::CapabilitySet> sets = spec.capabilities();
  for (oci::CapabilitySet& set : sets) {
    std::vector<std::string> known;
    for (const std::string& name : set.capabilities) {
      const auto canonical = privilege::CanonicalCapability(name);
      if (canonical && !Has(known, *canonical)) known.push_back(*canonical);
    }
    set.capabilities = std::move(known);
  }
  return sets;
}

std::string Missing(const std::vector<std::string>& from, const std::vector<std::string>& in) {
  std::string names;
  for (const std::string& name : from) {
    if (Has(in, name)) continue;
    if (!names.empty()) names += ' ';
    names += name;
  }
  return names;
}

// execve(2) fails with a bare EPERM when a program's effective file capabilities are not all in the
// bounding set, for root as well and whatever no_new_privs says: better told beforehand.
void CheckProgram(const oci::Spec& spec, const std::vector<oci::CapabilitySet>& left,
                  const Context& context, Findings& findings) {
  const auto& program = context.facts.program;
  if (!program || !program->capabilities_are_effective) return;
  std::uint64_t missing = program->file_capabilities;
  for (const oci::CapabilitySet& set : left) {
    if (set.name != "bounding") continue;
    for (const std::string& name : set.capabilities) {
      missing &= ~(std::uint64_t{1} << privilege::CapabilityNumber(name).value_or(0));
    }
  }
  std::string names;
  for (const std::string& name : privilege::AllCapabilities()) {
    const auto number = privilege::CapabilityNumber(name);
    if (!number || ((missing >> *number) & 1U) == 0) continue;
    if (!names.empty()) names += ' ';
    names += name;
  }
  if (names.empty()) return;
  const std::string asked = spec.arguments().empty() ? "" : spec.arguments().front();
  findings.push_back(Refuse("/process/args/0", asked,
                            "has the file capability " + names +
                                ", which the container does not get: it could not be started"));
}

Findings Check(const oci::Spec& spec, const Context& context) {
  const std::vector<std::string>& allowed = context.parameters.strings("allow");
  const std::vector<oci::CapabilitySet> requested = spec.capabilities();
  std::vector<oci::CapabilitySet> sets = Canonical(spec);

  Findings findings;
  if (context.parameters.text("unlisted") == "refuse") {
    for (std::size_t i = 0; i < sets.size(); ++i) {
      for (const std::string& name : sets[i].capabilities) {
        if (Has(allowed, name) || Has(kEngineDefaults, name)) continue;
        return {Refuse("/process/capabilities/" + std::string(sets[i].name), name,
                       "was asked for beyond the allowlist")};
      }
    }
  }

  std::vector<std::string> ambient;
  for (const oci::CapabilitySet& set : sets) {
    if (set.name == "ambient") ambient = set.capabilities;
  }
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const bool is_inheritable = sets[i].name == "inheritable";
    std::erase_if(sets[i].capabilities, [&](const std::string& name) {
      // Inheritable capabilities serve nobody but programs with inheritable file capabilities
      // (CVE-2022-24769); only the kernel wants those that are ambient to be there too.
      return !Has(allowed, name) || (is_inheritable && !Has(ambient, name));
    });
    if (sets[i].capabilities == requested[i].capabilities) continue;
    findings.push_back(Propose("/process/capabilities/" + std::string(sets[i].name),
                               sets[i].capabilities,
                               "holds " + Missing(requested[i].capabilities, sets[i].capabilities) +
                                   " beyond the allowlist"));
  }
  CheckProgram(spec, sets, context, findings);
  return findings;
}

constexpr std::string_view kUnlisted[] = {"refuse", "fix"};
constexpr policy::ParameterSchema kParameters[] = {
    {.name = "allow",
     .type = policy::ParameterType::kStrings,
     .merge = policy::Merge::kReplace,
     .vocabulary = policy::Vocabulary::kCapability,
     .choices = {},
     .description = "capabilities that a container may keep when it asks for them",
     .order = policy::Order::kMoreIsLooser,
     .docker_default = std::span<const std::string_view>(kEngineDefaults)},
    {.name = "unlisted",
     .type = policy::ParameterType::kText,
     .merge = policy::Merge::kReplace,
     .vocabulary = policy::Vocabulary::kChoice,
     .choices = kUnlisted,
     .description = "what a request beyond the allowlist and the engines' own default gets: fix "
                    "drops it, refuse stops the container",
     .order = policy::Order::kLaterIsLooser,
     .docker_default = std::string_view("fix")},
};
constexpr std::string_view kBenchmarks[] = {"CIS 5.4", "PSS baseline", "PSS restricted"};
constexpr std::string_view kPaths[] = {
    "/process/capabilities/bounding",    "/process/capabilities/effective",
    "/process/capabilities/inheritable", "/process/capabilities/permitted",
    "/process/capabilities/ambient",     "/process/args/0"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kCapabilities{
    .schema = {.id = "capabilities", .actions = kActions, .parameters = kParameters},
    .title = "Only the capabilities on the allowlist",
    .rationale =
        "Container engines hand out 14 capabilities by default and any on request; most services "
        "need none. Each of the five sets is cut to the allowlist, for the first process and for "
        "every exec, and nothing is ever added.",
    .way_out = "add the capability to capabilities.allow",
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kProcess,
    .check = Check,
};

}  // namespace runclad::rules
