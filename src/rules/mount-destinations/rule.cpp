// mount-destinations: no mounts over the runtime's own files, or at places that cannot be
// determined in advance (CVE-2025-31133).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/base/path.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

// As written, without what a reader would not read: "//dev/./null" is "/dev/null".
std::string Plain(std::string_view path) {
  std::string plain;
  for (std::size_t begin = 0; begin < path.size();) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    const std::string_view name = path.substr(begin, end - begin);
    begin = end + 1;
    if (name.empty() || name == ".") continue;
    if (name == "..") {
      plain.resize(plain.empty() ? 0 : plain.rfind('/'));
    } else {
      plain.append("/").append(name);
    }
  }
  return plain.empty() ? "/" : plain;
}

constexpr Code kRoot{"root", "the mount covers the root filesystem"};
constexpr Code kDev{"dev", "what is mounted at /dev is not an empty tmpfs"};
constexpr Code kTerminals{"terminals", "the mount is at or below /dev/pts"};
constexpr Code kDevice{"device", "the mount covers a device that the runtime creates"};
constexpr Code kLink{"link", "a destination in /dev, /proc or /sys leads elsewhere through a link"};
constexpr Code kUncertain{"uncertain", "the destination leads through a link inside a volume"};
constexpr Code kCodes[] = {kRoot, kDev, kTerminals, kDevice, kLink, kUncertain};

struct Fault {
  const Code* code = nullptr;  // null: there is none
  std::string why = {};
};

// What the lower runtime makes in /dev itself, after the mounts.
constexpr std::string_view kOfTheRuntime[] = {
    "/dev/console", "/dev/core",    "/dev/fd",     "/dev/full",  "/dev/null",
    "/dev/ptmx",    "/dev/random",  "/dev/stderr", "/dev/stdin", "/dev/stdout",
    "/dev/tty",     "/dev/urandom", "/dev/zero",
};

// Why nothing of that kind may be mounted at `destination`, links resolved.
Fault FaultThere(const oci::Mount& mount, const std::string& destination,
                 const std::vector<oci::Device>& devices) {
  if (destination == "/") return {&kRoot, "covers the root filesystem"};
  if (destination == "/dev") {
    const bool is_empty = mount.type == "tmpfs" && !mount.is_bind();
    if (!is_empty) {
      return {&kDev,
              "lets the owner of the source choose what /dev/null is, which the runtime mounts "
              "over masked paths"};
    }
    if (!mount.has_option("tmpcopyup")) return {};
    return {&kDev,
            "lets the image choose what /dev/null is, which the runtime mounts over masked paths"};
  }
  if (IsAtOrBelow(destination, "/dev/pts")) {
    const bool is_own = destination == "/dev/pts" && mount.type == "devpts" && !mount.is_bind();
    if (is_own) return {};
    return {&kTerminals, "is mounted over the container's own terminals"};
  }
  const auto is_there = [&](std::string_view name) { return IsAtOrBelow(destination, name); };
  const bool is_created_by_runtime =
      std::ranges::any_of(kOfTheRuntime, is_there) ||
      std::ranges::any_of(devices, [&](const oci::Device& device) {
        const std::string path = Plain(device.path);
        // Above it, too: the node would be made in what is mounted there.
        return IsAtOrBelow(destination, path) || IsAtOrBelow(path, destination);
      });
  if (!is_created_by_runtime) return {};
  return {&kDevice, "is mounted over a device that the runtime creates there"};
}

// Engines name these places, and an image that makes links of them has somewhere to lead them.
Fault FaultElsewhere(const std::string& written, const std::string& destination) {
  constexpr std::string_view kPlaces[] = {"/dev", "/proc", "/sys"};
  const std::string plain = Plain(written);
  if (plain == destination) return {};
  const bool is_special = std::ranges::any_of(
      kPlaces, [&](std::string_view place) { return IsAtOrBelow(plain, place); });
  if (!is_special) return {};
  return {&kLink, "leads through a link to " + destination};
}

Findings Check(const oci::Spec& spec, const Context& /*context*/,
               const Destinations& destinations) {
  Findings findings;
  const std::vector<oci::Device> devices = spec.devices();
  const std::vector<oci::Mount>& mounts = spec.mounts();
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const std::string& written = mounts[i].destination;
    const std::string destination = Plain(destinations.Resolve(written));
    const auto uncertain = destinations.uncertain.find(written);
    Fault fault = FaultThere(mounts[i], destination, devices);
    if (fault.code == nullptr) fault = FaultElsewhere(written, destination);
    if (fault.code == nullptr && uncertain != destinations.uncertain.end()) {
      fault = {&kUncertain, uncertain->second};
    }
    if (fault.code == nullptr) continue;
    findings.push_back(Refuse(
        *fault.code, "/mounts/" + std::to_string(i) + "/destination", written, std::move(fault.why),
        AskEngine(fault.code == &kUncertain
                      ? "mount it at a separate path that does not lead through a link in a volume"
                      : "mount it at a separate path")));
  }
  return findings;
}

constexpr std::string_view kPaths[] = {"/mounts/*/destination"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kMountDestinations{
    .schema = {.id = "mount-destinations", .actions = kActions, .parameters = {}},
    .title = "No mounts over the runtime's own files",
    .rationale =
        "The runtime masks a file by mounting the container's /dev/null over it. Whoever owns what "
        "is mounted at /dev can replace /dev/null by a link, and the runtime then mounts the "
        "host's /proc or a program in place of the mask (CVE-2025-31133). A destination is "
        "resolved as the runtime resolves it: through the image's links and through earlier "
        "mounts. If it leads through a link inside a volume, its final place cannot be known in "
        "advance.",
    .way_out = "mount it at a separate path that does not lead through a link in a volume",
    .codes = kCodes,
    .benchmarks = {},
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
