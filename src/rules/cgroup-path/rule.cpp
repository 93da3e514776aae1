// cgroup-path: the container's cgroup is where its engine keeps such (CIS 5.25).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "runclad/base/path.hpp"
#include "runclad/policy/table.hpp"
#include "runclad/rules/parameters.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

struct Parameters {
  policy::StringList parents;
};

constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::parents,
     {.name = "parents",
      .vocabulary = policy::Vocabulary::kAbsolutePath,
      .description =
          "parents in addition to the engine's own, at any depth, for the cgroups of containers "
          "(dockerd --cgroup-parent, /kubepods with cri-dockerd): \"/tenants.slice\""}},
});

using engine::Engine;

// Where a cgroup is, in the words of the cgroup file system.
struct Place {
  std::string parent;  // "/system.slice"; empty: the root
  std::string name;    // "<id>", "libpod-<id>"
};

// "a-b.slice" is in "a.slice"; "-.slice" is the root. No value if it is not a slice name.
std::optional<std::string> SlicePath(std::string_view slice) {
  constexpr std::string_view kSuffix = ".slice";
  if (slice.empty()) slice = "system.slice";  // what runc takes then
  if (slice == "-.slice") return std::string();
  if (!slice.ends_with(kSuffix) || slice.starts_with('-') || slice.starts_with('.')) {
    return std::nullopt;
  }
  const std::string_view stem = slice.substr(0, slice.size() - kSuffix.size());
  if (stem.ends_with('-') || stem.find("--") != std::string_view::npos) return std::nullopt;
  std::string path;
  for (std::size_t dash = stem.find('-');; dash = stem.find('-', dash + 1)) {
    path.append("/").append(stem.substr(0, dash)).append(kSuffix);
    if (dash == std::string_view::npos) return path;
  }
}

// slice:prefix:name, for the runtime's --systemd-cgroup. An engine may put the slices above in
// front: "machine.slice/machine-pod.slice".
std::optional<Place> PlaceOfUnit(std::string_view path) {
  const std::size_t first = path.find(':');
  const std::size_t second = path.find(':', first + 1);
  if (second == std::string_view::npos || path.find(':', second + 1) != std::string_view::npos) {
    return std::nullopt;
  }
  std::string_view slice = path.substr(0, first);
  slice.remove_prefix(std::min(slice.rfind('/') + 1, slice.size()));
  const std::string_view name = path.substr(second + 1);
  if (name.empty() || path.find('/', first) != std::string_view::npos) return std::nullopt;
  auto parent = SlicePath(slice);
  if (!parent) return std::nullopt;
  return Place{*std::move(parent), std::string(name)};
}

// Nothing where it is neither a plain absolute path nor a unit's name.
std::optional<Place> PlaceOf(std::string_view path) {
  if (!path.starts_with('/')) return PlaceOfUnit(path);
  Place place;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view name = path.substr(begin, end - begin);
    begin = end + 1;
    if (name.empty() || name == ".") continue;
    if (name == "..") return std::nullopt;
    if (!place.name.empty()) place.parent.append("/").append(place.name);
    place.name = name;
  }
  return place;
}

// A policy may write its directories with a slash at the end; "/" has everything below it.
bool IsInCgroup(std::string_view path, std::string_view directory) {
  while (directory.ends_with('/')) directory.remove_suffix(1);
  return IsAtOrBelow(path, directory);
}

// Where engines put containers' cgroups by default.
struct Parent {
  Engine engine;
  std::string_view path;
  bool and_below = false;
};
constexpr Parent kParents[] = {
    {Engine::kDocker, "/docker"},
    {Engine::kDocker, "/system.slice"},
    {Engine::kDocker, "/docker/buildkit"},
    {Engine::kBuildkit, "/docker/buildkit"},
    {Engine::kBuildkit, "/buildkit"},
    {Engine::kBuildkit, "/system.slice"},
    {Engine::kContainerd, "/kubepods", true},
    {Engine::kContainerd, "/kubepods.slice", true},
    {Engine::kContainerd, "/kubelet", true},  // kind's --cgroup-root
    {Engine::kContainerd, "/kubelet.slice", true},
    {Engine::kContainerd, "/k8s.io"},
    {Engine::kContainerd, "/default"},
    {Engine::kContainerd, "/system.slice"},
    {Engine::kPodman, "/libpod_parent", true},
    {Engine::kPodman, "/machine.slice", true},
    {Engine::kCrio, "/kubepods", true},
    {Engine::kCrio, "/kubepods.slice", true},
    {Engine::kCrio, "/crio"},
    {Engine::kCrio, "/system.slice"},
};

bool IsEngineParent(const std::string& parent, const ContainerName& container, Engine engine) {
  if (!container.name_space.empty() && parent == "/" + container.name_space) return true;
  return std::ranges::any_of(kParents, [&](const Parent& known) {
    if (engine != Engine::kUnknown && engine != known.engine) return false;
    return known.and_below ? IsAtOrBelow(parent, known.path) : parent == known.path;
  });
}

// podman --cgroups=split, as Quadlet's units have it: below the service that podman runs in.
bool IsSplit(const Place& place, Engine engine) {
  const bool may_be_podman = engine == Engine::kPodman || engine == Engine::kUnknown;
  return may_be_podman && place.name.starts_with("libpod-payload-") &&
         (place.parent.ends_with(".service") || place.parent.ends_with(".scope"));
}

// "<id>", or with the engine's prefix: "libpod-<id>".
bool IsOwnName(std::string_view name, std::string_view id) {
  return id.empty() || name == id ||
         (name.ends_with(id) && name[name.size() - id.size() - 1] == '-');
}

constexpr Code kMalformed{"malformed",
                          "the path is neither absolute and without .., nor slice:prefix:name"};
constexpr Code kHostRoot{"host-root", "the host's root cgroup"};
constexpr Code kElsewhere{"elsewhere", "the parent is neither the engine's nor listed"};
constexpr Code kForeign{"foreign", "the cgroup is named after another container or a service"};
constexpr Code kCodes[] = {kMalformed, kHostRoot, kElsewhere, kForeign};

// To list the root would be to list every cgroup.
Remedy Listing(const std::string& parent) {
  return parent.empty() ? AskEngine("put it below a separate parent with --cgroup-parent")
                        : AddTo(kParameters[&Parameters::parents], {parent});
}

Findings Check(const oci::Spec& spec, const Context& context, const ContainerName& container,
               const engine::Identity& identity) {
  const std::string path = spec.cgroups_path();
  if (path.empty()) return {};  // one of its own, below the runtime's
  Findings findings;
  const auto refuse = [&](const Code& code, std::string why, Remedy remedy) {
    findings.push_back(Refuse(code, "/linux/cgroupsPath", path, std::move(why), std::move(remedy)));
  };
  const auto place = PlaceOf(path);
  if (!place) {
    refuse(kMalformed, "is neither an absolute path without .. nor slice:prefix:name",
           AskEngine("specify an absolute path or a slice with --cgroup-parent"));
    return findings;
  }
  if (place->name.empty()) {
    refuse(kHostRoot, "is the host's root cgroup",
           NoRemedy("limits do not apply in the root cgroup"));
    return findings;
  }
  const bool is_listed = std::ranges::any_of(
      kParameters.Read(context.parameters).parents,
      [&](const std::string& parent) { return IsInCgroup(place->parent, parent); });
  if (!is_listed && !IsEngineParent(place->parent, container, identity.engine) &&
      !IsSplit(*place, identity.engine)) {
    refuse(kElsewhere, "is neither below the engine's own cgroup nor below a listed one",
           Listing(place->parent));
  }
  if (!IsOwnName(place->name, container.id)) {
    refuse(kForeign, "belongs to another container or service",
           AskEngine("let the engine choose the last component of the path, and choose only "
                     "the parent, with --cgroup-parent"));
  }
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.25"};
constexpr std::string_view kPaths[] = {"/linux/cgroupsPath"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kCgroupPath{
    .schema = {.id = "cgroup-path", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "cgroup parent",
    .rationale =
        "Limits apply to everything below a cgroup. A container that chooses another parent "
        "escapes the limits of the engine's cgroup or of its pod; in the cgroup of another "
        "container or service, it is stopped, frozen and accounted together with that.",
    .way_out = "add the parent to cgroup-path.parents",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

policy::StringList CgroupParents(const policy::RuleSetting& setting) {
  return kParameters.ReadForOthers(setting).parents;
}

}  // namespace runclad::rules
