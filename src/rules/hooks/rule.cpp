// hooks: no program of the host runs for a container but the engine's own and those listed.
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "runclad/policy/table.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

struct Parameters {
  policy::StringList allow;
};

constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::allow,
     {.name = "allow",
      .vocabulary = policy::Vocabulary::kAbsolutePath,
      .description = "programs, modifiable only by root, that may be hooks in addition to the "
                     "engines' own; \"/usr/bin/tool hook\" allows only this first argument"}},
});

// These variables make a program run other code.
bool IsLoaderVariable(std::string_view name) {
  constexpr std::string_view kNames[] = {
      "BASH_ENV",       "BASHOPTS",  "ENV",        "GCONV_PATH",        "GLIBC_TUNABLES",
      "GOCOVERDIR",     "IFS",       "LOCPATH",    "JAVA_TOOL_OPTIONS", "NLSPATH",
      "NODE_OPTIONS",   "NODE_PATH", "PERL5DB",    "PERL5LIB",          "PERL5OPT",
      "PROMPT_COMMAND", "PS4",       "PYTHONHOME", "PYTHONPATH",        "PYTHONSTARTUP",
      "RUBYLIB",        "RUBYOPT",   "SHELLOPTS",  "ZDOTDIR",
  };
  return name.starts_with("LD_") || name.starts_with("BASH_FUNC_") ||
         std::ranges::find(kNames, name) != std::ranges::end(kNames);
}

// "/usr/bin/tool" lists the program with whatever arguments, "/usr/bin/tool hook" with that first.
bool IsListed(policy::StringList allowed, const oci::Hook& hook) {
  const std::string with_argument =
      hook.args.size() > 1 ? hook.path + " " + hook.args[1] : hook.path;
  return std::ranges::any_of(allowed, [&](const std::string& entry) {
    return entry == hook.path || entry == with_argument;
  });
}

constexpr Code kUnexamined{"unexamined", "the program was not examined"};
constexpr Code kForeign{
    "foreign",
    "the program or its input can be modified by users other than root, or is not on the host"};
constexpr Code kLoaderVariable{"loader-variable",
                               "an environment variable could make the program run other code"};
constexpr Code kUnlisted{"unlisted", "the program is neither the engine's own nor listed"};
constexpr Code kCodes[] = {kUnexamined, kForeign, kLoaderVariable, kUnlisted};

// As it is called and no other way. A first argument that names the container would fit this one
// alone, and one with ".." is in no list.
Remedy Listing(const oci::Hook& hook, const std::string& container) {
  const bool has_argument =
      hook.args.size() > 1 && hook.args[1].find("..") == std::string::npos &&
      (container.empty() || hook.args[1].find(container) == std::string::npos);
  return AddTo(kParameters[&Parameters::allow],
               {has_argument ? hook.path + " " + hook.args[1] : hook.path});
}

void CheckHook(const oci::Hook& hook, const Context& context, const Hooks& hooks,
               const ContainerName& container, Findings& findings) {
  const auto refuse = [&](const Code& code, std::string why, Remedy remedy) {
    findings.push_back(Refuse(code, hook.pointer, hook.path, std::move(why), std::move(remedy)));
  };
  const auto found = hooks.find(hook.pointer);
  if (found == hooks.end()) {
    return refuse(kUnexamined, "was not examined",
                  NoRemedy("only an examined program can be listed"));
  }
  const HookFacts& facts = found->second;
  if (facts.kind == HookFacts::Kind::kForeign) {
    return refuse(kForeign, facts.because,
                  NoRemedy("a hook must be a program of the host that only root can modify, and so "
                           "must its input"));
  }
  for (const std::string& variable : hook.env) {
    const std::string name = variable.substr(0, variable.find('='));
    if (!IsLoaderVariable(name)) continue;
    return refuse(kLoaderVariable, "is given " + name + ", which can make it run other code",
                  AskEngine("leave " + name + " out of the hook's env"));
  }
  if (facts.kind == HookFacts::Kind::kEngine) return;
  if (IsListed(kParameters.Read(context.parameters).allow, hook)) return;
  refuse(kUnlisted, "would run as root outside the container", Listing(hook, container.id));
}

Findings Check(const oci::Spec& spec, const Context& context, const Hooks& hooks,
               const ContainerName& container) {
  Findings findings;
  for (const oci::Hook& hook : spec.hooks()) CheckHook(hook, context, hooks, container, findings);
  return findings;
}

constexpr std::string_view kPaths[] = {"/hooks"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kHooks{
    .schema = {.id = "hooks", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "No hooks except the engine's own",
    .rationale =
        "A hook is a program of the host that the runtime runs as root outside the container. "
        "Docker's libnetwork-setkey, nerdctl's oci-hook and NVIDIA's hooks are allowed; each is "
        "identified by the owner of its program and its arguments, not by its name alone. Every "
        "other hook must be listed.",
    .way_out = "add the program to hooks.allow",
    .codes = kCodes,
    .benchmarks = {},
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
