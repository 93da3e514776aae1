#include "runclad/oci/spec.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/json/reader.hpp"
#include "runclad/json/writer.hpp"

#include "members.hpp"
#include "schema.hpp"

namespace runclad::oci {

using json::Document;
namespace {

// Without the r each is the same for one mount alone.
constexpr std::array<std::string_view, 5> kRecursive = {"rbind", "rprivate", "rslave", "rshared",
                                                        "runbindable"};

bool IsIn(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

bool Mount::has_option(std::string_view option) const {
  return std::ranges::find(options, option) != options.end();
}

bool Mount::is_bind() const { return type == "bind" || has_option("bind") || has_option("rbind"); }

bool Mount::may_be_recursive() const {
  return is_bind() && std::ranges::any_of(options, [](const std::string& option) {
           return IsIn(kRecursive, option);
         });
}

void MakeFlat(std::vector<std::string>& options) {
  for (std::string& option : options) {
    if (IsIn(kRecursive, option)) option.erase(0, 1);
  }
}

Spec::Spec(json::Document document, std::vector<std::string> unknown)
    : unknown_(std::move(unknown)),
      document_(std::make_unique<json::Document>(std::move(document))) {}
Spec::Spec(const Spec& other)
    : unknown_(other.unknown_), document_(std::make_unique<json::Document>(*other.document_)) {}
Spec& Spec::operator=(const Spec& other) {
  if (this == &other) return *this;
  document() = *other.document_;
  unknown_ = other.unknown_;
  return *this;
}
Spec::Spec(Spec&&) noexcept = default;
Spec& Spec::operator=(Spec&&) noexcept = default;
Spec::~Spec() = default;

Result<Spec> Spec::Parse(std::string_view bytes) {
  auto document = json::Read(bytes, {.keeps_numbers = true});
  if (!document) return document.error();
  std::vector<std::string> unknown;
  if (auto checked = CheckConfig(*document, unknown); !checked) return checked.error();
  if (auto checked = CheckSeccompOperators(*document); !checked) return checked.error();
  return Spec(*std::move(document), std::move(unknown));
}

Result<Spec> Spec::ParseProcess(std::string_view bytes) {
  auto document = json::Read(bytes, {.keeps_numbers = true});
  if (!document) return document.error();
  return FromProcess(json::Value(*std::move(document)));
}

Result<Spec> Spec::FromProcess(const json::Value& process) {
  Document document = process.document();
  std::vector<std::string> unknown;
  if (auto checked = CheckProcess(document, unknown); !checked) return checked.error();
  Document config = Document::object();
  config["process"] = std::move(document);
  return Spec(std::move(config), std::move(unknown));
}

Result<Spec> Spec::ParseResources(std::string_view bytes) {
  auto document = json::Read(bytes, {.keeps_numbers = true});
  if (!document) return document.error();
  return FromResources(json::Value(*std::move(document)));
}

Result<Spec> Spec::FromResources(const json::Value& resources) {
  if (!resources.document().is_object()) return Error{"is not an object"};
  Document config = {{"linux", {{"resources", resources.document()}}}};
  std::vector<std::string> unknown;
  if (auto checked = CheckConfig(config, unknown); !checked) return checked.error();
  return Spec(std::move(config), std::move(unknown));
}

std::string Spec::WriteResources() const {
  return json::Write(document_->at("linux").at("resources"));
}

std::string Spec::Write() const { return json::Write(*document_); }

std::string Spec::WriteProcess() const { return json::Write(document_->at("process")); }

bool Spec::has_process() const { return document_->contains("process"); }

std::vector<CapabilitySet> Spec::capabilities() const {
  constexpr std::array<std::string_view, 5> kNames = {"bounding", "effective", "inheritable",
                                                      "permitted", "ambient"};
  std::vector<CapabilitySet> sets;
  const Document* object = Find(*document_, "process", "capabilities");
  if (object == nullptr) return sets;
  sets.reserve(kNames.size());
  for (const std::string_view name : kNames) {
    const Document* set = Find(*object, name);
    if (set != nullptr) sets.push_back({name, Strings(set)});
  }
  return sets;
}

bool Spec::no_new_privileges() const {
  return IsTrue(Find(*document_, "process", "noNewPrivileges"));
}

std::string Spec::working_directory() const { return Text(Find(*document_, "process", "cwd")); }

std::string Spec::root_path() const { return Text(Find(*document_, "root", "path")); }

bool Spec::root_is_read_only() const { return IsTrue(Find(*document_, "root", "readonly")); }

const std::vector<Mount>& Spec::mounts() const {
  if (mounts_) return *mounts_;
  std::vector<Mount>& mounts = mounts_.emplace();
  const Document* array = Find(*document_, "mounts");
  if (array == nullptr) return mounts;
  mounts.reserve(array->size());
  for (const Document& mount : Elements(*array)) {
    mounts.push_back({Text(Find(mount, "destination")), Text(Find(mount, "type")),
                      Text(Find(mount, "source")), Strings(Find(mount, "options"))});
  }
  return mounts;
}

std::vector<Namespace> Spec::namespaces() const {
  std::vector<Namespace> namespaces;
  const Document* array = Find(*document_, "linux", "namespaces");
  if (array == nullptr) return namespaces;
  namespaces.reserve(array->size());
  for (const Document& entry : Elements(*array)) {
    namespaces.push_back({Text(Find(entry, "type")), Text(Find(entry, "path"))});
  }
  return namespaces;
}

std::vector<std::string> Spec::masked_paths() const {
  return Strings(Find(*document_, "linux", "maskedPaths"));
}

std::vector<std::string> Spec::readonly_paths() const {
  return Strings(Find(*document_, "linux", "readonlyPaths"));
}

std::string Spec::rootfs_propagation() const {
  return Text(Find(*document_, "linux", "rootfsPropagation"));
}

std::vector<std::pair<std::string, std::string>> Spec::sysctls() const {
  std::vector<std::pair<std::string, std::string>> sysctls;
  const Document* map = Find(*document_, "linux", "sysctl");
  if (map == nullptr) return sysctls;
  for (const auto& [name, value] : map->get_ref<const Document::object_t&>()) {
    sysctls.emplace_back(name, Text(&value));
  }
  return sysctls;
}

std::vector<Device> Spec::devices() const {
  std::vector<Device> devices;
  const Document* array = Find(*document_, "linux", "devices");
  if (array == nullptr) return devices;
  for (const Document& entry : Elements(*array)) {
    devices.push_back({Text(Find(entry, "path")), Text(Find(entry, "type")),
                       Number(Find(entry, "major"), 0), Number(Find(entry, "minor"), 0)});
  }
  return devices;
}

std::vector<DeviceRule> Spec::device_rules() const {
  std::vector<DeviceRule> rules;
  const Document* array = Find(*document_, "linux", "resources", "devices");
  if (array == nullptr) return rules;
  for (const Document& entry : Elements(*array)) {
    rules.push_back({IsTrue(Find(entry, "allow")), Text(Find(entry, "type")),
                     Number(Find(entry, "major"), -1), Number(Find(entry, "minor"), -1),
                     Text(Find(entry, "access"))});
  }
  return rules;
}

bool Spec::has_seccomp() const { return Find(*document_, "linux", "seccomp") != nullptr; }

std::optional<std::int64_t> Spec::memory_limit() const {
  const Document* limit = Find(*document_, "linux", "resources", "memory", "limit");
  if (limit == nullptr) return std::nullopt;
  return limit->get<std::int64_t>();
}

json::Value ToJson(const std::vector<DeviceRule>& rules) {
  Document array = Document::array();
  for (const DeviceRule& rule : rules) {
    Document& entry = array.emplace_back(Document::value_t::object);
    if (!rule.access.empty()) Add(entry, "access", rule.access);
    Add(entry, "allow", rule.allow);
    if (rule.major >= 0) Add(entry, "major", rule.major);
    if (rule.minor >= 0) Add(entry, "minor", rule.minor);
    if (!rule.type.empty()) Add(entry, "type", rule.type);
  }
  return json::Value(std::move(array));
}

json::Value ToJson(const Mount& mount) {
  Document object = Document::object();
  Add(object, "destination", mount.destination);
  if (!mount.options.empty()) Add(object, "options", mount.options);
  if (!mount.source.empty()) Add(object, "source", mount.source);
  if (!mount.type.empty()) Add(object, "type", mount.type);
  return json::Value(std::move(object));
}

}  // namespace runclad::oci
