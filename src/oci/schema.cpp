// The types of config.json's members. Long: mostly one table.
#include "schema.hpp"

#include <algorithm>
#include <climits>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include <nlohmann/json.hpp>

#include "runclad/base/inline_text.hpp"
#include "runclad/json/folding.hpp"
#include "runclad/json/pointer.hpp"

namespace runclad::oci {
namespace {

enum class Kind {
  kString,
  kPath,      // a string that the kernel takes for a path
  kArgument,  // a string; the first of its array is a program's path or name
  kBoolean,
  kInteger,     // fits int64
  kUnsigned,    // fits uint64
  kUnsigned32,  // fits uint32
  kObject,
  kMap,      // free names; values are strings, or objects where `object` is given
  kForeign,  // another platform's: not looked into
};

struct Object;

struct Field {
  InlineText<23> name;
  Kind kind;
  const Object* object = nullptr;
  bool is_array = false;
};

struct Object {
  std::span<const Field> fields;
};

using Name = decltype(Field::name);
constexpr Field StringList(Name name) { return {name, Kind::kString, nullptr, true}; }
constexpr Field Paths(Name name) { return {name, Kind::kPath, nullptr, true}; }
constexpr Field Objects(Name name, const Object& object) {
  return {name, Kind::kObject, &object, true};
}
constexpr Field Nested(Name name, const Object& object) { return {name, Kind::kObject, &object}; }

constexpr Field kBoxFields[] = {{"height", Kind::kUnsigned}, {"width", Kind::kUnsigned}};
constexpr Object kBox{kBoxFields};

constexpr Field kUserFields[] = {
    {"uid", Kind::kUnsigned32},   {"gid", Kind::kUnsigned32},
    {"umask", Kind::kUnsigned32}, {"additionalGids", Kind::kUnsigned32, nullptr, true},
    {"username", Kind::kString},
};
constexpr Object kUser{kUserFields};

constexpr Field kCapabilitiesFields[] = {
    StringList("bounding"),  StringList("effective"), StringList("inheritable"),
    StringList("permitted"), StringList("ambient"),
};
constexpr Object kCapabilities{kCapabilitiesFields};

constexpr Field kRlimitFields[] = {
    {"type", Kind::kString}, {"hard", Kind::kUnsigned}, {"soft", Kind::kUnsigned}};
constexpr Object kRlimit{kRlimitFields};

constexpr Field kSchedulerFields[] = {
    {"policy", Kind::kString},   {"nice", Kind::kInteger},     {"priority", Kind::kInteger},
    StringList("flags"),         {"runtime", Kind::kUnsigned}, {"deadline", Kind::kUnsigned},
    {"period", Kind::kUnsigned},
};
constexpr Object kScheduler{kSchedulerFields};

constexpr Field kIoPriorityFields[] = {{"class", Kind::kString}, {"priority", Kind::kInteger}};
constexpr Object kIoPriority{kIoPriorityFields};

constexpr Field kCpuAffinityFields[] = {{"initial", Kind::kString}, {"final", Kind::kString}};
constexpr Object kCpuAffinity{kCpuAffinityFields};

constexpr Field kProcessFields[] = {
    {"terminal", Kind::kBoolean},
    Nested("consoleSize", kBox),
    Nested("user", kUser),
    {"args", Kind::kArgument, nullptr, true},
    {"commandLine", Kind::kString},
    StringList("env"),
    {"cwd", Kind::kPath},
    Nested("capabilities", kCapabilities),
    Objects("rlimits", kRlimit),
    {"noNewPrivileges", Kind::kBoolean},
    {"apparmorProfile", Kind::kString},
    {"oomScoreAdj", Kind::kInteger},
    Nested("scheduler", kScheduler),
    {"selinuxLabel", Kind::kString},
    Nested("ioPriority", kIoPriority),
    Nested("execCPUAffinity", kCpuAffinity),
};
constexpr Object kProcess{kProcessFields};

constexpr Field kRootFields[] = {{"path", Kind::kPath}, {"readonly", Kind::kBoolean}};
constexpr Object kRoot{kRootFields};

constexpr Field kIdMappingFields[] = {
    {"containerID", Kind::kUnsigned32}, {"hostID", Kind::kUnsigned32}, {"size", Kind::kUnsigned32}};
constexpr Object kIdMapping{kIdMappingFields};

constexpr Field kMountFields[] = {
    {"destination", Kind::kPath},
    {"type", Kind::kString},
    {"source", Kind::kPath},
    StringList("options"),
    Objects("uidMappings", kIdMapping),
    Objects("gidMappings", kIdMapping),
};
constexpr Object kMount{kMountFields};

constexpr Field kHookFields[] = {
    {"path", Kind::kPath}, StringList("args"), StringList("env"), {"timeout", Kind::kInteger}};
constexpr Object kHook{kHookFields};

constexpr Field kHooksFields[] = {
    Objects("prestart", kHook),        Objects("createRuntime", kHook),
    Objects("createContainer", kHook), Objects("startContainer", kHook),
    Objects("poststart", kHook),       Objects("poststop", kHook),
};
constexpr Object kHooks{kHooksFields};

constexpr Field kNamespaceFields[] = {{"type", Kind::kString}, {"path", Kind::kPath}};
constexpr Object kNamespace{kNamespaceFields};

constexpr Field kDeviceFields[] = {
    {"path", Kind::kPath},      {"type", Kind::kString},         {"major", Kind::kInteger},
    {"minor", Kind::kInteger},  {"fileMode", Kind::kUnsigned32}, {"uid", Kind::kUnsigned32},
    {"gid", Kind::kUnsigned32},
};
constexpr Object kDevice{kDeviceFields};

constexpr Field kNetDeviceFields[] = {{"name", Kind::kString}};
constexpr Object kNetDevice{kNetDeviceFields};

constexpr Field kDeviceRuleFields[] = {
    {"allow", Kind::kBoolean}, {"type", Kind::kString},   {"major", Kind::kInteger},
    {"minor", Kind::kInteger}, {"access", Kind::kString},
};
constexpr Object kDeviceRule{kDeviceRuleFields};

constexpr Field kMemoryFields[] = {
    {"limit", Kind::kInteger},
    {"reservation", Kind::kInteger},
    {"swap", Kind::kInteger},
    {"kernel", Kind::kInteger},
    {"kernelTCP", Kind::kInteger},
    {"swappiness", Kind::kUnsigned},
    {"disableOOMKiller", Kind::kBoolean},
    {"useHierarchy", Kind::kBoolean},
    {"checkBeforeUpdate", Kind::kBoolean},
};
constexpr Object kMemory{kMemoryFields};

constexpr Field kCpuFields[] = {
    {"shares", Kind::kUnsigned},
    {"quota", Kind::kInteger},
    {"burst", Kind::kUnsigned},
    {"period", Kind::kUnsigned},
    {"realtimeRuntime", Kind::kInteger},
    {"realtimePeriod", Kind::kUnsigned},
    {"cpus", Kind::kString},
    {"mems", Kind::kString},
    {"idle", Kind::kInteger},
};
constexpr Object kCpu{kCpuFields};

constexpr Field kPidsFields[] = {{"limit", Kind::kInteger}};
constexpr Object kPids{kPidsFields};

constexpr Field kWeightDeviceFields[] = {{"major", Kind::kInteger},
                                         {"minor", Kind::kInteger},
                                         {"weight", Kind::kUnsigned32},
                                         {"leafWeight", Kind::kUnsigned32}};
constexpr Object kWeightDevice{kWeightDeviceFields};

constexpr Field kThrottleDeviceFields[] = {
    {"major", Kind::kInteger}, {"minor", Kind::kInteger}, {"rate", Kind::kUnsigned}};
constexpr Object kThrottleDevice{kThrottleDeviceFields};

constexpr Field kBlockIoFields[] = {
    {"weight", Kind::kUnsigned32},
    {"leafWeight", Kind::kUnsigned32},
    Objects("weightDevice", kWeightDevice),
    Objects("throttleReadBpsDevice", kThrottleDevice),
    Objects("throttleWriteBpsDevice", kThrottleDevice),
    Objects("throttleReadIOPSDevice", kThrottleDevice),
    Objects("throttleWriteIOPSDevice", kThrottleDevice),
};
constexpr Object kBlockIo{kBlockIoFields};

constexpr Field kHugepageLimitFields[] = {{"pageSize", Kind::kString}, {"limit", Kind::kUnsigned}};
constexpr Object kHugepageLimit{kHugepageLimitFields};

constexpr Field kNetworkPriorityFields[] = {{"name", Kind::kString},
                                            {"priority", Kind::kUnsigned32}};
constexpr Object kNetworkPriority{kNetworkPriorityFields};

constexpr Field kNetworkFields[] = {{"classID", Kind::kUnsigned32},
                                    Objects("priorities", kNetworkPriority)};
constexpr Object kNetwork{kNetworkFields};

constexpr Field kRdmaFields[] = {{"hcaHandles", Kind::kUnsigned32},
                                 {"hcaObjects", Kind::kUnsigned32}};
constexpr Object kRdma{kRdmaFields};

constexpr Field kResourcesFields[] = {
    Objects("devices", kDeviceRule),
    Nested("memory", kMemory),
    Nested("cpu", kCpu),
    Nested("pids", kPids),
    Nested("blockIO", kBlockIo),
    Objects("hugepageLimits", kHugepageLimit),
    Nested("network", kNetwork),
    {"rdma", Kind::kMap, &kRdma},
    {"unified", Kind::kMap},
};
constexpr Object kResources{kResourcesFields};

constexpr Field kSeccompArgumentFields[] = {{"index", Kind::kUnsigned32},
                                            {"value", Kind::kUnsigned},
                                            {"valueTwo", Kind::kUnsigned},
                                            {"op", Kind::kString}};
constexpr Object kSeccompArgument{kSeccompArgumentFields};

constexpr Field kSyscallFields[] = {
    StringList("names"),
    {"action", Kind::kString},
    {"errnoRet", Kind::kUnsigned32},
    Objects("args", kSeccompArgument),
};
constexpr Object kSyscall{kSyscallFields};

constexpr Field kSeccompFields[] = {
    {"defaultAction", Kind::kString}, {"defaultErrnoRet", Kind::kUnsigned32},
    StringList("architectures"),      StringList("flags"),
    {"listenerPath", Kind::kPath},    {"listenerMetadata", Kind::kString},
    Objects("syscalls", kSyscall),
};
constexpr Object kSeccomp{kSeccompFields};

constexpr Field kIntelRdtFields[] = {
    {"closID", Kind::kString},
    {"l3CacheSchema", Kind::kString},
    {"memBwSchema", Kind::kString},
    StringList("schemata"),
    {"enableCMT", Kind::kBoolean},
    {"enableMBM", Kind::kBoolean},
    {"enableMonitoring", Kind::kBoolean},
};
constexpr Object kIntelRdt{kIntelRdtFields};

constexpr Field kMemoryPolicyFields[] = {
    {"mode", Kind::kString}, {"nodes", Kind::kString}, StringList("flags")};
constexpr Object kMemoryPolicy{kMemoryPolicyFields};

constexpr Field kPersonalityFields[] = {{"domain", Kind::kString}, StringList("flags")};
constexpr Object kPersonality{kPersonalityFields};

constexpr Field kTimeOffsetFields[] = {{"secs", Kind::kInteger}, {"nanosecs", Kind::kUnsigned32}};
constexpr Object kTimeOffset{kTimeOffsetFields};

constexpr Field kLinuxFields[] = {
    Objects("uidMappings", kIdMapping),
    Objects("gidMappings", kIdMapping),
    {"sysctl", Kind::kMap},
    Nested("resources", kResources),
    {"cgroupsPath", Kind::kPath},
    Objects("namespaces", kNamespace),
    Objects("devices", kDevice),
    {"netDevices", Kind::kMap, &kNetDevice},
    Nested("seccomp", kSeccomp),
    {"rootfsPropagation", Kind::kString},
    Paths("maskedPaths"),
    Paths("readonlyPaths"),
    {"mountLabel", Kind::kString},
    Nested("intelRdt", kIntelRdt),
    Nested("memoryPolicy", kMemoryPolicy),
    Nested("personality", kPersonality),
    {"timeOffsets", Kind::kMap, &kTimeOffset},
};
constexpr Object kLinux{kLinuxFields};

constexpr Field kConfigFields[] = {
    {"ociVersion", Kind::kString}, Nested("process", kProcess),   Nested("root", kRoot),
    {"hostname", Kind::kString},   {"domainname", Kind::kString}, Objects("mounts", kMount),
    Nested("hooks", kHooks),       {"annotations", Kind::kMap},   Nested("linux", kLinux),
    {"solaris", Kind::kForeign},   {"windows", Kind::kForeign},   {"vm", Kind::kForeign},
    {"zos", Kind::kForeign},       {"freebsd", Kind::kForeign},
};
constexpr Object kConfig{kConfigFields};

// The current position in the document; converted to text only for an error.
struct Place {
  const Place* parent = nullptr;
  std::string_view name;
  std::size_t index = 0;

  [[nodiscard]] std::string Pointer() const {
    if (parent == nullptr) return std::string(name);
    const std::string token = name.data() == nullptr ? std::to_string(index) : json::Escape(name);
    return parent->Pointer() + "/" + token;
  }
};

Error WrongType(const Place& place, std::string_view expected) {
  return {place.Pointer() + " is not " + std::string(expected)};
}

// No system call accepts a longer path, and the work for a path grows with its length.
Status CheckLength(const json::Document& path, const Place& place) {
  if (path.get_ref<const std::string&>().size() < PATH_MAX) return {};
  return Error{place.Pointer() + " is longer than the 4095 bytes that a path may have"};
}

using Unknown = std::vector<std::string>;

Status CheckObject(json::Document& value, const Object& object, const Place& place,
                   Unknown& unknown);

Status CheckMap(json::Document& value, const Object* object, const Place& place, Unknown& unknown) {
  if (!value.is_object()) return WrongType(place, "an object");
  for (auto& [name, element] : value.get_ref<json::Document::object_t&>()) {
    const Place inner{&place, name};
    if (object != nullptr) {
      if (auto checked = CheckObject(element, *object, inner, unknown); !checked) return checked;
    } else if (!element.is_string()) {
      return WrongType(inner, "a string");
    }
  }
  return {};
}

Status CheckValue(json::Document& value, const Field& field, const Place& place, Unknown& unknown) {
  switch (field.kind) {
    case Kind::kString:
      if (!value.is_string()) return WrongType(place, "a string");
      return {};
    case Kind::kPath:
    case Kind::kArgument:
      if (!value.is_string()) return WrongType(place, "a string");
      if (field.kind == Kind::kArgument && place.index > 0) return {};
      return CheckLength(value, place);
    case Kind::kBoolean:
      if (!value.is_boolean()) return WrongType(place, "true or false");
      return {};
    case Kind::kInteger:
      // nlohmann keeps every number without a minus sign as unsigned.
      if (!value.is_number_integer() ||
          (value.is_number_unsigned() &&
           value.get<std::uint64_t>() > std::numeric_limits<std::int64_t>::max())) {
        return WrongType(place, "a signed 64-bit integer");
      }
      return {};
    case Kind::kUnsigned:
      if (!value.is_number_unsigned()) return WrongType(place, "an unsigned 64-bit integer");
      return {};
    case Kind::kUnsigned32:
      if (!value.is_number_unsigned() ||
          value.get<std::uint64_t>() > std::numeric_limits<std::uint32_t>::max()) {
        return WrongType(place, "an unsigned 32-bit integer");
      }
      return {};
    case Kind::kObject:
      return CheckObject(value, *field.object, place, unknown);
    case Kind::kMap:
      return CheckMap(value, field.object, place, unknown);
    case Kind::kForeign:
      break;
  }
  return {};
}

Status CheckField(json::Document& value, const Field& field, const Place& place, Unknown& unknown) {
  if (!field.is_array) return CheckValue(value, field, place, unknown);
  if (!value.is_array()) return WrongType(place, "an array");
  auto& elements = value.get_ref<json::Document::array_t&>();
  const bool are_all_right =  // the longest lists, of names of system calls
      field.kind == Kind::kString && std::ranges::all_of(elements, &json::Document::is_string);
  if (are_all_right) return {};
  std::size_t index = 0;
  for (json::Document& element : elements) {
    const Place inner{&place, {}, index++};
    if (auto checked = CheckValue(element, field, inner, unknown); !checked) return checked;
  }
  return {};
}

Status CheckObject(json::Document& value, const Object& object, const Place& place,
                   Unknown& unknown) {
  if (!value.is_object()) return WrongType(place, "an object");
  auto& members = value.get_ref<json::Document::object_t&>();
  for (auto member = members.begin(); member != members.end();) {
    const std::string& name = member->first;
    const Place inner{&place, name};
    const Field* known = nullptr;
    for (const Field& field : object.fields) {
      if (field.name == name) {
        known = &field;
        break;
      }
    }
    if (known != nullptr && member->second.is_null()) {
      member = members.erase(member);
      continue;
    }
    if (known != nullptr) {
      if (auto checked = CheckField(member->second, *known, inner, unknown); !checked)
        return checked;
    } else {
      for (const Field& field : object.fields) {
        if (json::FoldsTo(name, field.name)) {
          return Error{inner.Pointer() + " would be read as \"" + std::string(field.name.text()) +
                       "\" by runc; use that spelling"};
        }
      }
      unknown.push_back(inner.Pointer());
    }
    ++member;
  }
  return {};
}

}  // namespace

Status CheckConfig(json::Document& document, std::vector<std::string>& unknown) {
  return CheckObject(document, kConfig, {}, unknown);
}

Status CheckProcess(json::Document& document, std::vector<std::string>& unknown) {
  return CheckObject(document, kProcess, {nullptr, "/process"}, unknown);
}

}  // namespace runclad::oci
