// device-cgroup: what the container may open if it gets hold of a node, wherever that came from
// (CIS 5.18).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "runclad/policy/table.hpp"
#include "runclad/rules/device_list.hpp"
#include "runclad/rules/parameters.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

struct Parameters {
  policy::StringList allow;
  policy::StringList deny;
  std::string_view unlisted;
};

constexpr std::string_view kChoices[] = {"remove", "allow"};
constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::allow,
     {.name = "allow",
      .vocabulary = policy::Vocabulary::kDevice,
      .description = "devices whose entries are kept, in addition to devices.allow and the devices "
                     "that every container has"}},
    {&Parameters::deny,
     {.name = "deny",
      .merge = policy::Merge::kAccumulate,
      .vocabulary = policy::Vocabulary::kDevice,
      .description = "devices whose entries are always removed, with every range that contains "
                     "them, whatever `allow`, devices.allow and `unlisted` say; not those that "
                     "every container has"}},
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
  std::span<const std::string> denied;      // "deny"
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

// Whether an allowing line would let the container open what the policy denies.
bool IsDenied(const oci::DeviceRule& rule, const Granted& granted) {
  if ((rule.type != "c" && rule.type != "b") || rule.access == "m") return false;
  const bool is_block = rule.type == "b";
  if (!is_block && IsOrdinaryDevice(rule.major, rule.minor)) return false;
  return IsDeniedDevice(granted.denied, is_block, rule.major, rule.minor);
}

// Whether an allowing line may stay.
bool MayStay(const oci::DeviceRule& rule, const Granted& granted) {
  if (rule.type != "c" && rule.type != "b") return false;
  if (IsDenied(rule, granted)) return false;
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
constexpr Code kOpens{"opens", "the container could open devices that are not listed",
                      Symptom::kNoDevice};
constexpr Code kEverything{"everything",
                           "the container could open every device of the host, or of a type",
                           Symptom::kNoDevice};
constexpr Code kMemory{"memory", "the container could open the host's memory or ports",
                       Symptom::kNoDevice};
constexpr Code kConsole{"console", "the container could open the host's console, c 5:1"};
constexpr Code kNoDenial{"no-denial", "the list does not start by denying every device",
                         Symptom::kNoDevice};
constexpr Code kDenied{"denied", "the container could open a device that the policy denies",
                       Symptom::kNoDevice};
constexpr Code kCodes[] = {kUpdate, kOpens, kEverything, kMemory, kConsole, kNoDenial, kDenied};

constexpr const char* kPath = "/linux/resources/devices";

// Why an allowing line is removed.
const Code& CodeOf(const oci::DeviceRule& rule, const Granted& granted) {
  constexpr std::int64_t kConsoleMajor = 5;
  // No list entry covers both types, and listing a whole type is never suggested.
  if ((rule.type != "c" && rule.type != "b") || rule.major < 0) return kEverything;
  if (IsDenied(rule, granted)) return kDenied;
  if (rule.type == "b") return kOpens;
  if (IsMemoryDevice(rule.major, rule.minor)) return kMemory;
  return rule.major == kConsoleMajor && rule.minor == 1 ? kConsole : kOpens;
}

std::string NameOf(const oci::DeviceRule& rule) {
  if (IsEverything(rule)) return "every device";
  return DeviceName(rule.type == "b", rule.major, rule.minor);
}

Remedy RemedyFor(const Code& code, std::vector<std::string> names) {
  if (&code == &kOpens) return AddTo(kParameters[&Parameters::allow], std::move(names));
  // A list could contain these, but they are never suggested.
  if (&code == &kConsole) return NoRemedy("no container needs the host's console");
  if (&code == &kDenied) return AskEngine("run it without this device");
  if (&code == &kMemory) {
    return AskEngine("run it without this device, which gives access to all of the host's memory");
  }
  return AskEngine(
      "run it without --privileged and specify the devices that it needs with --device");
}

// The findings change the list one after the other, so that each is reported with its own remedy.
Findings RemoveFrom(const std::vector<oci::DeviceRule>& list, const Granted& granted) {
  constexpr std::array<const Code*, 5> kOrder = {&kEverything, &kMemory, &kDenied, &kOpens,
                                                 &kConsole};
  // Of each line, the finding that removes it, by its place in kOrder; beyond it: the line stays.
  std::vector<std::size_t> removals;
  for (const oci::DeviceRule& rule : list) {
    const auto removal = rule.allow && !MayStay(rule, granted)
                             ? std::ranges::find(kOrder, &CodeOf(rule, granted))
                             : kOrder.end();
    removals.push_back(static_cast<std::size_t>(removal - kOrder.begin()));
  }
  Findings findings;
  for (std::size_t removal = 0; removal < kOrder.size(); ++removal) {
    std::vector<std::string> names;
    std::vector<oci::DeviceRule> left;
    std::string text;
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (removals[i] > removal) left.push_back(list[i]);
      if (removals[i] != removal) continue;
      names.push_back(NameOf(list[i]));
      text += (text.empty() ? "" : ", ") + names.back();
    }
    if (names.empty()) continue;
    const Code& code = *kOrder[removal];
    findings.push_back(Propose(code, kPath, ToJson(left), "lets the container open " + text,
                               RemedyFor(code, std::move(names))));
  }
  return findings;
}

Findings Check(const oci::Spec& spec, const Context& context, const ListedDevices& devices) {
  const std::vector<oci::DeviceRule> before = spec.device_rules();
  // No engine changes devices in an update; crun would, beyond what was decided at create.
  if (context.is_update) {
    if (before.empty()) return {};
    return {ProposeRemove(kUpdate, kPath,
                          "would change which devices the running container may open",
                          AskEngine("create it again with the devices that it needs"))};
  }
  const std::vector<oci::Device> nodes = spec.devices();
  const Parameters parameters = kParameters.Read(context.parameters);
  const Granted granted = {.denied = parameters.deny,
                           .listed = parameters.allow,
                           .of_devices = devices.entries,
                           .nodes = nodes,
                           .has_unlisted = parameters.unlisted == "allow"};
  // Without this line the container's cgroup begins as its parent's: with everything.
  std::vector<oci::DeviceRule> list = before;
  const bool has_denial = !before.empty() && !before.front().allow &&
                          IsEverything(before.front()) && before.front().access == "rwm";
  if (!has_denial) list.insert(list.begin(), {.allow = false, .type = {}, .access = "rwm"});
  Findings findings = RemoveFrom(list, granted);
  if (findings.empty() && !has_denial) {
    return {Propose(kNoDenial, kPath, ToJson(list), "does not start by denying every device",
                    NoRemedy("the list always starts by denying every device"))};
  }
  return findings;
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
    .check = Bind<Check>(),
};

extern constinit const ParameterPlace kDeniedCgroupDevices{kDeviceCgroup,
                                                           kParameters[&Parameters::deny]};

}  // namespace runclad::rules
