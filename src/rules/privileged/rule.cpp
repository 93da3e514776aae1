// privileged: a container that asks for everything at once, as --privileged does (CIS 5.5).
#include "runclad/rules/rule.hpp"

#include <algorithm>

#include "runclad/privilege/capabilities.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

constexpr Code kEveryDevice{"every-device",
                            "every capability and every device, without a seccomp filter"};
constexpr Code kNoMaskedPaths{
    "no-masked-paths", "every capability, without a seccomp filter and without masked paths"};
constexpr Code kCodes[] = {kEveryDevice, kNoMaskedPaths};

// "Every" is what the engine's own process has to give (all, where that was not looked for) of what
// an engine of 2020 knows: CAP_PERFMON and those after it are younger.
bool HasEveryCapability(const oci::Spec& spec, std::uint64_t own) {
  for (const oci::CapabilitySet& set : spec.capabilities()) {
    if (set.name != "bounding") continue;
    std::uint64_t asked_for = 0;
    for (const std::string& name : set.capabilities) {
      const auto canonical = privilege::CanonicalCapability(name);
      if (!canonical) continue;
      asked_for |= std::uint64_t{1} << privilege::CapabilityNumber(*canonical).value_or(0);
    }
    constexpr std::uint64_t kKnownForLong = (std::uint64_t{1} << 38U) - 1;
    const std::uint64_t given = own == 0 ? kKnownForLong : own & kKnownForLong;
    return (given & ~asked_for) == 0;
  }
  return false;
}

bool MayOpenEveryDevice(const oci::Spec& spec) {
  return std::ranges::any_of(spec.device_rules(), [](const oci::DeviceRule& rule) {
    return rule.allow && rule.major < 0 && (rule.type.empty() || rule.type == "a");
  });
}

Findings Check(const oci::Spec& spec, const Context& /*context*/, const KernelFacts& kernel) {
  if (spec.has_seccomp() || !HasEveryCapability(spec, kernel.capabilities)) return {};
  const bool has_every_device = MayOpenEveryDevice(spec);
  if (!has_every_device && !spec.masked_paths().empty()) return {};
  return {Refuse(has_every_device ? kEveryDevice : kNoMaskedPaths, "/process/capabilities/bounding",
                 "every capability",
                 has_every_device
                     ? "comes without a seccomp filter and with every device, as --privileged asks"
                     : "comes without a seccomp filter and without masked paths, as --privileged "
                       "asks",
                 AskEngine("run it without --privileged and request the capabilities, devices and "
                           "mounts that it needs"))};
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.5", "PSS baseline"};
constexpr std::string_view kPaths[] = {"/process/capabilities/bounding", "/linux/seccomp",
                                       "/linux/maskedPaths", "/linux/resources/devices"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kPrivileged{
    .schema = {.id = "privileged", .actions = kActions, .parameters = {}},
    .title = "No privileged containers",
    .rationale =
        "A privileged container is root on the host with a different root directory. If the other "
        "rules reduced it to what they allow, it would start and then fail in ways that are hard "
        "to understand. It is refused, so that its owner requests what it needs. An exec with "
        "--privileged gets no more than the container has.",
    .way_out =
        "request the capabilities, devices and mounts that it needs from the engine instead of "
        "--privileged",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
