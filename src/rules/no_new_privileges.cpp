// no-new-privileges: set-user-ID programs and file capabilities gain nothing (CIS 5.26).
#include "runclad/rules/rule.hpp"

namespace runclad::rules {
namespace {

Findings Check(const oci::Spec& spec, const Context& /*context*/) {
  if (!spec.has_process() || spec.no_new_privileges()) return {};
  return {Propose("/process/noNewPrivileges", true,
                  "lets set-user-ID programs and file capabilities raise privileges")};
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.26", "PSS restricted"};
constexpr std::string_view kPaths[] = {"/process/noNewPrivileges"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kNoNewPrivileges{
    .schema = {.id = "no-new-privileges", .actions = kActions, .parameters = {}},
    .title = "No program gains privileges",
    .rationale =
        "With no_new_privs set, execve(2) grants neither set-user-ID, set-group-ID nor file "
        "capabilities, for the container's first process and everything after it.",
    .way_out = "a waiver for the image whose set-user-ID program is really needed",
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kProcess,
    .check = Check,
};

}  // namespace runclad::rules
