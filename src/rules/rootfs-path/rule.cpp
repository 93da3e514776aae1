// rootfs-path: the container's root directory belongs to its image, not to the host.
#include "runclad/rules/rule.hpp"

#include <utility>

#include "runclad/policy/table.hpp"
#include "runclad/rules/parameters.hpp"

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
      .description = "host directories that may be a container's root, with everything below them "
                     "(podman run --rootfs)",
      .counts_while_off = true}},
});

constexpr Code kHostRoot{"host-root", "the directory is the host's root filesystem"};
constexpr Code kLink{"link", "the path leads through a link"};
constexpr Code kOutside{"outside", "the directory is neither in the bundle nor the image's layer"};
constexpr Code kCodes[] = {kHostRoot, kLink, kOutside};

Findings Check(const oci::Spec& spec, const Context& /*context*/, const RootFacts& root) {
  const auto refuse = [&](const Code& code, Remedy remedy) -> Findings {
    return {Refuse(code, "/root/path", spec.root_path(), root.because, std::move(remedy))};
  };
  switch (root.kind) {
    case RootFacts::Kind::kUnknown:
    case RootFacts::Kind::kOrdinary:
      break;
    case RootFacts::Kind::kHostRoot:
      return refuse(kHostRoot, NoRemedy("the host's root filesystem is never a container's root"));
    case RootFacts::Kind::kLink:
      return refuse(kLink, AskEngine("specify the directory itself: " + root.resolved));
    case RootFacts::Kind::kOutside:
      return refuse(kOutside,
                    root.allow.empty()
                        ? NoRemedy("no entry in rootfs-path.allow could allow this directory")
                        : AddTo(kParameters[&Parameters::allow], root.allow));
  }
  return {};
}

constexpr std::string_view kPaths[] = {"/root/path"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kRootfsPath{
    .schema = {.id = "rootfs-path", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "A root directory of its own",
    .rationale =
        "A root directory that belongs to the host gives a container the same access as a bind "
        "mount "
        "of it, but no rule for mounts sees it. Engines keep the root directory in the bundle, or "
        "it is the layer in their storage that their own record gives for the container. No other "
        "directory in their storage is accepted. An overlay is judged by its layers.",
    .way_out = "add the directory to rootfs-path.allow",
    .codes = kCodes,
    .benchmarks = {},
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

policy::StringList AllowedRoots(const policy::RuleSetting& setting) {
  return kParameters.ReadForOthers(setting).allow;
}

}  // namespace runclad::rules
