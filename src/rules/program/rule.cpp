// program: what a container may be started for (CIS 5.7: no ssh server).
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
  policy::StringList deny;
  policy::StringList allow;
  bool allow_only = false;
};

constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::deny,
     {.name = "deny",
      .merge = policy::Merge::kAccumulate,
      .description = "programs that may not be started: a name, regardless of directory and of "
                     "links or scripts that lead to it, or an absolute path"}},
    {&Parameters::allow,
     {.name = "allow",
      .vocabulary = policy::Vocabulary::kAbsolutePath,
      .description = "with allow-only, the programs that may be started: absolute paths in the "
                     "container with all links resolved",
      .docker_default = policy::Anything{}}},
    {&Parameters::allow_only,
     {.name = "allow-only",
      .description = "refuse every program that is not in allow, for exec too",
      .order = policy::Order::kFalseIsLooser,
      .docker_default = true}},
});

constexpr Code kDenied{"denied", "the program, or what runs it, is on the deny list"};
constexpr Code kNotFound{"not-found",
                         "allow-only is set, and the program is not in the container's files"};
constexpr Code kUnlisted{"unlisted", "allow-only is set, and allow does not list the program"};
constexpr Code kCodes[] = {kDenied, kNotFound, kUnlisted};

std::string_view BaseName(std::string_view path) {
  return path.substr(path.rfind('/') + 1);  // npos + 1 is 0
}

bool IsOneOf(std::string_view name, const auto& names) {
  return std::ranges::find(names, name) != std::ranges::end(names);
}

// The names that a process's program goes by. An init of the engine's or the image's own only
// starts what its arguments name, and busybox is what its first argument says.
std::vector<std::string_view> Names(const std::vector<std::string>& arguments,
                                    const ProgramFacts* program) {
  constexpr std::string_view kInits[] = {"catatonit",   "docker-init", "dumb-init",
                                         "podman-init", "tini",        "tini-static"};
  constexpr std::string_view kManyInOne[] = {"busybox", "dropbearmulti", "toybox"};
  std::vector<std::string_view> names = {arguments.front()};
  std::size_t at = 0;
  if (IsOneOf(BaseName(arguments[0]), kInits)) {
    while (++at < arguments.size() && arguments[at].starts_with('-')) {
    }
    if (at < arguments.size()) names.emplace_back(arguments[at]);
  }
  if (at + 1 < arguments.size() && IsOneOf(BaseName(arguments[at]), kManyInOne)) {
    names.emplace_back(arguments[at + 1]);
  }
  if (program == nullptr) return names;
  if (!program->resolved.empty()) names.emplace_back(program->resolved);
  names.insert(names.end(), program->interpreters.begin(), program->interpreters.end());
  return names;
}

Findings Check(const oci::Spec& spec, const Context& context, const Program& found) {
  const std::vector<std::string> arguments = spec.arguments();
  if (arguments.empty()) return {};
  const ProgramFacts* program = found ? &*found : nullptr;
  const Parameters parameters = kParameters.Read(context.parameters);
  for (const std::string_view name : Names(arguments, program)) {
    const auto is_denied = [&](const std::string& entry) {
      return entry == name || entry == BaseName(name);
    };
    const auto entry = std::ranges::find_if(parameters.deny, is_denied);
    if (entry == parameters.deny.end()) continue;
    return {Refuse(kDenied, "/process/args/0", arguments.front(),
                   "runs " + *entry + ", which program.deny lists",
                   TakeFrom(kParameters[&Parameters::deny], {*entry}))};
  }
  if (!parameters.allow_only) return {};
  if (program == nullptr || program->resolved.empty()) {
    return {
        Refuse(kNotFound, "/process/args/0", arguments.front(),
               "cannot be found in the container's files, and program.allow-only is set",
               NoRemedy("a program that cannot be found cannot be compared with program.allow"))};
  }
  if (IsOneOf(program->resolved, parameters.allow)) return {};
  return {Refuse(kUnlisted, "/process/args/0", arguments.front(),
                 "is " + program->resolved + ", which program.allow does not list",
                 AddTo(kParameters[&Parameters::allow], {program->resolved}))};
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.7"};
constexpr std::string_view kPaths[] = {"/process/args/0"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kProgram{
    .schema = {.id = "program", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "No remote login server as a container's program",
    .rationale =
        "An ssh server in a container is a second way in, with keys and passwords that are not "
        "managed; the engine's exec does the same and is subject to these rules. The program is "
        "looked up as the runtime does it. The rule does not see what an allowed program, such as "
        "a shell, starts later, and a copy under another name counts as another program.",
    .way_out =
        "run the service itself and use the engine's exec; remove the program from program.deny "
        "with a waiver for the image, or add it to program.allow if allow-only is set",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kProcess,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
