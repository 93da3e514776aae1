// Devices and the seccomp filter, which engines derive from this host.
#include <dirent.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/privilege/seccomp.hpp"
#include "runclad/sys/directory.hpp"

#include "document_parts.hpp"

namespace runclad::draft {
namespace {

namespace fs = std::filesystem;
using json::Document;

struct Node {
  std::string type;  // "c", "b"
  unsigned major = 0;
  unsigned minor = 0;
  unsigned mode = 0;
};

std::optional<Node> NodeAt(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  if (!S_ISCHR(status.st_mode) && !S_ISBLK(status.st_mode)) return std::nullopt;
  constexpr unsigned kPermissions = 0777;
  return Node{S_ISCHR(status.st_mode) ? "c" : "b", major(status.st_rdev), minor(status.st_rdev),
              status.st_mode & kPermissions};
}

Document DeviceOf(const std::string& path, const Node& node) {
  return {{"path", path},
          {"type", node.type},
          {"major", node.major},
          {"minor", node.minor},
          {"fileMode", node.mode},
          {"uid", 0},
          {"gid", 0}};
}

Document RuleOf(const Node& node, const std::string& access) {
  return {{"allow", true},
          {"type", node.type},
          {"major", node.major},
          {"minor", node.minor},
          {"access", access}};
}

// Every device node below `directory`, except those that runtimes create in each container.
std::vector<std::string> NodesBelow(const std::string& directory) {
  constexpr std::size_t kMaxNodes = 1000;
  constexpr std::string_view kOthers[] = {"pts", "shm", "fd", "mqueue", ".lxc", ".lxd-mounts"};
  std::vector<std::string> nodes;
  std::vector<std::string> open = {directory};
  while (!open.empty() && nodes.size() < kMaxNodes) {
    const std::string at = std::move(open.back());
    open.pop_back();
    for (const std::string& name : sys::NamesIn(at)) {
      const std::string path = at + "/" + name;
      struct stat status {};
      if (::lstat(path.c_str(), &status) != 0) continue;
      if (S_ISDIR(status.st_mode)) {
        const bool is_other =
            at == directory && std::ranges::find(kOthers, name) != std::end(kOthers);
        if (!is_other) open.push_back(path);
      } else if ((S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) && name != "console") {
        nodes.push_back(path);
      }
    }
  }
  std::ranges::sort(nodes);
  return nodes;
}

// "c 1:11 rwm", "a *:* rwm"
Result<Document> DeviceRuleOf(const std::string& text) {
  const Error fault{"the device rule " + Quoted(text) + " is not like \"c 1:11 rwm\""};
  const std::size_t blank = text.find(' ');
  const std::size_t second = text.find(' ', blank + 1);
  if (blank != 1 || second == std::string::npos) return fault;
  const std::string numbers = text.substr(blank + 1, second - blank - 1);
  const std::string access = text.substr(second + 1);
  const std::size_t colon = numbers.find(':');
  if (std::string("abc").find(text[0]) == std::string::npos || colon == std::string::npos ||
      access.empty() || access.find_first_not_of("rwm") != std::string::npos) {
    return fault;
  }
  const auto number = [](std::string_view part) -> std::optional<std::int64_t> {
    if (part == "*") return -1;
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    if (error != std::errc() || end != part.data() + part.size() || value < 0) return std::nullopt;
    return value;
  };
  const auto major_number = number(std::string_view(numbers).substr(0, colon));
  const auto minor_number = number(std::string_view(numbers).substr(colon + 1));
  if (!major_number || !minor_number) return fault;
  return Document{{"allow", true},
                  {"type", text.substr(0, 1)},
                  {"major", *major_number},
                  {"minor", *minor_number},
                  {"access", access}};
}

Status AddDevice(Making& making, const Device& device, Document& devices, Document& rules) {
  if (device.host.find('=') != std::string::npos && !device.host.starts_with('/')) {
    making.NotJudged("the device " + Quoted(device.host) +
                     ": what its CDI specification adds to the container");
    return {};
  }
  std::vector<std::string> paths = {device.host};
  std::error_code fault;
  if (fs::is_directory(device.host, fault)) paths = NodesBelow(device.host);
  for (const std::string& path : paths) {
    const auto node = NodeAt(path);
    if (!node) {
      return Error{"the device " + Quoted(path) + " is not a device node of this host"};
    }
    devices.push_back(DeviceOf(device.container + path.substr(device.host.size()), *node));
    rules.push_back(RuleOf(*node, device.permissions));
  }
  return {};
}

bool ContainsAny(const Document& list, const auto& is_one) {
  return list.is_array() && std::any_of(list.begin(), list.end(), is_one);
}

// Whether a rule of a profile in Docker's format applies to this container.
bool Applies(const Document& rule, const std::vector<std::string>& capabilities, const Host& host) {
  const auto matches_capability = [&](const Document& name) {
    return name.is_string() &&
           std::ranges::find(capabilities, name.get_ref<const std::string&>()) !=
               capabilities.end();
  };
  const auto matches_architecture = [&](const Document& name) {
    // The profile lists the 32-bit variants of an architecture with the native one.
    return name.is_string() &&
           (name == host.architecture ||
            (host.architecture == "amd64" && (name == "x86" || name == "x32")) ||
            (host.architecture == "arm64" && name == "arm"));
  };
  const auto is_old_enough = [&](const Document& part) {
    const auto kernel = part.find("minKernel");
    if (kernel == part.end() || !kernel->is_string()) return true;
    const auto& text = kernel->get_ref<const std::string&>();
    int first = 0;
    int second = 0;
    const char* const end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, first);
    if (read.ptr != end) std::from_chars(read.ptr + 1, end, second);
    return std::pair(first, second) <= std::pair(host.kernel_major, host.kernel_minor);
  };
  if (const auto part = rule.find("includes"); part != rule.end() && part->is_object()) {
    const Document capabilities_of = part->value("caps", Document());
    const Document architectures = part->value("arches", Document());
    if (!capabilities_of.empty() &&
        !std::all_of(capabilities_of.begin(), capabilities_of.end(), matches_capability)) {
      return false;
    }
    if (!architectures.empty() && !ContainsAny(architectures, matches_architecture)) return false;
    if (!is_old_enough(*part)) return false;
  }
  if (const auto part = rule.find("excludes"); part != rule.end() && part->is_object()) {
    if (ContainsAny(part->value("caps", Document()), matches_capability)) return false;
    if (ContainsAny(part->value("arches", Document()), matches_architecture)) return false;
    if (part->contains("minKernel") && is_old_enough(*part)) return false;
  }
  return true;
}

// A profile in Docker's format, resolved as the engine resolves it.
Result<Document> ResolveProfile(const std::string& text,
                                const std::vector<std::string>& capabilities, const Host& host) {
  const auto profile = json::Read(text, {.keeps_numbers = true});
  if (!profile) return profile.error().In("the seccomp profile");
  if (!profile->is_object()) return Error{"the seccomp profile is not a JSON object"};
  Document filter = Document::object();
  for (const char* member : {"defaultAction", "defaultErrnoRet", "architectures", "flags",
                             "listenerPath", "listenerMetadata"}) {
    if (const auto found = profile->find(member); found != profile->end() && !found->is_null()) {
      filter[member] = *found;
    }
  }
  if (const auto map = profile->find("archMap"); map != profile->end() && map->is_array()) {
    constexpr std::pair<std::string_view, std::string_view> kNames[] = {
        {"amd64", "SCMP_ARCH_X86_64"},
        {"arm64", "SCMP_ARCH_AARCH64"},
        {"ppc64le", "SCMP_ARCH_PPC64LE"},
        {"s390x", "SCMP_ARCH_S390X"},
        {"riscv64", "SCMP_ARCH_RISCV64"}};
    for (const Document& entry : *map) {
      if (!entry.is_object()) continue;
      const std::string architecture = entry.value("architecture", "");
      const bool is_native = std::ranges::any_of(kNames, [&](const auto& name) {
        return name.first == host.architecture && name.second == architecture;
      });
      if (!is_native) continue;
      filter["architectures"].push_back(architecture);
      for (const Document& sub : entry.value("subArchitectures", Document::array())) {
        filter["architectures"].push_back(sub);
      }
    }
  }
  for (const Document& rule : profile->value("syscalls", Document::array())) {
    if (!rule.is_object() || !Applies(rule, capabilities, host)) continue;
    Document resolved = Document::object();
    if (rule.contains("name") && rule["name"] != "") resolved["names"] = {rule["name"]};
    for (const char* member : {"names", "action", "errnoRet", "args"}) {
      const auto found = rule.find(member);
      const bool is_set = found != rule.end() && !found->is_null() && !found->empty();
      if (is_set) resolved[member] = *found;
    }
    filter["syscalls"].push_back(std::move(resolved));
  }
  return filter;
}

}  // namespace

Status SetDevices(Making& making, Document base) {
  const Request& request = making.request;
  Document devices = Document::array();
  if (request.is_privileged) {
    for (const std::string& path : NodesBelow(making.host.devices)) {
      const auto node = NodeAt(path);
      if (node) devices.push_back(DeviceOf(path, *node));
    }
    base.push_back({{"allow", true}, {"access", "rwm"}});
  }
  for (const Device& device : request.devices) {
    if (auto added = AddDevice(making, device, devices, base); !added) return added;
  }
  for (const std::string& text : request.device_rules) {
    auto rule = DeviceRuleOf(text);
    if (!rule) return rule.error();
    base.push_back(*std::move(rule));
  }
  Document& section = making.config["linux"];
  if (!devices.empty()) section["devices"] = std::move(devices);
  section["resources"]["devices"] = std::move(base);
  return {};
}

Status SetSeccomp(Making& making) {
  const auto& asked = making.request.seccomp;
  const std::string profile =
      asked.value_or(making.request.is_privileged ? "unconfined" : "default");
  if (profile == "unconfined") return {};
  const Document& process = making.config["process"];
  const auto capabilities = process.value("capabilities", Document::object())
                                .value("bounding", std::vector<std::string>());
  Document& section = making.config["linux"];
  if (profile != "default") {
    auto filter = ResolveProfile(profile, capabilities, making.host);
    if (!filter) return filter.error();
    section["seccomp"] = *std::move(filter);
    return {};
  }
  section["seccomp"] =
      oci::ToJson(privilege::DefaultSeccompFilter({.capabilities = capabilities,
                                                   .architecture = making.host.architecture,
                                                   .kernel_major = making.host.kernel_major,
                                                   .kernel_minor = making.host.kernel_minor}))
          .document();
  return {};
}

}  // namespace runclad::draft
