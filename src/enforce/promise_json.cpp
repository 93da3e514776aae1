#include "promise_json.hpp"

#include <utility>

#include <nlohmann/json.hpp>

#include "setting_json.hpp"

namespace runclad::enforce {
namespace {

using json::Document;

// What is as it is by default is left out: the record is written at every create.
template <typename T>
void PutUnlessDefault(std::string_view name, const T& value, json::ObjectWriter& text) {
  if (value != T()) text.Put(name, value);
}

template <typename T>
void Take(const Document& object, const char* name, T& value) {
  const auto member = object.find(name);
  if (member != object.end()) value = member->get<T>();
}

void Put(const PromisedMount& mount, json::ObjectWriter& text) {
  text.Put("at", mount.point);
  PutUnlessDefault("device", mount.device, text);
  PutUnlessDefault("fileSystem", mount.file_system, text);
  PutUnlessDefault("flags", mount.flags, text);
  PutUnlessDefault("hidesSubmounts", mount.hides_submounts, text);
  PutUnlessDefault("inode", mount.inode, text);
  PutUnlessDefault("layers", mount.layers, text);
  PutUnlessDefault("recursive", mount.is_recursive, text);
  PutUnlessDefault("replaceable", mount.replaceable_because, text);
  PutUnlessDefault("root", mount.root, text);
  PutUnlessDefault("source", mount.source, text);
  PutUnlessDefault("submountFlags", mount.submount_flags, text);
  PutUnlessDefault("type", mount.type, text);
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
  text.Put("capabilities", Document(promise.capabilities));
  PutUnlessDefault("cpuPeriod", promise.limits.cpu_period, text);
  PutUnlessDefault("cpuQuota", promise.limits.cpu_quota, text);
  if (!promise.devices.empty()) text.Put("devices", ToDocument(promise.devices));
  text.Put("gid", promise.gid);
  if (!promise.gid_mappings.empty()) text.Put("gidMap", ToDocument(promise.gid_mappings));
  if (!promise.groups.empty()) text.Put("groups", Document(promise.groups));
  PutUnlessDefault("hooksMayMount", promise.hooks_may_mount, text);
  if (promise.host_mounts.action != policy::Action::kOff) {
    text.PutObject("hostMounts",
                   [&](json::ObjectWriter& setting) { Put(promise.host_mounts, setting); });
  }
  PutUnlessDefault("maskedPaths", promise.masked_paths, text);
  PutUnlessDefault("memoryLimit", promise.limits.memory, text);
  text.PutObjects(
      "mounts", promise.mounts,
      [](const PromisedMount& mount, json::ObjectWriter& object) { Put(mount, object); });
  text.Put("namespaces", namespaces).Put("noNewPrivileges", promise.no_new_privileges);
  PutUnlessDefault("pidsLimit", promise.limits.pids, text);
  PutUnlessDefault("readonlyPaths", promise.readonly_paths, text);
  text.PutObject("root", [&](json::ObjectWriter& root) {
    root.Put("device", promise.root_device).Put("inode", promise.root_inode);
    PutUnlessDefault("path", promise.root_path, root);
    root.Put("readOnly", promise.read_only_root);
  });
  text.Put("seccomp", promise.seccomp).Put("uid", promise.uid);
  if (!promise.uid_mappings.empty()) text.Put("uidMap", ToDocument(promise.uid_mappings));
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
