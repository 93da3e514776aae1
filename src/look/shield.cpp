// What a shield may say, and whether a container is exposed to it. In one file, since what is read
// is also what is asked.
#include "runclad/look/shield.hpp"

#include <fcntl.h>
#include <signal.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/base/time.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/privilege/compat_calls.hpp"
#include "runclad/privilege/denied_call.hpp"
#include "runclad/privilege/operator_names.hpp"
#include "runclad/privilege/seccomp.hpp"
#include "runclad/privilege/socket_families.hpp"
#include "runclad/privilege/syscalls.hpp"
#include "runclad/rules/device_list.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/sys/cgroups.hpp"

#include "call_search.hpp"
#include "other_ways.hpp"
#include "proc.hpp"
#include "task_state.hpp"

namespace runclad::look {
namespace {

using json::Document;
using privilege::SeccompArgument;
using privilege::SeccompOperator;

constexpr std::string_view kMembers[] = {"id", "reason", "until", "deny"};
constexpr std::string_view kDenied[] = {"families", "syscalls", "devices", "modules"};
constexpr std::string_view kDeviceMembers[] = {"type", "major", "minor"};
constexpr const char* kDeniesNothing =
    "the shield denies nothing: \"deny\" has families, syscalls, devices and modules";
constexpr std::string_view kCallMembers[] = {"name", "args"};
constexpr std::string_view kArgumentMembers[] = {"index", "value", "valueTwo", "op"};

Status CheckMembers(const Document& object, std::span<const std::string_view> known,
                    const std::string& where) {
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(known, name) == known.end()) {
      return Error{"unknown member " + Quoted(name) + where + "; it has " + Alternatives(known)};
    }
  }
  return {};
}

Result<std::string> Text(const Document& object, const char* name) {
  if (!object.contains(name)) return std::string();
  if (!object[name].is_string()) return Error{std::string("\"") + name + "\" is not a text"};
  return object[name].get<std::string>();
}

Result<std::vector<std::string>> Texts(const Document& object, const char* name) {
  std::vector<std::string> texts;
  if (!object.contains(name)) return texts;
  const Document& list = object[name];
  const auto is_text = [](const Document& entry) { return entry.is_string(); };
  if (!list.is_array() || !std::all_of(list.begin(), list.end(), is_text)) {
    return Error{std::string("\"") + name + "\" is not a list of texts"};
  }
  return list.get<std::vector<std::string>>();
}

Result<SeccompArgument> ArgumentFrom(const Document& entry) {
  if (!entry.is_object()) return Error{"an argument of a system call is not an object"};
  if (auto checked = CheckMembers(entry, kArgumentMembers, " of args"); !checked) {
    return checked.error();
  }
  SeccompArgument argument;
  const auto op = Text(entry, "op");
  if (!op) return op.error();
  const auto* found = std::ranges::find(privilege::kOperatorNames, *op,
                                        &std::pair<std::string_view, SeccompOperator>::first);
  if (found == std::end(privilege::kOperatorNames)) {
    std::vector<std::string_view> names;
    for (const auto& [name, value] : privilege::kOperatorNames) names.push_back(name);
    return Error{"\"op\" is " + Alternatives(names) + ", not " + Quoted(*op)};
  }
  argument.op = found->second;
  const bool has_mask = argument.op == SeccompOperator::kMaskedEqual;
  for (const char* name : {"index", "value", "valueTwo"}) {
    const bool is_second = name == std::string_view("valueTwo");
    if (is_second && !has_mask && !entry.contains(name)) continue;
    if (!entry.contains(name) || !entry[name].is_number_unsigned()) {
      return Error{std::string("\"") + name + "\" of args is not a number from 0"};
    }
  }
  // Beyond 5 is an error later, and must not become a small number here.
  argument.index = static_cast<std::uint32_t>(
      std::min(entry["index"].get<std::uint64_t>(), std::uint64_t{UINT32_MAX}));
  argument.value = entry["value"].get<std::uint64_t>();
  if (has_mask) argument.value_two = entry["valueTwo"].get<std::uint64_t>();
  return argument;
}

Result<privilege::DeniedCall> CallFrom(const Document& object) {
  if (auto checked = CheckMembers(object, kCallMembers, " of syscalls"); !checked) {
    return checked.error();
  }
  auto name = Text(object, "name");
  if (!name) return name.error();
  privilege::DeniedCall call{*std::move(name), {}};
  if (!object.contains("args") || !object["args"].is_array()) {
    return Error{"\"args\" of the system call " + Quoted(call.name) + " is not a list"};
  }
  for (const Document& entry : object["args"]) {
    const auto argument = ArgumentFrom(entry);
    if (!argument) return argument.error();
    call.arguments.push_back(*argument);
  }
  if (std::string fault = WhyNotDenied(call); !fault.empty()) return Error{std::move(fault)};
  return call;
}

Status ReadSyscalls(const Document& deny, Shield& shield) {
  if (!deny.contains("syscalls")) return {};
  const Document& list = deny["syscalls"];
  const Error no_list{"\"syscalls\" is not a list of texts, and of objects with name and args"};
  if (!list.is_array()) return no_list;
  for (const Document& entry : list) {
    if (entry.is_object()) {
      auto call = CallFrom(entry);
      if (!call) return call.error();
      shield.calls.push_back(*std::move(call));
      continue;
    }
    if (!entry.is_string()) return no_list;
    auto name = entry.get<std::string>();
    if (!privilege::IsSyscallName(name)) {
      return Error{"no system call is called " + Quoted(name)};
    }
    if (privilege::IsEssential(name)) {
      return Error{"without the system call " + name + " no program runs"};
    }
    shield.syscalls.push_back(std::move(name));
  }
  return {};
}

Result<std::string> DeviceFrom(const Document& object) {
  if (auto checked = CheckMembers(object, kDeviceMembers, " of devices"); !checked) {
    return checked.error();
  }
  const auto type = Text(object, "type");
  if (!type) return type.error();
  if (*type != "c" && *type != "b") {
    return Error{"\"type\" of a device is c or b, not " + Quoted(*type)};
  }
  std::int64_t numbers[] = {-1, -1};
  constexpr std::int64_t kMost = 999'999'999;
  for (std::size_t i = 0; i < std::size(numbers); ++i) {
    const char* name = i == 0 ? "major" : "minor";
    if (i == 1 && !object.contains(name)) continue;
    if (!object.contains(name) || !object[name].is_number_unsigned() ||
        object[name].get<std::uint64_t>() > kMost) {
      return Error{std::string("\"") + name + "\" of a device is not a number from 0"};
    }
    numbers[i] = object[name].get<std::int64_t>();
  }
  const bool is_block = *type == "b";
  std::string device = rules::DeviceName(is_block, numbers[0], numbers[1]);
  if (!is_block && rules::IsOrdinaryDevice(numbers[0], numbers[1])) {
    return Error{"every container has the device " + device};
  }
  return device;
}

Status ReadDevices(const Document& deny, Shield& shield) {
  if (!deny.contains("devices")) return {};
  if (!deny["devices"].is_array()) return Error{"\"devices\" is not a list"};
  for (const Document& entry : deny["devices"]) {
    if (entry.is_object()) {
      auto device = DeviceFrom(entry);
      if (!device) return device.error();
      shield.devices.push_back(*std::move(device));
    } else if (entry.is_string() && entry.get_ref<const std::string&>().starts_with('/')) {
      shield.device_paths.push_back(entry.get<std::string>());
    } else {
      return Error{"\"devices\" is not a list of paths, and of objects with type, major and minor"};
    }
  }
  return {};
}

// Of "c 10:229".
Document JsonFrom(const std::string& device) {
  constexpr std::size_t kTypeLength = 2;
  const std::size_t colon = device.find(':');
  Document object = {{"type", device.substr(0, 1)},
                     {"major", std::stoll(device.substr(kTypeLength, colon - kTypeLength))}};
  const std::string minor = device.substr(colon + 1);
  if (minor != "*") object["minor"] = std::stoll(minor);
  return object;
}

Document JsonFrom(const privilege::DeniedCall& call) {
  Document arguments = Document::array();
  for (const SeccompArgument& argument : call.arguments) {
    const auto* op = std::ranges::find(privilege::kOperatorNames, argument.op,
                                       &std::pair<std::string_view, SeccompOperator>::second);
    Document entry = {{"index", argument.index}, {"value", argument.value}, {"op", op->first}};
    if (argument.op == SeccompOperator::kMaskedEqual) entry["valueTwo"] = argument.value_two;
    arguments.push_back(std::move(entry));
  }
  return {{"name", call.name}, {"args", std::move(arguments)}};
}

// It becomes the name of a file.
bool IsId(std::string_view id) {
  constexpr std::size_t kLongest = 64;
  return !id.empty() && id.size() <= kLongest && id.front() != '-' &&
         std::ranges::all_of(id, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
         });
}

bool IsModule(std::string_view name) {
  constexpr std::size_t kLongest = 55;  // MODULE_NAME_LEN
  return !name.empty() && name.size() <= kLongest && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

}  // namespace

Result<Shield> ParseShield(std::string_view text) {
  const auto document = json::Read(text, {.comments = true});
  if (!document) return document.error();
  if (!document->is_object()) return Error{"a shield is an object with id, reason and deny"};
  if (auto checked = CheckMembers(*document, kMembers, ""); !checked) return checked.error();
  Shield shield;
  for (auto [name, member] : {std::pair("id", &shield.id), std::pair("reason", &shield.reason),
                              std::pair("until", &shield.until)}) {
    auto value = Text(*document, name);
    if (!value) return value.error();
    *member = *std::move(value);
  }
  if (!IsId(shield.id)) {
    return Error{"the id " + Quoted(shield.id) + " is not made of a-z, 0-9 and hyphens"};
  }
  if (shield.reason.empty()) return Error{"the shield has no reason"};
  if (!shield.until.empty() && !ParseDay(shield.until)) {
    return Error{"until " + Quoted(shield.until) + " is not a day such as 2027-03-31"};
  }
  if (!document->contains("deny") || !(*document)["deny"].is_object()) {
    return Error{kDeniesNothing};
  }
  const Document& deny = (*document)["deny"];
  if (auto checked = CheckMembers(deny, kDenied, " of deny"); !checked) return checked.error();
  const auto families = Texts(deny, "families");
  if (!families) return families.error();
  for (const std::string& family : *families) {
    auto canonical = privilege::CanonicalFamily(family);
    if (!canonical) return Error{Quoted(family) + " is not a socket address family"};
    shield.families.push_back(*std::move(canonical));
  }
  if (auto read = ReadSyscalls(deny, shield); !read) return read.error();
  if (auto read = ReadDevices(deny, shield); !read) return read.error();
  auto modules = Texts(deny, "modules");
  if (!modules) return modules.error();
  for (std::string& module : *modules) {
    std::ranges::replace(module, '-', '_');  // as modprobe reads them, and the kernel writes them
    if (!IsModule(module)) return Error{Quoted(module) + " is not the name of a kernel module"};
    shield.modules.push_back(std::move(module));
  }
  if (shield.families.empty() && shield.syscalls.empty() && shield.calls.empty() &&
      shield.devices.empty() && shield.device_paths.empty() && shield.modules.empty()) {
    return Error{kDeniesNothing};
  }
  return shield;
}

std::string TextOf(const Shield& shield) {
  Document syscalls = shield.syscalls;
  for (const privilege::DeniedCall& call : shield.calls) syscalls.push_back(JsonFrom(call));
  Document document = {
      {"id", shield.id},
      {"reason", shield.reason},
      {"deny", {{"families", shield.families}, {"syscalls", std::move(syscalls)}}}};
  if (!shield.modules.empty()) document["deny"]["modules"] = shield.modules;
  for (const std::string& path : shield.device_paths) document["deny"]["devices"].push_back(path);
  for (const std::string& device : shield.devices) {
    document["deny"]["devices"].push_back(JsonFrom(device));
  }
  if (!shield.until.empty()) document["until"] = shield.until;
  return document.dump(2, ' ', /*ensure_ascii=*/true, Document::error_handler_t::replace) + "\n";
}

std::string PolicyOf(const Shield& shield) {
  std::vector<std::string> denied = shield.families;
  denied.insert(denied.end(), shield.syscalls.begin(), shield.syscalls.end());
  for (const privilege::DeniedCall& call : shield.calls) denied.push_back(ToText(call));
  Document policy = {{"rules", Document::object()}};
  const auto list = [&](const rules::ParameterPlace& place) -> Document& {
    return policy["rules"][place.rule()][place.parameter()];
  };
  if (!denied.empty()) list(rules::kDeniedSyscalls) = std::move(denied);
  if (!shield.devices.empty()) {
    list(rules::kDeniedDevices) = shield.devices;
    list(rules::kDeniedCgroupDevices) = shield.devices;
  }
  return policy.dump(2) + "\n";
}

namespace {

// -1: "*".
std::int64_t NumberFrom(std::string_view text) {
  std::int64_t number = -1;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// Of cgroup v1; empty: the process has ended.
std::string DeviceCgroupOf(pid_t pid) {
  const UniqueFd process(
      ::open(("/proc/" + std::to_string(pid)).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  const std::string text = process ? ReadOf(process.get(), "cgroup").value_or("") : std::string();
  return std::string(sys::CgroupPathOf(text, "devices"));
}

bool HasOneDeviceCgroup(const Container& container, const TaskStates& tasks) {
  const std::string first = DeviceCgroupOf(container.pid);
  return std::ranges::all_of(tasks.processes, [&](pid_t pid) {
    const std::string own = DeviceCgroupOf(pid);
    return own == first || (own.empty() && ::kill(pid, 0) != 0);
  });
}

// Whether the container could open a node of the device, wherever it came from.
Answer AskDevice(const Container& container, const TaskStates& tasks, const std::string& device) {
  if (!container.device_rules) {
    return Unknown("devices", "the device rules of cgroup v2 are a program, which is not read");
  }
  if (!HasOneDeviceCgroup(container, tasks)) {
    return Unknown("devices", "its processes are in different cgroups, with rules of their own");
  }
  const std::vector<std::string> denied = {device};
  std::string_view rest = *container.device_rules;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    const std::size_t colon = line.find(':');
    const std::size_t space = line.rfind(' ');
    if (colon == std::string_view::npos || colon < 2 || space < colon) continue;
    if (line.substr(space) == " m") continue;  // to make a node is nothing without opening it
    const std::string_view numbers = line.substr(0, space);
    const bool is_it =
        line[0] == 'a' ||
        rules::IsDeniedDevice(denied, line[0] == 'b', NumberFrom(numbers.substr(2, colon - 2)),
                              NumberFrom(numbers.substr(colon + 1)));
    if (is_it) return Yes();
  }
  return No("devices", "its cgroup does not allow the device");
}

ShieldState StateFrom(const Shield& shield, const Container& container, const TaskStates& tasks) {
  ShieldState state{Exposure::kClosed, {}};
  if (tasks.distinct.empty()) return {Exposure::kUnknown, "the container has ended"};
  const auto count = [&](const Answer& answer, const std::string& what) {
    if (answer.verdict == Verdict::kYes) {
      state = {Exposure::kExposed, what};
    } else if (answer.verdict == Verdict::kUnknown && state.exposure == Exposure::kClosed) {
      state = {Exposure::kUnknown, answer.because};
    }
    return state.exposure != Exposure::kExposed;
  };
  for (const std::string& device : shield.devices) {
    if (!count(AskDevice(container, tasks, device), "device " + device)) return state;
  }
  const bool has_ring_calls =
      !shield.families.empty() || std::ranges::any_of(shield.syscalls, privilege::IsRingCall) ||
      std::ranges::any_of(shield.calls, privilege::IsRingCall, &privilege::DeniedCall::name);
  // Whatever the arguments: a filter that allows a call allows it with some of them, and none of
  // all has zeros there.
  const auto count_call = [&](const TaskState& task, const privilege::DeniedCall& call,
                              const std::string& what) {
    if (!count(AskDeniedCall(task, call), what)) return false;
    return std::ranges::all_of(privilege::CompatNamesOf(call.name), [&](std::string_view other) {
      const std::string spelt(other);
      return count(AskDeniedCall(task, {spelt, call.arguments}),
                   call.arguments.empty() ? "syscall " + spelt : what + " as " + spelt);
    });
  };
  for (const TaskState& task : tasks.distinct) {
    for (const std::string& family : shield.families) {
      const auto number = privilege::FamilyNumber(family);
      if (!number) continue;
      for (const std::string name : {"socket", "socketpair"}) {
        const privilege::DeniedCall call{name, {{0, *number, 0, SeccompOperator::kEqual}}};
        if (!count(AskDeniedCall(task, call), name + " " + family)) return state;
      }
    }
    for (const std::string& name : shield.syscalls) {
      if (!count_call(task, {name, {}}, "syscall " + name)) return state;
    }
    for (const privilege::DeniedCall& call : shield.calls) {
      if (!count_call(task, call, "syscall " + ToText(call))) return state;
    }
    // Last: what the filters themselves let through is the better reason.
    if (has_ring_calls && !count(AskRings(task), "io_uring_setup, whose requests no filter sees")) {
      return state;
    }
  }
  const bool has_tasks = !shield.families.empty() || !shield.syscalls.empty() ||
                         !shield.calls.empty() || !shield.devices.empty();
  if (state.exposure == Exposure::kClosed && has_tasks && !tasks.incomplete_because.empty()) {
    return {Exposure::kUnknown, tasks.incomplete_because};
  }
  return state;
}

}  // namespace

std::vector<ShieldState> StatesOf(std::span<const Shield> shields, const Container& container,
                                  Attach attach) {
  const TaskStates tasks = TaskStatesOf(container, attach);
  std::vector<ShieldState> states;
  for (const Shield& shield : shields) states.push_back(StateFrom(shield, container, tasks));
  return states;
}

}  // namespace runclad::look
