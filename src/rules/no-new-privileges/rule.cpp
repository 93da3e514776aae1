// no-new-privileges: set-user-ID programs and file capabilities gain nothing (CIS 5.26).
#include "runclad/rules/rule.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

constexpr Code kAbsent{"absent", "the process may gain privileges"};
constexpr Code kSetIdProgram{"set-id-program",
                             "the program's set-user-ID or set-group-ID bit has no effect"};
constexpr Code kFileCapabilities{"file-capabilities",
                                 "the program's file capabilities have no effect"};
constexpr Code kCodes[] = {kAbsent, kSetIdProgram, kFileCapabilities};

// Privileges in the program's file that have no effect.
void CheckProgram(const oci::Spec& spec, const Program& program, Findings& findings) {
  if (!program || spec.user().uid == 0) return;
  const auto note = [&](const Code& code, const char* why) {
    findings.push_back(Note(code, "/process/args/0", spec.arguments().front(), why,
                            NoRemedy("only a waiver of this rule for the image would restore it")));
  };
  if (program->sets_user || program->sets_group) {
    note(kSetIdProgram, "is set-user-ID or set-group-ID, but gains nothing: no_new_privs is set");
  } else if (program->file_capabilities != 0) {
    note(kFileCapabilities,
         "has file capabilities, but does not get them as this user: no_new_privs is set");
  }
}

Findings Check(const oci::Spec& spec, const Context& /*context*/, const Program& program) {
  if (!spec.has_process()) return {};
  Findings findings;
  if (!spec.no_new_privileges()) {
    // Engines request it only if configured to; the rule's way out mentions the waiver for such
    // programs.
    findings.push_back(Propose(kAbsent, "/process/noNewPrivileges", true,
                               "lets set-user-ID programs and file capabilities raise privileges"));
  }
  CheckProgram(spec, program, findings);
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.26", "PSS restricted"};
constexpr std::string_view kPaths[] = {"/process/noNewPrivileges", "/process/args/0"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kNoNewPrivileges{
    .schema = {.id = "no-new-privileges", .actions = kActions, .parameters = {}},
    .title = "No program gains privileges",
    .rationale =
        "With no_new_privs set, execve(2) ignores set-user-ID and set-group-ID bits and file "
        "capabilities, for the container's first process and all its descendants.",
    .way_out = "add a waiver for the image that needs its set-user-ID program",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kProcess,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
