// rootfs-path: the container's root directory is its image's and nothing of the host.
#include "runclad/rules/rule.hpp"

namespace runclad::rules::rootfs_path {
Status Gather(const Asked& asked, Facts& facts);  // gather.cpp
}

namespace runclad::rules {
namespace {

Findings Check(const oci::Spec& spec, const Context& context) {
  const RootFacts& root = context.facts.root;
  if (root.kind == RootFacts::Kind::kUnknown || root.kind == RootFacts::Kind::kOrdinary) return {};
  return {Refuse("/root/path", spec.root_path(), root.because)};
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
    .benchmarks = {},
    .paths = kPaths,
    .scope = Scope::kContainer,
    .gather = rootfs_path::Gather,
    .check = Check,
};

}  // namespace runclad::rules
