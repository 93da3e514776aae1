#include "promise_json.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "setting_json.hpp"

namespace runclad::enforce {
namespace {

using json::Document;

// What is as it is by default is left out: the record is written at every create.
template <typename T>
void Put(Document& object, const char* name, const T& value) {
  if (value != T()) object[name] = value;
}

template <typename T>
void Take(const Document& object, const char* name, T& value) {
  const auto member = object.find(name);
  if (member != object.end()) value = member->get<T>();
}

Document ToDocument(const PromisedMount& mount) {
  Document object = {{"at", mount.point}};
  Put(object, "type", mount.type);
  Put(object, "flags", mount.flags);
  Put(object, "source", mount.source);
  Put(object, "device", mount.device);
  Put(object, "inode", mount.inode);
  Put(object, "fileSystem", mount.file_system);
  Put(object, "root", mount.root);
  Put(object, "replaceable", mount.replaceable_because);
  Put(object, "recursive", mount.is_recursive);
  Put(object, "submountFlags", mount.submount_flags);
  Put(object, "hidesSubmounts", mount.hides_submounts);
  Put(object, "layers", mount.layers);
  return object;
}

PromisedMount MountFrom(const Document& object) {
  PromisedMount mount;
  mount.point = object.at("at").get<std::string>();
  Take(object, "type", mount.type);
  Take(object, "flags", mount.flags);
  Take(object, "source", mount.source);
  Take(object, "device", mount.device);
  Take(object, "inode", mount.inode);
  Take(object, "fileSystem", mount.file_system);
  Take(object, "root", mount.root);
  Take(object, "replaceable", mount.replaceable_because);
  Take(object, "recursive", mount.is_recursive);
  Take(object, "submountFlags", mount.submount_flags);
  Take(object, "hidesSubmounts", mount.hides_submounts);
  Take(object, "layers", mount.layers);
  return mount;
}

Document ToDocument(const std::vector<oci::IdMapping>& mappings) {
  Document array = Document::array();
  for (const oci::IdMapping& mapping : mappings) {
    array.push_back({mapping.container_id, mapping.host_id, mapping.size});
  }
  return array;
}

std::vector<oci::IdMapping> MappingsFrom(const Document& array) {
  std::vector<oci::IdMapping> mappings;
  for (const Document& entry : array) {
    mappings.push_back({entry.at(0).get<std::uint32_t>(), entry.at(1).get<std::uint32_t>(),
                        entry.at(2).get<std::uint32_t>()});
  }
  return mappings;
}

Document ToDocument(const std::vector<oci::Device>& devices) {
  Document array = Document::array();
  for (const oci::Device& device : devices) {
    array.push_back({device.path, device.type, device.major, device.minor});
  }
  return array;
}

void Read(const Document& document, Promise& promise) {
  promise.has_mounts = true;
  const Document& capabilities = document.at("capabilities");
  for (std::size_t i = 0; i < promise.capabilities.size(); ++i) {
    promise.capabilities.at(i) = capabilities.at(i).get<std::uint64_t>();
  }
  promise.no_new_privileges = document.at("noNewPrivileges").get<bool>();
  promise.seccomp = document.at("seccomp").get<bool>();
  promise.uid = document.at("uid").get<std::uint32_t>();
  promise.gid = document.at("gid").get<std::uint32_t>();
  Take(document, "groups", promise.groups);
  if (document.contains("uidMap")) promise.uid_mappings = MappingsFrom(document.at("uidMap"));
  if (document.contains("gidMap")) promise.gid_mappings = MappingsFrom(document.at("gidMap"));
  for (const auto& [name, inode] : document.at("namespaces").items()) {
    promise.namespaces.push_back({name, inode.get<std::uint64_t>()});
  }
  Take(document, "memoryLimit", promise.limits.memory);
  Take(document, "pidsLimit", promise.limits.pids);
  Take(document, "cpuQuota", promise.limits.cpu_quota);
  Take(document, "cpuPeriod", promise.limits.cpu_period);
  const Document& root = document.at("root");
  promise.read_only_root = root.at("readOnly").get<bool>();
  promise.root_device = root.at("device").get<std::uint64_t>();
  promise.root_inode = root.at("inode").get<std::uint64_t>();
  Take(root, "path", promise.root_path);
  for (const Document& mount : document.at("mounts")) promise.mounts.push_back(MountFrom(mount));
  Take(document, "maskedPaths", promise.masked_paths);
  Take(document, "readonlyPaths", promise.readonly_paths);
  Take(document, "hooksMayMount", promise.hooks_may_mount);
  const auto devices = document.find("devices");
  if (devices == document.end()) return;
  for (const Document& device : *devices) {
    promise.devices.push_back({device.at(0).get<std::string>(), device.at(1).get<std::string>(),
                               device.at(2).get<std::int64_t>(), device.at(3).get<std::int64_t>()});
  }
}

}  // namespace

void Put(const Promise& promise, json::ObjectWriter& text) {
  Document namespaces = Document::object();
  for (const PromisedNamespace& entry : promise.namespaces) namespaces[entry.name] = entry.inode;
  Document root = {{"readOnly", promise.read_only_root},
                   {"device", promise.root_device},
                   {"inode", promise.root_inode}};
  Put(root, "path", promise.root_path);
  Document document = {{"capabilities", promise.capabilities},
                       {"noNewPrivileges", promise.no_new_privileges},
                       {"seccomp", promise.seccomp},
                       {"uid", promise.uid},
                       {"gid", promise.gid},
                       {"namespaces", std::move(namespaces)},
                       {"root", std::move(root)}};
  Put(document, "groups", promise.groups);
  if (!promise.uid_mappings.empty()) document["uidMap"] = ToDocument(promise.uid_mappings);
  if (!promise.gid_mappings.empty()) document["gidMap"] = ToDocument(promise.gid_mappings);
  Put(document, "memoryLimit", promise.limits.memory);
  Put(document, "pidsLimit", promise.limits.pids);
  Put(document, "cpuQuota", promise.limits.cpu_quota);
  Put(document, "cpuPeriod", promise.limits.cpu_period);
  Put(document, "maskedPaths", promise.masked_paths);
  Put(document, "readonlyPaths", promise.readonly_paths);
  Put(document, "hooksMayMount", promise.hooks_may_mount);
  if (!promise.devices.empty()) document["devices"] = ToDocument(promise.devices);
  if (promise.host_mounts.action != policy::Action::kOff) {
    document["hostMounts"] = ToDocument(promise.host_mounts);
  }
  for (const auto& [name, value] : document.get_ref<const Document::object_t&>()) {
    text.Put(name, value);
  }
  text.PutList("mounts", promise.mounts,
               [](const PromisedMount& mount) { return ToDocument(mount); });
}

Result<Promise> PromiseFrom(const Document& document) {
  Promise promise;
  if (!document.is_object()) return Error{"has no readable record of what was decided"};
  try {
    if (!document.contains("mounts")) {
      Take(document, "bounding", promise.capabilities[3]);
      return promise;
    }
    Read(document, promise);
  } catch (const Document::exception&) {
    return Error{"has no readable record of what was decided"};
  }
  if (const auto setting = document.find("hostMounts"); setting != document.end()) {
    auto read = SettingFrom(*setting);
    if (!read) return read.error();
    promise.host_mounts = *std::move(read);
  }
  return promise;
}

}  // namespace runclad::enforce
