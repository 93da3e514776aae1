// lsm-label: processes are confined by the kernel's security module (CIS 5.2, 5.3).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/policy/table.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

struct Parameters {
  std::string_view unconfined;
  std::string_view apparmor;
};

constexpr std::string_view kChoices[] = {"refuse", "fix"};
constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::unconfined,
     {.name = "unconfined",
      .choices = kChoices,
      .description = "what happens to an explicit request to be unconfined; fix applies the "
                     "AppArmor default profile or the SELinux type container_t",
      .docker_default = std::string_view("refuse")}},
    {&Parameters::apparmor,
     {.name = "apparmor",
      .description = "the AppArmor profile for processes that specify none; empty: the engine's "
                     "default profile, if it is loaded",
      .docker_default = policy::Anything{}}},
});

// From the record of the container, for an exec: no policy file can contain this.
struct Recorded {
  policy::StringList own_labels;  // the container's AppArmor profile and SELinux label
};

constexpr auto kRecorded =
    policy::TableOf<Recorded>({{&Recorded::own_labels, {.name = "own-labels"}}});

constexpr const char* kProfilePath = "/process/apparmorProfile";
constexpr const char* kLabelPath = "/process/selinuxLabel";

// The kernel skips blanks before the name; a profile of another namespace (":ns:name") or of
// several
// ("a//&b") is more than its name says.
bool NamesNoConfinement(std::string_view profile) {
  const std::size_t begin = profile.find_first_not_of(" \t\n\v\f\r");
  if (begin == std::string_view::npos) return true;
  profile.remove_prefix(begin);
  return profile == "unconfined" || profile.starts_with(':') || profile.starts_with('&') ||
         profile.find("//&") != std::string_view::npos;
}

// user:role:type:level
constexpr std::size_t kTypeField = 2;

std::vector<std::string> Fields(const std::string& label) {
  std::vector<std::string> fields;
  for (std::size_t begin = 0; begin <= label.size() && fields.size() <= kTypeField;) {
    const std::size_t colon = label.find(':', begin);
    fields.push_back(label.substr(begin, colon - begin));
    if (colon == std::string::npos) break;
    begin = colon + 1;
  }
  return fields;
}

bool IsUnconfinedType(std::string_view type) {
  constexpr std::string_view kTypes[] = {
      "container_runtime_t",  "init_t",      "initrc_t", "kernel_t", "spc_t", "sysadm_t",
      "unconfined_service_t", "unconfined_t"};
  return std::ranges::find(kTypes, type) != std::end(kTypes);
}

bool IsContainerFileType(std::string_view type) {
  constexpr std::string_view kTypes[] = {"container_file_t", "container_ro_file_t",
                                         "container_share_t", "container_var_lib_t",
                                         "svirt_sandbox_file_t"};
  return std::ranges::find(kTypes, type) != std::end(kTypes);
}

constexpr Code kNoProfile{"no-profile", "no AppArmor profile is specified"};
constexpr Code kNoDefault{
    "no-default", "no AppArmor profile confines the process, and no default profile is available"};
constexpr Code kUnconfined{"unconfined",
                           "the request is for a process without AppArmor confinement"};
constexpr Code kNotEnforced{"not-enforced", "the AppArmor profile is not loaded or not enforced"};
constexpr Code kNoLabel{"no-label", "no SELinux label is specified"};
constexpr Code kMalformedLabel{"malformed-label", "the SELinux label has no type"};
constexpr Code kUnconfinedType{"unconfined-type", "SELinux does not confine the label's type"};
constexpr Code kMountLabel{"mount-label", "the mount label is not one for container files"};
constexpr Code kForeignLabel{"foreign-label",
                             "an exec requests a label other than its container's"};
constexpr Code kCodes[] = {kNoProfile,      kNoDefault,      kUnconfined, kNotEnforced, kNoLabel,
                           kMalformedLabel, kUnconfinedType, kMountLabel, kForeignLabel};

// No setting lets a process be unconfined: unconfined "fix" starts it, but confined.
Remedy NamingProfile() {
  return AskEngine(
      "specify a profile that allows what it needs and is loaded and enforced, with --security-opt "
      "apparmor=NAME");
}
Remedy NamingType() {
  return AskEngine("specify a type that allows what it needs, with --security-opt label=type:NAME");
}

void CheckAppArmor(const oci::Spec& spec, const LsmFacts& lsm, const Parameters& parameters,
                   Findings& findings) {
  if (!lsm.apparmor) return;
  const std::string asked = spec.apparmor_profile();
  const std::string_view named = parameters.apparmor;
  const std::string_view ours = named.empty() ? std::string_view{lsm.apparmor_default} : named;
  if (asked.empty()) {
    // Nothing was asked for, so that the default takes nothing away.
    findings.push_back(ours.empty()
                           ? Note(kNoDefault, kProfilePath, {},
                                  "is missing, and no engine's default profile is loaded",
                                  NamingProfile())
                           : Propose(kNoProfile, kProfilePath, ours,
                                     "is missing: AppArmor would not confine the process"));
    return;
  }
  const bool is_unconfined = NamesNoConfinement(asked);
  const Code& code = is_unconfined ? kUnconfined : kNotEnforced;
  std::string why = is_unconfined ? "requests a process that AppArmor does not confine"
                                  : lsm.not_enforced_because;
  if (why.empty() || asked == ours) return;
  if (parameters.unconfined != "fix") {
    findings.push_back(Refuse(code, kProfilePath, asked, std::move(why), NamingProfile()));
  } else if (ours.empty()) {
    findings.push_back(Note(kNoDefault, kProfilePath, asked,
                            why + ", and no engine's default profile is loaded", NamingProfile()));
  } else {
    findings.push_back(Propose(code, kProfilePath, ours, std::move(why), NamingProfile()));
  }
}

void CheckSelinux(const oci::Spec& spec, const LsmFacts& lsm, const Parameters& parameters,
                  Findings& findings) {
  if (!lsm.selinux) return;
  const std::string asked = spec.selinux_label();
  if (asked.empty()) {
    // A label chosen by runclad would not match the labels of the engine's files.
    findings.push_back(Note(kNoLabel, kLabelPath, {},
                            "is missing: the engine determines the domain of the process",
                            AskEngine("turn on the engine's SELinux support (dockerd "
                                      "--selinux-enabled)")));
    return;
  }
  std::vector<std::string> fields = Fields(asked);
  constexpr const char* kWhy = "has a domain that SELinux does not confine";
  if (fields.size() <= kTypeField) {
    findings.push_back(Refuse(kMalformedLabel, kLabelPath, asked, kWhy,
                              AskEngine("specify a complete label, user:role:type:level")));
  } else if (IsUnconfinedType(fields[kTypeField])) {
    if (parameters.unconfined != "fix") {
      findings.push_back(Refuse(kUnconfinedType, kLabelPath, asked, kWhy, NamingType()));
    } else {
      const std::size_t at = fields[0].size() + fields[1].size() + 2;
      std::string confined = asked;
      confined.replace(at, fields[kTypeField].size(), "container_t");
      findings.push_back(Propose(kUnconfinedType, kLabelPath, confined, kWhy, NamingType()));
    }
  }
  const std::string of_mounts = spec.mount_label();
  if (of_mounts.empty()) return;
  fields = Fields(of_mounts);
  if (fields.size() <= kTypeField || !IsContainerFileType(fields[kTypeField])) {
    findings.push_back(Note(kMountLabel, "/linux/mountLabel", of_mounts,
                            "is not a label for container files",
                            AskEngine("let the engine choose the label of its files")));
  }
}

void CheckOwn(const char* path, const std::string& own, const std::string& asked,
              Findings& findings) {
  if (own.empty() || asked == own) return;
  findings.push_back(Propose(kForeignLabel, path, own, "is not the container's label",
                             NoRemedy("an exec has the label of its container")));
}

Findings Check(const oci::Spec& spec, const Context& context, const LsmFacts& lsm) {
  if (!spec.has_process()) return {};
  Findings findings;
  const Parameters parameters = kParameters.Read(context.parameters);
  const policy::StringList own = kRecorded.Read(context.parameters).own_labels;
  const bool has_own = own.size() == 2;
  if (has_own && !own[0].empty()) {
    CheckOwn(kProfilePath, own[0], spec.apparmor_profile(), findings);
  } else {
    CheckAppArmor(spec, lsm, parameters, findings);
  }
  if (has_own && !own[1].empty()) {
    CheckOwn(kLabelPath, own[1], spec.selinux_label(), findings);
  } else {
    CheckSelinux(spec, lsm, parameters, findings);
  }
  return findings;
}

void ForExec(const oci::Spec& spec, policy::Parameters& parameters) {
  kRecorded.Set(parameters, &Recorded::own_labels, {spec.apparmor_profile(), spec.selinux_label()});
  kParameters.Set(parameters, &Parameters::unconfined, "fix");
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.2", "CIS 5.3", "PSS baseline"};
constexpr std::string_view kPaths[] = {kProfilePath, kLabelPath, "/linux/mountLabel"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kLsmLabel{
    .schema = {.id = "lsm-label", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "Confinement by AppArmor or SELinux, if the kernel has it enabled",
    .rationale =
        "The security module is the second line of defence: it keeps a process that broke out of "
        "its namespaces away from the host's files. A container that asks to be unconfined gives "
        "this up, and so does one whose profile is loaded in a mode that does not confine. On a "
        "host without either module, the rule has no effect.",
    .way_out = "specify a profile that is loaded, or set lsm-label.unconfined to fix",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kProcess,
    .for_exec = Bind<ForExec>(),
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
