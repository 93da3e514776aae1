// device-cgroup: what the container may open if it gets hold of a node, wherever that came from
// (CIS 5.18).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <utility>

#include "runclad/policy/table.hpp"

#include "rules/device_list.hpp"

namespace runclad::rules {
namespace {

struct Parameters {
  policy::StringList allow;
  std::string_view unlisted;
};

constexpr std::string_view kChoices[] = {"remove", "allow"};
constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::allow,
     {.name = "allow",
      .vocabulary = policy::Vocabulary::kDevice,
      .description = "devices whose entries are kept, in addition to devices.allow and the devices "
                     "that every container has"}},
    {&Parameters::unlisted,
     {.name = "unlisted",
      .choices = kChoices,
      .description = "what happens to the entry of another single character device; block devices, "
                     "the host's memory and whole ranges are removed unless they are listed",
      .docker_default = std::string_view("remove")}},
});

bool IsEverything(const oci::DeviceRule& rule) {
  return (rule.type.empty() || rule.type == "a") && rule.major < 0 && rule.minor < 0;
}

// The numbers that the policy or another rule lets the container have.
struct Granted {
  std::span<const std::string> listed;      // "allow"
  std::span<const std::string> of_devices;  // "allow" of devices
  std::span<const oci::Device> nodes;       // /linux/devices: those that passed the rule devices
  bool has_unlisted = false;                // any other single character device
};

bool IsNode(const Granted& granted, const oci::DeviceRule& rule) {
  return std::ranges::any_of(granted.nodes, [&](const oci::Device& node) {
    const bool is_character = node.type == "c" || node.type == "u";
    return is_character && node.major == rule.major && node.minor == rule.minor;
  });
}

// Whether an allowing line may stay.
bool MayStay(const oci::DeviceRule& rule, const Granted& granted) {
  if (rule.type != "c" && rule.type != "b") return false;
  const bool is_block = rule.type == "b";
  if (IsListedDevice(granted.listed, is_block, rule.major, rule.minor) ||
      IsListedDevice(granted.of_devices, is_block, rule.major, rule.minor)) {
    return true;
  }
  // To make a node is nothing without opening it; runc itself gives this to every container.
  if (rule.access == "m") return true;
  if (is_block) return false;
  if (IsOrdinaryDevice(rule.major, rule.minor)) return true;
  const bool is_single = rule.major >= 0 && rule.minor >= 0;
  return is_single && !IsMemoryDevice(rule.major, rule.minor) &&
         (granted.has_unlisted || IsNode(granted, rule));
}

constexpr Code kUpdate{"update", "an update would change the devices of a running container"};
constexpr Code kOpens{"opens", "the container could open devices that are not listed"};
constexpr Code kEverything{"everything",
                           "the container could open every device of the host, or of a type"};
constexpr Code kMemory{"memory", "the container could open the host's memory or ports"};
constexpr Code kConsole{"console", "the container could open the host's console, c 5:1"};
constexpr Code kNoDenial{"no-denial", "the list does not start by denying every device"};
constexpr Code kCodes[] = {kUpdate, kOpens, kEverything, kMemory, kConsole, kNoDenial};

// What is taken out of the list.
class Removed {
 public:
  void Add(const oci::DeviceRule& rule) {
    const bool is_everything = IsEverything(rule);
    const std::string name = DeviceName(rule.type == "b", rule.major, rule.minor);
    if (!text_.empty()) text_ += ", ";
    text_ += is_everything ? "every device" : name;
    // No list entry covers both types, and listing a whole type is never suggested.
    if ((rule.type != "c" && rule.type != "b") || rule.major < 0) {
      has_everything_ = true;
    } else if (rule.type == "c" && IsMemoryDevice(rule.major, rule.minor)) {
      has_memory_ = true;
    } else if (rule.type == "c" && rule.major == kConsoleMajor && rule.minor == 1) {
      has_console_ = true;
    } else {
      names_.push_back(name);
    }
  }

  [[nodiscard]] Finding Propose(json::Value left) && {
    const auto propose = [&](const Code& code, Remedy remedy) {
      return rules::Propose(code, "/linux/resources/devices", std::move(left),
                            text_.empty() ? "does not start by denying every device"
                                          : "lets the container open " + text_,
                            std::move(remedy));
    };
    if (has_everything_) {
      return propose(
          kEverything,
          AskEngine(
              "run it without --privileged and specify the devices that it needs with --device"));
    }
    // A list could contain it, but this is never suggested.
    if (has_memory_) {
      return propose(
          kMemory,
          AskEngine("run it without this device, which gives access to all of the host's memory"));
    }
    // Docker gives the console to every container without a request, so no remedy is suggested.
    if (!names_.empty()) return propose(kOpens, AddTo("allow", std::move(names_)));
    return propose(has_console_ ? kConsole : kNoDenial, {});
  }

 private:
  static constexpr std::int64_t kConsoleMajor = 5;
  std::string text_;
  std::vector<std::string> names_;  // "c 10:229"
  bool has_everything_ = false;
  bool has_memory_ = false;
  bool has_console_ = false;
};

Findings Check(const oci::Spec& spec, const Context& context) {
  const std::vector<oci::DeviceRule> before = spec.device_rules();
  // No engine changes devices in an update; crun would, beyond what was decided at create.
  if (context.is_update) {
    if (before.empty()) return {};
    return {ProposeRemove(kUpdate, "/linux/resources/devices",
                          "would change which devices the running container may open",
                          AskEngine("create it again with the devices that it needs"))};
  }
  const std::vector<oci::Device> nodes = spec.devices();
  const Parameters parameters = kParameters.Read(context.parameters);
  const Granted granted = {.listed = parameters.allow,
                           .of_devices = context.facts.listed_devices,
                           .nodes = nodes,
                           .has_unlisted = parameters.unlisted == "allow"};
  // Without this line the container's cgroup begins as its parent's: with everything.
  std::vector<oci::DeviceRule> after = {{.allow = false, .type = {}, .access = "rwm"}};
  Removed removed;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const oci::DeviceRule& rule = before[i];
    if (i == 0 && !rule.allow && IsEverything(rule) && rule.access == "rwm") {
      after.front() = rule;
      continue;
    }
    if (!rule.allow || MayStay(rule, granted)) {
      after.push_back(rule);
      continue;
    }
    removed.Add(rule);
  }
  if (after == before) return {};
  return {std::move(removed).Propose(ToJson(after))};
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.18"};
constexpr std::string_view kPaths[] = {"/linux/resources/devices"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kDeviceCgroup{
    .schema = {.id = "device-cgroup", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "The device cgroup denies by default",
    .rationale =
        "The device cgroup decides which devices the container may open, whether the node came "
        "from the engine, mknod, a volume or the image. It denies everything by default, and "
        "allows the devices that every container has, those that passed the rule devices, and "
        "those that the policy lists. Docker also gives every container c 5:1, which is the host's "
        "console.",
    .way_out = "add the device to devices.allow or device-cgroup.allow (\"c 10:229\")",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .judges_updates = true,
    .check = Check,
};

}  // namespace runclad::rules
