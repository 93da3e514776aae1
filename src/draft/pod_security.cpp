#include "pod_security.hpp"

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/sys/named_file.hpp"

#include "documents.hpp"
#include "values.hpp"

namespace runclad::draft {
namespace {

using json::Document;

constexpr std::string_view kOfContainer[] = {
    "allowPrivilegeEscalation", "appArmorProfile", "capabilities", "privileged", "procMount",
    "readOnlyRootFilesystem",   "runAsGroup",      "runAsNonRoot", "runAsUser",  "seLinuxOptions",
    "seccompProfile",           "windowsOptions"};
constexpr std::string_view kOfPod[] = {"appArmorProfile",
                                       "fsGroup",
                                       "fsGroupChangePolicy",
                                       "runAsGroup",
                                       "runAsNonRoot",
                                       "runAsUser",
                                       "seLinuxChangePolicy",
                                       "seLinuxOptions",
                                       "seccompProfile",
                                       "supplementalGroups",
                                       "supplementalGroupsPolicy",
                                       "sysctls",
                                       "windowsOptions"};

Status CheckGivenKeys(const Document& object, std::span<const std::string_view> known) {
  return object.is_null() ? Status{} : CheckKeys(object, known);
}

void ReadNamespaces(const Document& pod, Request& request) {
  request.namespaces = {};
  const auto set = [&](const char* type, bool is_host) {
    if (is_host) request.namespaces[type] = "host";
  };
  const bool has_host_network = IsTrue(MemberOf(pod, "hostNetwork"));
  set("network", has_host_network);
  set("uts", has_host_network);
  set("pid", IsTrue(MemberOf(pod, "hostPID")));
  set("ipc", IsTrue(MemberOf(pod, "hostIPC")));
  if (IsTrue(MemberOf(pod, "shareProcessNamespace"))) request.namespaces["pid"] = "pod";
  const Document& host_users = MemberOf(pod, "hostUsers");
  if (!host_users.is_null() && !IsTrue(host_users)) request.namespaces["user"] = "private";
}

// The setting of the container or, without one, of the pod.
const Document& Either(const Document& own, const Document& pods, std::string_view name) {
  const Document& value = MemberOf(own, name);
  return value.is_null() ? MemberOf(pods, name) : value;
}

Status ReadUser(const Document& own, const Document& pods, Request& request) {
  const std::string user = ScalarOf(Either(own, pods, "runAsUser")).value_or("");
  const std::string group = ScalarOf(Either(own, pods, "runAsGroup")).value_or("");
  if (!user.empty()) request.user = user + (group.empty() ? "" : ":" + group);
  if (user.empty() && !group.empty()) {
    request.not_judged.push_back("runAsGroup " + group + ": its user is the image's");
  }
  if (IsTrue(Either(own, pods, "runAsNonRoot"))) {
    if (user == "0") return Error{"runAsNonRoot and runAsUser 0: the kubelet refuses it"};
    if (user.empty()) {
      request.not_judged.emplace_back(
          "runAsNonRoot: the kubelet refuses the container if its image's user is root");
    }
  }
  auto read = ForEachText(MemberOf(pods, "supplementalGroups"), [&](const std::string& id) {
    request.groups.push_back(id);
    return Status();
  });
  if (!read) return read.error().In("supplementalGroups");
  const std::string files = TextOf(pods, "fsGroup");
  if (!files.empty()) request.groups.push_back(files);
  return {};
}

Status ReadCapabilities(const Document& own, Request& request) {
  const Document& capabilities = MemberOf(own, "capabilities");
  constexpr std::string_view kKnown[] = {"add", "drop"};
  if (auto checked = CheckGivenKeys(capabilities, kKnown); !checked) return checked;
  auto added = ForEachText(MemberOf(capabilities, "add"), [&](const std::string& name) {
    request.added_capabilities.push_back(name);
    return Status();
  });
  if (!added) return added;
  return ForEachText(MemberOf(capabilities, "drop"), [&](const std::string& name) {
    request.dropped_capabilities.push_back(name);
    return Status();
  });
}

Status ReadSeccomp(const Document& own, const Document& pods, Request& request) {
  const Document& profile = Either(own, pods, "seccompProfile");
  const std::string type = TextOf(profile, "type");
  // Without one, the kubelet asks for no filter (unless it was started with --seccomp-default).
  if (type.empty() || type == "Unconfined") {
    request.seccomp = "unconfined";
    return {};
  }
  if (type == "RuntimeDefault") {
    request.seccomp = "default";
    return {};
  }
  if (type != "Localhost") return Error{"unknown type of seccompProfile " + Quoted(type)};
  constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
  const std::string path = TextOf(profile, "localhostProfile");
  auto text = sys::ReadFile("/var/lib/kubelet/seccomp/" + path, kMaxBytes);
  if (text) {
    request.seccomp = *std::move(text);
  } else {
    request.seccomp = "default";
    request.not_judged.push_back("the seccomp profile " + Quoted(path) +
                                 " cannot be read on this host: judged as RuntimeDefault");
  }
  return {};
}

Status ReadLabels(const Document& own, const Document& pods, Request& request) {
  const Document& profile = Either(own, pods, "appArmorProfile");
  const std::string type = TextOf(profile, "type");
  if (type == "Unconfined") {
    request.apparmor = "unconfined";
  } else if (type == "Localhost") {
    request.apparmor = TextOf(profile, "localhostProfile");
  } else if (!type.empty() && type != "RuntimeDefault") {
    return Error{"unknown type of appArmorProfile " + Quoted(type)};
  }
  const Document& selinux = Either(own, pods, "seLinuxOptions");
  if (selinux.is_object()) {
    for (const auto& [name, value] : selinux.items()) {
      request.labels.push_back(name + ":" + ScalarOf(value).value_or(""));
    }
  }
  return {};
}

Status ReadSysctls(const Document& pods, Request& request) {
  const Document& sysctls = MemberOf(pods, "sysctls");
  if (!sysctls.is_null() && !sysctls.is_array()) return Error{"must be a list"};
  // The sandbox has them, and its namespaces are the container's.
  for (const Document& sysctl : sysctls) {
    request.not_judged.push_back("the sysctl " + Quoted(TextOf(sysctl, "name")) +
                                 ": the pod's sandbox gets it");
  }
  return {};
}

}  // namespace

Status ReadSecurity(const Document& container, const Document& pod, Request& request) {
  const Document& own = MemberOf(container, "securityContext");
  const Document& pods = MemberOf(pod, "securityContext");
  if (auto checked = CheckGivenKeys(own, kOfContainer); !checked) {
    return checked.error().In("securityContext");
  }
  if (auto checked = CheckGivenKeys(pods, kOfPod); !checked) {
    return checked.error().In("the pod's securityContext");
  }
  ReadNamespaces(pod, request);
  request.is_privileged = IsTrue(MemberOf(own, "privileged"));
  request.has_read_only_root = IsTrue(MemberOf(own, "readOnlyRootFilesystem"));
  const Document& escalation = MemberOf(own, "allowPrivilegeEscalation");
  request.has_no_new_privileges = !escalation.is_null() && !IsTrue(escalation);
  request.has_unmasked_paths = TextOf(own, "procMount") == "Unmasked";
  if (auto read = ReadUser(own, pods, request); !read) return read;
  if (auto read = ReadCapabilities(own, request); !read) return read.error().In("capabilities");
  if (auto read = ReadSeccomp(own, pods, request); !read) return read;
  if (auto read = ReadLabels(own, pods, request); !read) return read;
  return ReadSysctls(pods, request);
}

}  // namespace runclad::draft
