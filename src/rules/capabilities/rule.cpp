// capabilities: each of the five sets keeps what the allowlist has; nothing is ever added
// (CIS 5.4).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

#include "runclad/policy/table.hpp"
#include "runclad/privilege/capabilities.hpp"
#include "runclad/rules/meaning.hpp"
#include "runclad/rules/parameters.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

// What engines give a container that asked for nothing (Docker, containerd; Podman: fewer).
constexpr std::array<std::string_view, 14> kEngineDefaults = {
    "CAP_AUDIT_WRITE", "CAP_CHOWN",      "CAP_DAC_OVERRIDE", "CAP_FOWNER",
    "CAP_FSETID",      "CAP_KILL",       "CAP_MKNOD",        "CAP_NET_RAW",
    "CAP_SETFCAP",     "CAP_SETGID",     "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE",
    "CAP_SETUID",      "CAP_SYS_CHROOT",
};

struct Parameters {
  policy::StringList allow;
  std::string_view unlisted;
};

constexpr std::string_view kChoices[] = {"refuse", "fix"};
constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::allow,
     {.name = "allow",
      .vocabulary = policy::Vocabulary::kCapability,
      .description = "capabilities that a container may have if it requests them",
      .docker_default = std::span<const std::string_view>(kEngineDefaults)}},
    {&Parameters::unlisted,
     {.name = "unlisted",
      .choices = kChoices,
      .description = "what happens to a capability beyond the allowlist and the engines' default: "
                     "fix removes it, refuse refuses the container",
      .docker_default = std::string_view("fix")}},
});

bool Has(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != std::ranges::end(names);
}

// Every set of the request with the names written as the spec writes them, unknown ones left out.
std::vector<oci::CapabilitySet> Canonical(const std::vector<oci::CapabilitySet>& requested) {
  std::vector<oci::CapabilitySet> sets;
  for (const oci::CapabilitySet& set : requested) {
    // Engines ask for the same in three sets, and each name costs a search.
    if (!sets.empty() && set.capabilities == requested[sets.size() - 1].capabilities) {
      sets.push_back({set.name, sets.back().capabilities});
      continue;
    }
    std::vector<std::string> known;
    for (const std::string& name : set.capabilities) {
      auto canonical = privilege::CanonicalCapability(name);
      if (canonical && !Has(known, *canonical)) known.push_back(*std::move(canonical));
    }
    sets.push_back({set.name, std::move(known)});
  }
  return sets;
}

constexpr Code kUnlisted{"unlisted", "a set contains capabilities that allow does not list",
                         Symptom::kNotPermitted};
constexpr Code kAskedFor{"asked-for",
                         "a capability beyond the allowlist and the engines' default was "
                         "requested, and unlisted is refuse"};
constexpr Code kUnknown{"unknown", "a set contains names that runclad does not know"};
constexpr Code kInheritable{"inheritable",
                            "the inheritable set contains capabilities that are not ambient"};
constexpr Code kSpelling{"spelling",
                         "a set contains duplicates or names not spelt as in the specification"};
constexpr Code kFileCapability{"file-capability",
                               "the program cannot be started without its file capabilities"};
constexpr Code kCodes[] = {kUnlisted,    kAskedFor, kUnknown,
                           kInheritable, kSpelling, kFileCapability};

std::string Joined(const std::vector<std::string>& names, std::string_view separator = " ") {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += separator;
    text += name;
  }
  return text;
}

std::vector<std::string> Missing(policy::StringList from, policy::StringList in) {
  std::vector<std::string> names;
  std::ranges::copy_if(from, std::back_inserter(names),
                       [&](const std::string& name) { return !Has(in, name); });
  return names;
}

// What the engine did not ask for no list of ours gives.
Remedy Granting(std::vector<std::string> missing, const oci::Spec& spec, const Context& context) {
  std::vector<std::string> unasked = missing;
  for (const oci::CapabilitySet& set : Canonical(spec.capabilities())) {
    if (set.name == "bounding") unasked = Missing(missing, set.capabilities);
  }
  std::vector<std::string> unlisted = Missing(missing, kParameters.Read(context.parameters).allow);
  if (unasked.empty()) return AddTo(kParameters[&Parameters::allow], std::move(unlisted));
  constexpr std::size_t kPrefix = std::string_view("CAP_").size();
  std::string clause = "run it with";
  for (const std::string& name : unasked) clause += " --cap-add " + name.substr(kPrefix);
  if (!unlisted.empty()) clause += ", and add " + Joined(unlisted, ", ") + " to capabilities.allow";
  return AskEngine(std::move(clause));
}

// execve(2) fails with a bare EPERM when a program's effective file capabilities are not all in the
// bounding set, even for root and regardless of no_new_privs: better reported in advance.
void CheckProgram(const oci::Spec& spec, const std::vector<oci::CapabilitySet>& left,
                  const Context& context, const Program& program, Findings& findings) {
  if (!program || !program->capabilities_are_effective) return;
  std::uint64_t missing = program->file_capabilities;
  for (const oci::CapabilitySet& set : left) {
    if (set.name != "bounding") continue;
    for (const std::string& name : set.capabilities) {
      missing &= ~(std::uint64_t{1} << privilege::CapabilityNumber(name).value_or(0));
    }
  }
  std::vector<std::string> names;
  for (const std::string& name : privilege::AllCapabilities()) {
    const auto number = privilege::CapabilityNumber(name);
    if (number && ((missing >> *number) & 1U) != 0) names.push_back(name);
  }
  if (names.empty()) return;
  const std::string asked = spec.arguments().empty() ? "" : spec.arguments().front();
  std::string why = "has the file capability " + Joined(names) +
                    ", which the container does not get, so that it cannot be started";
  findings.push_back(Refuse(kFileCapability, "/process/args/0", asked, std::move(why),
                            Granting(std::move(names), spec, context)));
}

// What was asked for by name, each capability once: `found`.
Findings CheckAskedFor(const std::vector<oci::CapabilitySet>& sets, policy::StringList allowed,
                       std::vector<std::string>& found) {
  Findings findings;
  for (const oci::CapabilitySet& set : sets) {
    for (const std::string& name : set.capabilities) {
      if (Has(allowed, name) || Has(kEngineDefaults, name) || Has(found, name)) continue;
      found.push_back(name);
      findings.push_back(Refuse(kAskedFor, "/process/capabilities/" + std::string(set.name), name,
                                "is not on the allowlist",
                                AddTo(kParameters[&Parameters::allow], {name})));
    }
  }
  return findings;
}

// Inheritable capabilities are useful only for programs with inheritable file capabilities
// (CVE-2022-24769); only the kernel wants those that are ambient to be there too.
bool IsUseless(const oci::CapabilitySet& set, const std::string& name,
               const std::vector<std::string>& ambient) {
  return set.name == "inheritable" && !Has(ambient, name);
}

// `known` is what the request has under names that there are, `left` what remains of it. What lets
// a capability be in one set lets it be in each, and engines ask for the same in three of them: it
// is advised once, and then `advised`.
Finding CutTo(const std::vector<std::string>& left, const oci::CapabilitySet& requested,
              const std::vector<std::string>& known, const std::vector<std::string>& ambient,
              std::vector<std::string>& advised) {
  std::string path = "/process/capabilities/" + std::string(requested.name);
  std::vector<std::string> unlisted = Missing(known, left);
  const std::size_t lost = unlisted.size();
  std::erase_if(unlisted,
                [&](const std::string& name) { return IsUseless(requested, name, ambient); });
  std::string why = "contains " + Joined(Missing(requested.capabilities, left));
  if (!unlisted.empty()) {
    std::erase_if(unlisted, [&](const std::string& name) { return Has(advised, name); });
    advised.insert(advised.end(), unlisted.begin(), unlisted.end());
    return Propose(
        kUnlisted, std::move(path), left, why + ", not on the allowlist",
        unlisted.empty() ? Remedy() : AddTo(kParameters[&Parameters::allow], std::move(unlisted)));
  }
  if (lost > 0) {
    return Propose(kInheritable, std::move(path), left, why + ", which are not ambient",
                   NoRemedy("inheritable capabilities are kept only if they are ambient"));
  }
  const bool is_known = std::ranges::all_of(requested.capabilities, [](const std::string& name) {
    return privilege::CanonicalCapability(name).has_value();
  });
  if (!is_known) {
    return Propose(kUnknown, std::move(path), left, why + ", not all of which are known",
                   NoRemedy("runclad does not know the name of this capability"));
  }
  // Nothing useful is lost.
  return Propose(kSpelling, std::move(path), left, "is not spelt as in the specification");
}

Findings Check(const oci::Spec& spec, const Context& context, const Program& program) {
  const Parameters parameters = kParameters.Read(context.parameters);
  const std::vector<oci::CapabilitySet> requested = spec.capabilities();
  const std::vector<oci::CapabilitySet> known = Canonical(requested);

  // The others are found, too: whoever allows what was asked for is not refused for them later.
  Findings findings;
  std::vector<std::string> advised;
  if (parameters.unlisted == "refuse") findings = CheckAskedFor(known, parameters.allow, advised);

  std::vector<std::string> ambient;
  for (const oci::CapabilitySet& set : known) {
    if (set.name == "ambient") ambient = set.capabilities;
  }
  std::vector<oci::CapabilitySet> left;
  for (std::size_t i = 0; i < known.size(); ++i) {
    oci::CapabilitySet& kept = left.emplace_back(oci::CapabilitySet{known[i].name, {}});
    std::ranges::copy_if(
        known[i].capabilities, std::back_inserter(kept.capabilities), [&](const std::string& name) {
          return Has(parameters.allow, name) && !IsUseless(known[i], name, ambient);
        });
    if (kept.capabilities == requested[i].capabilities) continue;
    findings.push_back(
        CutTo(kept.capabilities, requested[i], known[i].capabilities, ambient, advised));
  }
  CheckProgram(spec, left, context, program, findings);
  return findings;
}

// The container's own request is already decided; that of an exec is only reduced.
void ForExec(const oci::Spec& spec, policy::Parameters& parameters) {
  for (oci::CapabilitySet& set : spec.capabilities()) {
    if (set.name != "bounding") continue;
    kParameters.Set(parameters, &Parameters::allow, std::move(set.capabilities));
    kParameters.Set(parameters, &Parameters::unlisted, "fix");
  }
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.4", "PSS baseline", "PSS restricted"};
constexpr std::string_view kPaths[] = {
    "/process/capabilities/bounding",    "/process/capabilities/effective",
    "/process/capabilities/inheritable", "/process/capabilities/permitted",
    "/process/capabilities/ambient",     "/process/args/0"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kCapabilities{
    .schema = {.id = "capabilities", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "Only capabilities on the allowlist",
    .rationale =
        "Container engines grant 14 capabilities by default and any others on request; most "
        "services need none. Each of the five sets is reduced to the allowlist, for the first "
        "process and for every exec. Nothing is ever added.",
    .way_out = "add the capability to capabilities.allow",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kProcess,
    .for_exec = Bind<ForExec>(),
    .check = Bind<Check>(),
};

extern constinit const ParameterPlace kAllowedCapabilities{kCapabilities,
                                                           kParameters[&Parameters::allow]};

policy::StringList AllowedCapabilities(const policy::RuleSetting& setting) {
  return kParameters.ReadForOthers(setting).allow;
}

bool EqualsHostRoot(std::string_view capability, bool in_host_pid_namespace) {
  constexpr std::string_view kRoot[] = {"CAP_DAC_READ_SEARCH", "CAP_SYS_ADMIN", "CAP_SYS_MODULE",
                                        "CAP_SYS_RAWIO"};
  return std::ranges::find(kRoot, capability) != std::end(kRoot) ||
         (capability == "CAP_SYS_PTRACE" && in_host_pid_namespace);
}

}  // namespace runclad::rules
