// mount-propagation: what is mounted in the container stays there (CIS 5.20).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

constexpr Code kMount{"mount", "a mount is shared with the host"};
constexpr Code kRoot{"root", "the root filesystem's mounts are shared with the host"};
constexpr Code kCodes[] = {kMount, kRoot};

// What sends mounts to the host, and the form that only receives them.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kSending = {{
    {"shared", "slave"},
    {"rshared", "rslave"},
}};

std::string_view Receiving(std::string_view propagation) {
  for (const auto& [sending, receiving] : kSending) {
    if (propagation == sending) return receiving;
  }
  return {};
}

Findings Check(const oci::Spec& spec, const Context& /*context*/) {
  Findings findings;
  const std::vector<oci::Mount>& mounts = spec.mounts();
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const auto sends = [](std::string_view option) { return !Receiving(option).empty(); };
    if (std::ranges::none_of(mounts[i].options, sends)) continue;
    std::vector<std::string> options = mounts[i].options;
    for (std::string& option : options) {
      if (sends(option)) option = Receiving(option);
    }
    findings.push_back(Propose(kMount, "/mounts/" + std::to_string(i) + "/options", options,
                               "lets mounts of the container appear on the host",
                               AskEngine("mount it with the propagation rslave or rprivate")));
  }
  if (const auto receiving = Receiving(spec.rootfs_propagation()); !receiving.empty()) {
    findings.push_back(Propose(kRoot, "/linux/rootfsPropagation", receiving,
                               "lets mounts of the container appear on the host",
                               AskEngine("do not request shared propagation for any mount")));
  }
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.20"};
constexpr std::string_view kPaths[] = {"/mounts/*/options", "/linux/rootfsPropagation"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kMountPropagation{
    .schema = {.id = "mount-propagation", .actions = kActions, .parameters = {}},
    .title = "No mount propagation to the host",
    .rationale =
        "With shared propagation, a mount made in the container appears on the host, at the host's "
        "paths and visible to its programs. With slave propagation, the container still sees what "
        "the host mounts later.",
    .way_out =
        "mount it with the propagation rslave; no parameter allows a shared mount, since what is "
        "mounted in it appears on the host",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
