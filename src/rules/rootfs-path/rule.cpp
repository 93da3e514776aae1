// rootfs-path: the container's root directory is its image's and nothing of the host.
#include "runclad/rules/rule.hpp"

#include <utility>

namespace runclad::rules::rootfs_path {
Status Gather(const Asked& asked, Facts& facts);  // gather.cpp
}

namespace runclad::rules {
namespace {

constexpr Code kHostRoot{"host-root", "the directory is the host's root filesystem"};
constexpr Code kLink{"link", "the path leads through a link"};
constexpr Code kOutside{"outside", "the directory is neither in the bundle nor the image's"};
constexpr Code kCodes[] = {kHostRoot, kLink, kOutside};

Findings Check(const oci::Spec& spec, const Context& context) {
  const RootFacts& root = context.facts.root;
  const auto refuse = [&](const Code& code, Remedy remedy) -> Findings {
    return {Refuse(code, "/root/path", spec.root_path(), root.because, std::move(remedy))};
  };
  switch (root.kind) {
    case RootFacts::Kind::kUnknown:
    case RootFacts::Kind::kOrdinary:
      break;
    case RootFacts::Kind::kHostRoot:
      return refuse(kHostRoot, NoRemedy("the host's root is never a container's"));
    case RootFacts::Kind::kLink:
      return refuse(kLink, AskEngine("name the directory itself: " + root.resolved));
    case RootFacts::Kind::kOutside:
      return refuse(kOutside, root.allow.empty()
                                  ? NoRemedy("no entry of rootfs-path.allow would let it be a root")
                                  : AddTo("allow", root.allow));
  }
  return {};
}

constexpr policy::ParameterSchema kParameters[] = {
    {.name = "allow",
     .type = policy::ParameterType::kStrings,
     .merge = policy::Merge::kReplace,
     .vocabulary = policy::Vocabulary::kAbsolutePath,
     .choices = {},
     .description = "directories of the host that may be, or have below them, a container's root "
                    "(podman run --rootfs)",
     .order = policy::Order::kMoreIsLooser,
     .docker_default = std::span<const std::string_view>()},
};
constexpr std::string_view kPaths[] = {"/root/path"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kRootfsPath{
    .schema = {.id = "rootfs-path", .actions = kActions, .parameters = kParameters},
    .title = "A root directory of its own",
    .rationale =
        "A container whose root directory is the host's, or any other directory of the host, has "
        "what a bind mount of it would give, and no rule of mounts sees it. Engines put it into "
        "the bundle, or it is the layer of their storage that their own record has for the "
        "container. Nothing else in their storage may be one, and an overlay is as good as what "
        "lies under it.",
    .way_out = "list the directory in rootfs-path.allow",
    .codes = kCodes,
    .benchmarks = {},
    .paths = kPaths,
    .scope = Scope::kContainer,
    .gather = rootfs_path::Gather,
    .check = Check,
};

}  // namespace runclad::rules
