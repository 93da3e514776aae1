// devices: which of the host's devices the runtime makes in the container's /dev (CIS 5.18).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <filesystem>
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

constexpr std::string_view kChoices[] = {"refuse", "allow"};
constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::allow,
     {.name = "allow",
      .vocabulary = policy::Vocabulary::kDevice,
      .description = "host devices that a container may have, by type and numbers",
      .counts_while_off = true}},
    {&Parameters::deny,
     {.name = "deny",
      .merge = policy::Merge::kAccumulate,
      .vocabulary = policy::Vocabulary::kDevice,
      .description = "host devices that are always refused, whatever `allow` and `unlisted` say; "
                     "not those that every container has"}},
    {&Parameters::unlisted,
     {.name = "unlisted",
      .choices = kChoices,
      .description = "what happens to other character devices; block devices and the host's memory "
                     "are refused unless they are listed",
      .docker_default = std::string_view("refuse")}},
});

constexpr Code kBlock{"block", "a host block device: a disk gives access to all files on it",
                      Symptom::kNone, Grant::kHostRoot};
constexpr Code kMemory{"memory", "the host's memory or ports: /dev/mem, /dev/kmem, /dev/port"};
constexpr Code kUnlisted{"unlisted", "a character device that is not listed"};
constexpr Code kDisguised{"disguised",
                          "another device in the place of one that every container has"};
constexpr Code kDenied{"denied", "a device that the policy denies"};
constexpr Code kCodes[] = {kBlock, kMemory, kUnlisted, kDisguised, kDenied};

// What the runtime makes in each container (runtime spec, "Default Devices"), and masks paths with.
struct DefaultNode {
  const char* path;
  std::int64_t major;
  std::int64_t minor;
};
constexpr DefaultNode kDefaultNodes[] = {
    {"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
    {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0},
};

// Another device under the name of a default one: masked paths would show it, and programs would
// read it for the one that they know.
bool IsDisguised(const oci::Device& device) {
  std::string path = std::filesystem::path(device.path).lexically_normal();
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  const auto* node = std::ranges::find_if(
      kDefaultNodes, [&](const DefaultNode& candidate) { return path == candidate.path; });
  if (node == std::end(kDefaultNodes)) return false;
  const bool is_character = device.type == "c" || device.type == "u";
  return !is_character || device.major != node->major || device.minor != node->minor;
}

Finding RefuseDisguised(const oci::Device& device, std::string path) {
  const std::string what =
      device.type == "p"
          ? "a named pipe"
          : "the host device " + DeviceName(device.type == "b", device.major, device.minor);
  return Refuse(kDisguised, std::move(path), device.path,
                "would be " + what +
                    ", in the place of the device of this name that every "
                    "container has",
                AskEngine("give the device its own name in the container"));
}

Finding RefuseDevice(const oci::Device& device, std::string path) {
  const bool is_block = device.type == "b";
  std::string name = DeviceName(is_block, device.major, device.minor);
  if (!is_block && IsMemoryDevice(device.major, device.minor)) {
    // A list could contain it, but this is never suggested.
    return Refuse(
        kMemory, std::move(path), device.path, "is the host's memory, " + name,
        AskEngine("run it without this device, which gives access to all of the host's memory"));
  }
  std::string why = (is_block ? "is a host block device, " : "is the host device ") + name;
  // "*" in a list stands for every number.
  Remedy remedy = device.major < 0 || device.minor < 0
                      ? AskEngine("specify the device by its numbers")
                      : AddTo(kParameters[&Parameters::allow], {std::move(name)});
  return Refuse(is_block ? kBlock : kUnlisted, std::move(path), device.path, std::move(why),
                std::move(remedy));
}

Finding RefuseDenied(const oci::Device& device, std::string path) {
  return Refuse(kDenied, std::move(path), device.path,
                "is the host device " + DeviceName(device.type == "b", device.major, device.minor) +
                    ", which the policy denies",
                AskEngine("run it without this device"));
}

Findings Check(const oci::Spec& spec, const Context& context) {
  const Parameters parameters = kParameters.Read(context.parameters);
  const bool lets_unlisted = parameters.unlisted == "allow";
  Findings findings;
  const std::vector<oci::Device> devices = spec.devices();
  for (std::size_t i = 0; i < devices.size(); ++i) {
    const oci::Device& device = devices[i];
    if (IsDisguised(device)) {
      findings.push_back(RefuseDisguised(device, "/linux/devices/" + std::to_string(i)));
      continue;
    }
    if (device.type == "p") continue;  // a named pipe of the container's own
    const bool is_block = device.type == "b";
    const bool is_ordinary = !is_block && IsOrdinaryDevice(device.major, device.minor);
    if (!is_ordinary && IsDeniedDevice(parameters.deny, is_block, device.major, device.minor)) {
      findings.push_back(RefuseDenied(device, "/linux/devices/" + std::to_string(i)));
      continue;
    }
    if (IsListedDevice(parameters.allow, is_block, device.major, device.minor)) continue;
    const bool is_memory = !is_block && IsMemoryDevice(device.major, device.minor);
    const bool is_harmless = !is_block && !is_memory;
    if (is_harmless && (lets_unlisted || is_ordinary)) continue;
    findings.push_back(RefuseDevice(device, "/linux/devices/" + std::to_string(i)));
  }
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.18", "PSS baseline"};
constexpr std::string_view kPaths[] = {"/linux/devices"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kDevices{
    .schema = {.id = "devices", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "No host devices",
    .rationale =
        "Root needs no capability to open a device node that the device cgroup allows. A host disk "
        "gives access to all files on it, /dev/mem to all memory, and any driver's node exposes "
        "the driver's bugs to the container.",
    .way_out = "add the device to devices.allow (\"c 10:229\")",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

extern constinit const ParameterPlace kDeniedDevices{kDevices, kParameters[&Parameters::deny]};

policy::StringList AllowedDevices(const policy::RuleSetting& setting) {
  return kParameters.ReadForOthers(setting).allow;
}

}  // namespace runclad::rules
