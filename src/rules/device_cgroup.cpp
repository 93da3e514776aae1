// device-cgroup: what the container may open if it gets hold of a node, wherever that came from
// (CIS 5.18).
#include "runclad/rules/rule.hpp"

#include "device_list.hpp"

namespace runclad::rules {
namespace {

bool IsEverything(const oci::DeviceRule& rule) {
  return (rule.type.empty() || rule.type == "a") && rule.major < 0 && rule.minor < 0;
}

// Whether an allowing line may stay.
bool MayStay(const oci::DeviceRule& rule, std::span<const std::string> allowed) {
  if (rule.type != "c" && rule.type != "b") return false;
  const bool is_block = rule.type == "b";
  if (IsListedDevice(allowed, is_block, rule.major, rule.minor)) return true;
  // To make a node is nothing without opening it; runc itself gives this to every container.
  if (rule.access == "m") return true;
  constexpr std::int64_t kTerminals = 136;  // /dev/pts
  if (!is_block && rule.major == kTerminals) return true;
  return !is_block && rule.major >= 0 && rule.minor >= 0 && !IsMemoryDevice(rule.major, rule.minor);
}

Findings Check(const oci::Spec& spec, const Context& context) {
  const std::vector<std::string>& allowed = context.parameters.strings("allow");
  const std::vector<oci::DeviceRule> before = spec.device_rules();
  if (context.is_update && before.empty()) return {};
  // Without this line the container's cgroup begins as its parent's: with everything.
  std::vector<oci::DeviceRule> after = {{.allow = false, .type = {}, .access = "rwm"}};
  std::string removed;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const oci::DeviceRule& rule = before[i];
    if (i == 0 && !rule.allow && IsEverything(rule) && rule.access == "rwm") {
      after.front() = rule;
      continue;
    }
    if (!rule.allow || MayStay(rule, allowed)) {
      after.push_back(rule);
      continue;
    }
    if (!removed.empty()) removed += ", ";
    removed +=
        IsEverything(rule) ? "every device" : DeviceName(rule.type == "b", rule.major, rule.minor);
  }
  if (after == before) return {};
  return {Propose("/linux/resources/devices", ToJson(after),
                  removed.empty() ? "does not begin with denying every device"
                                  : "lets the container open " + removed)};
}

constexpr policy::ParameterSchema kParameters[] = {
    {.name = "allow",
     .type = policy::ParameterType::kStrings,
     .merge = policy::Merge::kReplace,
     .vocabulary = policy::Vocabulary::kDevice,
     .choices = {},
     .description = "lines for block devices, the host's memory or every number that may stay",
     .order = policy::Order::kMoreIsLooser,
     .docker_default = std::span<const std::string_view>()},
};
constexpr std::string_view kBenchmarks[] = {"CIS 5.18"};
constexpr std::string_view kPaths[] = {"/linux/resources/devices"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kDeviceCgroup{
    .schema = {.id = "device-cgroup", .actions = kActions, .parameters = kParameters},
    .title = "The device cgroup denies first",
    .rationale =
        "The device cgroup decides what the container may open, whether the node came from the "
        "engine, from mknod or from a volume. It denies everything to begin with; lines that open "
        "a whole range, a block device or the host's memory are taken out.",
    .way_out = "list the device in device-cgroup.allow (\"b 8:0\")",
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .judges_updates = true,
    .check = Check,
};

}  // namespace runclad::rules
