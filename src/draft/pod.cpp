#include "runclad/draft/pod.hpp"

#include <algorithm>
#include <charconv>
#include <span>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/sys/named_file.hpp"

#include "documents.hpp"
#include "pod_security.hpp"
#include "pod_volumes.hpp"
#include "values.hpp"
#include "yaml.hpp"

namespace runclad::draft {
namespace {

using json::Document;

constexpr std::size_t kMaxPodBytes = std::size_t{4} << 20;

// Where each kind contains its pod.
constexpr std::pair<std::string_view, std::string_view> kKinds[] = {
    {"Pod", ""},
    {"Deployment", "/spec/template"},
    {"ReplicaSet", "/spec/template"},
    {"ReplicationController", "/spec/template"},
    {"DaemonSet", "/spec/template"},
    {"StatefulSet", "/spec/template"},
    {"Job", "/spec/template"},
    {"CronJob", "/spec/jobTemplate/spec/template"},
    {"PodTemplate", "/template"}};

constexpr std::string_view kPodKeys[] = {"activeDeadlineSeconds",
                                         "affinity",
                                         "automountServiceAccountToken",
                                         "containers",
                                         "dnsConfig",
                                         "dnsPolicy",
                                         "enableServiceLinks",
                                         "ephemeralContainers",
                                         "hostAliases",
                                         "hostIPC",
                                         "hostNetwork",
                                         "hostPID",
                                         "hostUsers",
                                         "hostname",
                                         "hostnameOverride",
                                         "imagePullSecrets",
                                         "initContainers",
                                         "nodeName",
                                         "nodeSelector",
                                         "os",
                                         "overhead",
                                         "preemptionPolicy",
                                         "priority",
                                         "priorityClassName",
                                         "readinessGates",
                                         "resourceClaims",
                                         "resources",
                                         "restartPolicy",
                                         "runtimeClassName",
                                         "schedulerName",
                                         "schedulingGates",
                                         "securityContext",
                                         "serviceAccount",
                                         "serviceAccountName",
                                         "setHostnameAsFQDN",
                                         "shareProcessNamespace",
                                         "subdomain",
                                         "terminationGracePeriodSeconds",
                                         "tolerations",
                                         "topologySpreadConstraints",
                                         "volumes"};

constexpr std::string_view kContainerKeys[] = {"args",
                                               "command",
                                               "env",
                                               "envFrom",
                                               "image",
                                               "imagePullPolicy",
                                               "lifecycle",
                                               "livenessProbe",
                                               "name",
                                               "ports",
                                               "readinessProbe",
                                               "resizePolicy",
                                               "resources",
                                               "restartPolicy",
                                               "restartPolicyRules",
                                               "securityContext",
                                               "startupProbe",
                                               "stdin",
                                               "stdinOnce",
                                               "targetContainerName",
                                               "terminationMessagePath",
                                               "terminationMessagePolicy",
                                               "tty",
                                               "volumeDevices",
                                               "volumeMounts",
                                               "workingDir"};

// "500m", "2", "0.5" CPUs in thousandths; "64Mi", "1G", "128e6" bytes.
Result<std::int64_t> QuantityOf(const std::string& text, std::int64_t unit) {
  constexpr std::pair<std::string_view, double> kSuffixes[] = {{"m", 1e-3},
                                                               {"", 1},
                                                               {"k", 1e3},
                                                               {"M", 1e6},
                                                               {"G", 1e9},
                                                               {"T", 1e12},
                                                               {"P", 1e15},
                                                               {"Ki", 1024.0},
                                                               {"Mi", 1048576.0},
                                                               {"Gi", 1073741824.0},
                                                               {"Ti", 1099511627776.0},
                                                               {"Pi", 1125899906842624.0}};
  double number = -1;
  const char* const begin = text.data();
  const auto [at, fault] = std::from_chars(begin, begin + text.size(), number);
  const std::size_t end = fault == std::errc() ? static_cast<std::size_t>(at - begin) : 0;
  const std::string_view suffix = std::string_view(text).substr(end);
  const auto* factor =
      std::ranges::find_if(kSuffixes, [&](const auto& each) { return each.first == suffix; });
  constexpr double kMost = 9.0e18;
  const bool is_quantity = end > 0 && number >= 0 && factor != std::end(kSuffixes) &&
                           number * factor->second * static_cast<double>(unit) < kMost;
  if (!is_quantity) return Error{Quoted(text) + " is not a quantity such as 500m or 64Mi"};
  return static_cast<std::int64_t>(number * factor->second * static_cast<double>(unit));
}

Status ReadResources(const Document& container, Request& request) {
  const Document& resources = MemberOf(container, "resources");
  const Document& limits = MemberOf(resources, "limits");
  constexpr std::int64_t kMilli = 1000;
  std::int64_t shares = 2;
  if (const auto cpu = ScalarOf(MemberOf(limits, "cpu"))) {
    const auto milli = QuantityOf(*cpu, kMilli);
    if (!milli) return milli.error();
    request.limits.cpu_quota = *milli * (kCpuPeriod / kMilli);
    request.limits.cpu_period = kCpuPeriod;
  }
  if (const auto memory = ScalarOf(MemberOf(limits, "memory"))) {
    const auto bytes = QuantityOf(*memory, 1);
    if (!bytes) return bytes.error();
    request.limits.memory = *bytes;
  }
  Document wanted = MemberOf(MemberOf(resources, "requests"), "cpu");
  if (wanted.is_null()) wanted = MemberOf(limits, "cpu");
  if (const auto cpu = ScalarOf(wanted)) {
    const auto milli = QuantityOf(*cpu, kMilli);
    if (!milli) return milli.error();
    constexpr std::int64_t kSharesOfCpu = 1024;
    shares = std::max(shares, *milli * kSharesOfCpu / kMilli);
  }
  request.limits.cpu_shares = shares;
  if (!limits.is_object()) return {};
  for (const auto& [name, value] : limits.items()) {
    if (name.find('/') != std::string::npos) {
      request.not_judged.push_back("the resource " + Quoted(name) +
                                   ": the devices and mounts that its plugin adds");
    }
  }
  return {};
}

Status ReadEnvironment(const Document& container, Request& request) {
  const Document& variables = MemberOf(container, "env");
  if (!variables.is_null() && !variables.is_array()) return Error{"env must be a list"};
  for (const Document& variable : variables) {
    const std::string name = TextOf(variable, "name");
    if (name.empty()) return Error{"a variable of env has no name"};
    request.environment.push_back(name + "=" + TextOf(variable, "value"));
  }
  if (!MemberOf(container, "envFrom").is_null()) {
    request.not_judged.emplace_back("envFrom: the names of these variables");
  }
  return {};
}

Result<std::vector<std::string>> WordsOf(const Document& container, const char* name) {
  std::vector<std::string> words;
  auto read = ForEachText(MemberOf(container, name), [&](const std::string& word) {
    words.push_back(word);
    return Status();
  });
  if (!read) return read.error().In(name);
  return words;
}

Result<Request> ReadContainer(const Document& container, const Document& pod, Request request) {
  if (auto checked = CheckKeys(container, kContainerKeys); !checked) return checked.error();
  request.image = TextOf(container, "image");
  if (request.image.empty()) return Error{"has no image"};
  auto command = WordsOf(container, "command");
  if (!command) return command.error();
  if (!command->empty()) request.entrypoint = *std::move(command);
  auto arguments = WordsOf(container, "args");
  if (!arguments) return arguments.error();
  request.command = *std::move(arguments);
  request.working_directory = TextOf(container, "workingDir");
  request.has_terminal = IsTrue(MemberOf(container, "tty"));
  if (auto read = ReadEnvironment(container, request); !read) return read.error();
  if (auto read = ReadSecurity(container, pod, request); !read) return read.error();
  if (auto read = ReadVolumeMounts(container, pod, request); !read) return read.error();
  if (auto read = ReadResources(container, request); !read) return read.error();
  const std::string target = TextOf(container, "targetContainerName");
  if (!target.empty()) request.namespaces["pid"] = "container:" + target;
  return request;
}

Status ReadPod(const Document& pod, const Request& common, const std::string& title,
               std::vector<Request>& requests) {
  if (auto checked = CheckKeys(pod, kPodKeys); !checked) return checked.error().In("spec");
  bool has_containers = false;
  for (const char* list : {"initContainers", "containers", "ephemeralContainers"}) {
    const Document& containers = MemberOf(pod, list);
    if (containers.is_null()) continue;
    if (!containers.is_array()) return Error{std::string(list) + " must be a list"};
    for (const Document& container : containers) {
      const std::string name = TextOf(container, "name");
      Request request = common;
      request.title = title + ", " +
                      (std::string_view(list) == "initContainers"        ? "init container "
                       : std::string_view(list) == "ephemeralContainers" ? "ephemeral container "
                                                                         : "container ") +
                      name;
      auto read = ReadContainer(container, pod, std::move(request));
      if (!read) return read.error().In(std::string(list) + " " + name);
      requests.push_back(*std::move(read));
      has_containers = true;
    }
  }
  return has_containers ? Status() : Error{"has no containers"};
}

Status ReadObject(const Document& object, int depth, std::vector<Request>& requests) {
  if (object.is_null()) return {};
  if (!object.is_object()) return Error{"a document is not a mapping"};
  const std::string kind = TextOf(object, "kind");
  if (kind.empty()) return Error{"a document has no \"kind\""};
  if (kind == "List" && depth == 0) {
    for (const Document& item : MemberOf(object, "items")) {
      if (auto read = ReadObject(item, depth + 1, requests); !read) return read;
    }
    return {};
  }
  const auto* where =
      std::ranges::find_if(kKinds, [&](const auto& each) { return each.first == kind; });
  if (where == std::end(kKinds)) return {};
  const Document& metadata = MemberOf(object, "metadata");
  const std::string name_space = TextOf(metadata, "namespace");
  Request common;
  common.engine = engine::Engine::kContainerd;
  common.pod_namespace = name_space.empty() ? "default" : name_space;
  common.hostname = TextOf(metadata, "name");
  common.pod_directory = "/var/lib/kubelet/pods/00000000-0000-0000-0000-000000000000";
  const std::string title =
      kind + " " + common.pod_namespace + "/" +
      (common.hostname.empty() ? TextOf(metadata, "generateName") : common.hostname);
  const Document::json_pointer pointer{std::string(where->second)};
  if (!object.contains(pointer)) {
    return Error{title + ": has no " + std::string(where->second)};
  }
  const Document& pod = MemberOf(object.at(pointer), "spec");
  common.runtime = TextOf(pod, "runtimeClassName");
  auto read = ReadPod(pod, common, title, requests);
  if (!read) return read.error().In(title);
  return read;
}

}  // namespace

Result<std::vector<Request>> ReadPods(const std::string& path) {
  const auto text = sys::ReadFile(path, kMaxPodBytes);
  if (!text) return text.error();
  const auto documents = ReadYaml(*text);
  if (!documents) return documents.error().In(path);
  std::vector<Request> requests;
  for (const Document& document : *documents) {
    if (auto read = ReadObject(document, 0, requests); !read) return read.error().In(path);
  }
  if (requests.empty()) {
    return Error{path +
                 ": has no Pod, and nothing that makes pods (Deployment, DaemonSet, Job, …)"};
  }
  return requests;
}

}  // namespace runclad::draft
