#include "pod_volumes.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"

#include "documents.hpp"
#include "values.hpp"

namespace runclad::draft {
namespace {

using json::Document;

// Volumes that the kubelet fills and no container writes to.
constexpr std::pair<std::string_view, std::string_view> kFilled[] = {
    {"configMap", "configmap"},
    {"secret", "secret"},
    {"projected", "projected"},
    {"downwardAPI", "downward-api"}};

const Document* FindVolume(const Document& pod, const std::string& name) {
  const Document& volumes = MemberOf(pod, "volumes");
  if (!volumes.is_array()) return nullptr;
  for (const Document& volume : volumes) {
    if (TextOf(volume, "name") == name) return &volume;
  }
  return nullptr;
}

// The kind of a volume: its member other than the name.
std::string KindOf(const Document& volume) {
  for (const auto& [key, value] : volume.items()) {
    if (key != "name") return key;
  }
  return "emptyDir";
}

Status DescribeHostPath(const Document& source, const std::string& subpath, Mount& mount) {
  mount.kind = Mount::Kind::kBind;
  mount.source = TextOf(source, "path");
  if (!mount.source.starts_with('/')) return Error{"a hostPath has no absolute path"};
  if (!subpath.empty()) mount.source += "/" + subpath;
  mount.source = AbsolutePath(mount.source);
  const std::string type = TextOf(source, "type");
  constexpr std::string_view kTypes[] = {"",           "Directory",    "DirectoryOrCreate",
                                         "File",       "FileOrCreate", "Socket",
                                         "CharDevice", "BlockDevice"};
  if (std::ranges::find(kTypes, type) == std::end(kTypes)) {
    return Error{"unknown type of hostPath " + Quoted(type)};
  }
  mount.is_made_if_missing = type.empty() || type.ends_with("OrCreate") || !subpath.empty();
  return {};
}

Status DescribeVolume(const Document& volume, const std::string& subpath, Request& request,
                      Mount& mount) {
  const std::string name = TextOf(volume, "name");
  const std::string kind = KindOf(volume);
  mount.source = name;
  mount.subpath = subpath;
  const auto* filled =
      std::ranges::find_if(kFilled, [&](const auto& each) { return each.first == kind; });
  if (filled != std::end(kFilled)) {
    mount.driver = filled->second;
    mount.is_read_only = true;
    return {};
  }
  if (kind == "hostPath") return DescribeHostPath(MemberOf(volume, kind), subpath, mount);
  if (kind == "image") {
    mount.kind = Mount::Kind::kImage;
    mount.source = TextOf(MemberOf(volume, kind), "reference");
    mount.is_read_only = true;
    return {};
  }
  mount.driver = kind == "emptyDir" ? "empty-dir" : "csi";
  if (kind != "emptyDir") {
    request.not_judged.push_back("the volume " + Quoted(name) + " (" + kind +
                                 "): what its driver mounts");
  }
  return {};
}

Status ReadVolumeMount(const Document& entry, const Document& pod, Request& request) {
  constexpr std::string_view kKnown[] = {"name",       "mountPath",        "readOnly",
                                         "subPath",    "mountPropagation", "recursiveReadOnly",
                                         "subPathExpr"};
  if (!entry.is_object()) return Error{"must be a list of mappings"};
  if (auto checked = CheckKeys(entry, kKnown); !checked) return checked;
  const std::string name = TextOf(entry, "name");
  const Document* const volume = FindVolume(pod, name);
  if (volume == nullptr) return Error{"the pod has no volume " + Quoted(name)};
  Mount mount;
  mount.kind = Mount::Kind::kVolume;
  mount.destination = TextOf(entry, "mountPath");
  if (mount.destination.empty()) return Error{"a mountPath is missing"};
  // The kubelet resolves a relative path from the root.
  if (!mount.destination.starts_with('/')) mount.destination.insert(0, "/");
  mount.destination = AbsolutePath(mount.destination);
  std::string subpath = TextOf(entry, "subPath");
  if (const std::string expression = TextOf(entry, "subPathExpr"); !expression.empty()) {
    request.not_judged.push_back("subPathExpr " + Quoted(expression) +
                                 ": judged as if the whole volume were mounted");
  }
  auto described = DescribeVolume(*volume, subpath, request, mount);
  if (!described) return described.error().In("volume " + name);
  mount.is_read_only = mount.is_read_only || IsTrue(MemberOf(entry, "readOnly"));
  mount.is_recursively_read_only = TextOf(entry, "recursiveReadOnly") == "Enabled";
  const std::string propagation = TextOf(entry, "mountPropagation");
  if (propagation == "HostToContainer") {
    mount.propagation = "rslave";
  } else if (propagation == "Bidirectional") {
    mount.propagation = "rshared";
  } else if (!propagation.empty() && propagation != "None") {
    return Error{"unknown mountPropagation " + Quoted(propagation)};
  }
  request.mounts.push_back(std::move(mount));
  return {};
}

}  // namespace

Status ReadVolumeMounts(const Document& container, const Document& pod, Request& request) {
  const Document& mounts = MemberOf(container, "volumeMounts");
  if (!mounts.is_null() && !mounts.is_array()) return Error{"volumeMounts must be a list"};
  bool has_token = false;
  constexpr std::string_view kToken = "/var/run/secrets/kubernetes.io/serviceaccount";
  for (const Document& entry : mounts) {
    if (auto read = ReadVolumeMount(entry, pod, request); !read) {
      return read.error().In("volumeMounts");
    }
    has_token = has_token || request.mounts.back().destination == kToken;
  }
  const Document& wanted = MemberOf(pod, "automountServiceAccountToken");
  if (!has_token && (wanted.is_null() || IsTrue(wanted))) {
    Mount token;
    token.kind = Mount::Kind::kVolume;
    token.destination = kToken;
    token.source = "kube-api-access";
    token.driver = "projected";
    token.is_read_only = true;
    token.is_recursively_read_only = false;
    request.mounts.push_back(std::move(token));
  }
  if (!MemberOf(container, "volumeDevices").is_null()) {
    request.not_judged.emplace_back("volumeDevices: the block devices of these volumes");
  }
  return {};
}

}  // namespace runclad::draft
