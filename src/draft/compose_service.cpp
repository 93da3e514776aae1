// Every key of a compose service and what it changes. Long: a single table.
#include "compose_service.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"

#include "documents.hpp"
#include "options.hpp"
#include "values.hpp"

namespace runclad::draft {
namespace {

using json::Document;

struct Context {
  const Project& project;
  Request& request;
};

// The kind of a key: an option of docker run under another name, or one that only compose has.
struct Key {
  enum class Shape { kText, kList, kPairs, kFlag, kOwn, kNothing, kNotJudged, kNeedsCompose };
  std::string_view name;
  Shape shape = Shape::kNothing;
  std::string_view option = {};  // kNotJudged: the part that is not judged
  Status (*read)(const Document& value, Context& context) = nullptr;
};

std::string InProject(const std::string& path, const Project& project) {
  if (path.starts_with('/')) return AbsolutePath(path);
  return AbsolutePath(project.directory + "/" + path);
}

// "service:web" → the container that compose creates for it.
std::string WithContainers(const std::string& mode, const Project& project) {
  constexpr std::string_view kService = "service:";
  if (!mode.starts_with(kService)) return mode;
  return "container:" + project.name + "-" + mode.substr(kService.size()) + "-1";
}

// Splits words as a shell does, without expanding anything.
std::vector<std::string> Words(std::string_view text) {
  std::vector<std::string> words;
  bool is_open = false;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && (c == ' ' || c == '\t' || c == '\n')) {
      is_open = false;
      continue;
    }
    if (!is_open) words.emplace_back();
    is_open = true;
    if (quote != 0 && c == quote) {
      quote = 0;
    } else if (quote == 0 && (c == '"' || c == '\'')) {
      quote = c;
    } else if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      words.back() += text[++i];
    } else {
      words.back() += c;
    }
  }
  return words;
}

Result<std::vector<std::string>> CommandOf(const Document& value) {
  if (value.is_string()) return Words(value.get_ref<const std::string&>());
  std::vector<std::string> words;
  auto read = ForEachText(value, [&](const std::string& word) {
    words.push_back(word);
    return Status();
  });
  if (!read) return read.error();
  return words;
}

Status ReadCommand(const Document& value, Context& context) {
  auto words = CommandOf(value);
  if (!words) return words.error();
  context.request.command = *std::move(words);
  return {};
}

Status ReadEntrypoint(const Document& value, Context& context) {
  if (value.is_null()) return {};
  auto words = CommandOf(value);
  if (!words) return words.error();
  context.request.entrypoint = *std::move(words);
  return {};
}

Status ReadEnvironment(const Document& value, Context& context) {
  return ForEachPair(value, [&](const std::string& pair) {
    return FindOption("env")->take(context.request, pair);
  });
}

Status ReadEnvironmentFiles(const Document& value, Context& context) {
  const auto read = [&](const std::string& path, bool is_required) -> Status {
    auto taken = FindOption("env-file")->take(context.request, InProject(path, context.project));
    return taken || is_required ? taken : Status();
  };
  if (!value.is_array()) {
    return ForEachText(value, [&](const std::string& path) { return read(path, true); });
  }
  for (const Document& file : value) {
    const auto path = ScalarOf(file.is_object() ? MemberOf(file, "path") : file);
    if (!path) return Error{"must be a list of paths"};
    const Document& required = MemberOf(file, "required");
    if (auto done = read(*path, required.is_null() || IsTrue(required)); !done) return done;
  }
  return {};
}

// The options that the named volume is created with.
void DescribeVolume(const Project& project, Mount& mount) {
  if (mount.kind != Mount::Kind::kVolume || mount.source.empty()) return;
  const Document& volume = MemberOf(MemberOf(*project.file, "volumes"), mount.source);
  mount.driver = ScalarOf(MemberOf(volume, "driver")).value_or("");
  const Document& options = MemberOf(volume, "driver_opts");
  if (options.is_object()) {
    for (const auto& [name, value] : options.items()) {
      mount.driver_options[name] = ScalarOf(value).value_or("");
    }
  }
  const auto name = ScalarOf(MemberOf(volume, "name"));
  const bool is_external = IsTrue(MemberOf(volume, "external"));
  mount.source = name ? *name : is_external ? mount.source : project.name + "_" + mount.source;
}

Status ReadLongVolume(const Document& volume, Context& context) {
  constexpr std::string_view kKnown[] = {"type",   "source", "target", "read_only",  "bind",
                                         "volume", "tmpfs",  "image",  "consistency"};
  for (const auto& [key, value] : volume.items()) {
    if (!key.starts_with("x-") && std::ranges::find(kKnown, key) == std::end(kKnown)) {
      return Error{"unknown key " + Quoted(key) + Suggestion(key, kKnown)};
    }
  }
  const auto text = [&](const Document& object, const char* name) {
    return ScalarOf(MemberOf(object, name)).value_or("");
  };
  Mount mount;
  const std::string type = text(volume, "type");
  const std::pair<std::string_view, Mount::Kind> kinds[] = {{"bind", Mount::Kind::kBind},
                                                            {"volume", Mount::Kind::kVolume},
                                                            {"tmpfs", Mount::Kind::kTmpfs},
                                                            {"image", Mount::Kind::kImage}};
  const auto* kind =
      std::ranges::find_if(kinds, [&](const auto& each) { return each.first == type; });
  if (kind == std::end(kinds)) {
    return Error{"volumes of the type " + Quoted(type) + " are not understood"};
  }
  mount.kind = kind->second;
  mount.source = text(volume, "source");
  mount.destination = AbsolutePath(text(volume, "target"));
  mount.is_read_only = IsTrue(MemberOf(volume, "read_only"));
  if (mount.kind == Mount::Kind::kBind) {
    mount.source = InProject(mount.source, context.project);
    const Document& bind = MemberOf(volume, "bind");
    mount.propagation = text(bind, "propagation");
    mount.is_made_if_missing = IsTrue(MemberOf(bind, "create_host_path"));
    const std::string recursive = text(bind, "recursive");
    mount.is_recursive = recursive != "disabled";
    mount.is_recursively_read_only = recursive != "writable";
  } else if (mount.kind == Mount::Kind::kTmpfs) {
    const Document& tmpfs = MemberOf(volume, "tmpfs");
    if (const auto mode = ScalarOf(MemberOf(tmpfs, "mode"))) {
      mount.options.push_back("mode=" + *mode);
    }
    if (const auto size = ScalarOf(MemberOf(tmpfs, "size"))) {
      mount.options.push_back("size=" + *size);
    }
  }
  mount.subpath = text(MemberOf(volume, "volume"), "subpath");
  DescribeVolume(context.project, mount);
  context.request.mounts.push_back(std::move(mount));
  return {};
}

Status ReadVolumes(const Document& value, Context& context) {
  if (value.is_null()) return {};
  if (!value.is_array()) return Error{"must be a list"};
  for (const Document& volume : value) {
    if (volume.is_object()) {
      if (auto read = ReadLongVolume(volume, context); !read) return read;
      continue;
    }
    std::string text = ScalarOf(volume).value_or("");
    if (text.starts_with('.') || text.starts_with('~')) {
      if (text.starts_with('~'))
        return Error{"the volume " + Quoted(text) + " needs docker compose"};
      const std::size_t colon = text.find(':');
      text = InProject(text.substr(0, colon), context.project) +
             (colon == std::string::npos ? "" : text.substr(colon));
    }
    auto mount = ReadVolume(text, context.request);
    if (!mount) return mount.error();
    DescribeVolume(context.project, *mount);
    context.request.mounts.push_back(*std::move(mount));
  }
  return {};
}

// A service's secrets and configs, which compose binds read-only if they are files.
Status ReadFiles(const Document& value, Context& context, const char* section,
                 const std::string& directory) {
  if (value.is_null()) return {};
  if (!value.is_array()) return Error{"must be a list"};
  for (const Document& entry : value) {
    const auto name = ScalarOf(entry.is_object() ? MemberOf(entry, "source") : entry);
    if (!name) return Error{"must be a list of names"};
    std::string target = ScalarOf(MemberOf(entry, "target")).value_or(*name);
    if (!target.starts_with('/')) target = directory + target;
    const Document& source = MemberOf(MemberOf(*context.project.file, section), *name);
    if (source.is_null()) return Error{"the file has no " + std::string(section) + "." + *name};
    const auto file = ScalarOf(MemberOf(source, "file"));
    if (!file) {
      // Compose copies it into the container.
      if (!MemberOf(source, "external").is_null()) {
        context.request.not_judged.push_back(std::string(section) + " " + *name +
                                             ": it is not in the file");
      }
      continue;
    }
    Mount mount;
    mount.source = InProject(*file, context.project);
    mount.destination = AbsolutePath(target);
    mount.is_read_only = true;
    context.request.mounts.push_back(std::move(mount));
  }
  return {};
}

Status ReadSecrets(const Document& value, Context& context) {
  return ReadFiles(value, context, "secrets", "/run/secrets/");
}

Status ReadConfigs(const Document& value, Context& context) {
  return ReadFiles(value, context, "configs", "/");
}

Status ReadUlimits(const Document& value, Context& context) {
  if (value.is_null()) return {};
  if (!value.is_object()) return Error{"must be a mapping"};
  for (const auto& [name, limit] : value.items()) {
    std::string text = name + "=" + ScalarOf(limit).value_or("");
    if (limit.is_object()) {
      text += ScalarOf(MemberOf(limit, "soft")).value_or("") + ":" +
              ScalarOf(MemberOf(limit, "hard")).value_or("");
    }
    if (auto taken = FindOption("ulimit")->take(context.request, text); !taken) return taken;
  }
  return {};
}

Status ReadDevices(const Document& value, Context& context) {
  if (value.is_null()) return {};
  if (!value.is_array()) return Error{"must be a list"};
  for (const Document& device : value) {
    std::string text = ScalarOf(device).value_or("");
    if (device.is_object()) {
      text = ScalarOf(MemberOf(device, "source")).value_or("");
      const auto target = ScalarOf(MemberOf(device, "target"));
      const auto permissions = ScalarOf(MemberOf(device, "permissions"));
      if (target) text += ":" + *target;
      if (permissions) text += ":" + *permissions;
    }
    if (auto taken = FindOption("device")->take(context.request, text); !taken) return taken;
  }
  return {};
}

Status ReadDeploy(const Document& value, Context& context) {
  const Document& resources = MemberOf(value, "resources");
  const Document& limits = MemberOf(resources, "limits");
  constexpr std::pair<const char*, const char*> kLimits[] = {
      {"cpus", "cpus"}, {"memory", "memory"}, {"pids", "pids-limit"}};
  for (const auto& [name, option] : kLimits) {
    const auto text = ScalarOf(MemberOf(limits, name));
    if (!text) continue;
    if (auto taken = FindOption(option)->take(context.request, *text); !taken) return taken;
  }
  const Document& reservations = MemberOf(resources, "reservations");
  if (const auto memory = ScalarOf(MemberOf(reservations, "memory"))) {
    auto taken = FindOption("memory-reservation")->take(context.request, *memory);
    if (!taken) return taken;
  }
  if (!MemberOf(reservations, "devices").is_null()) {
    context.request.not_judged.emplace_back(
        "deploy.resources.reservations.devices: what a CDI specification or a hook adds");
  }
  return {};
}

template <const char* kType>
Status ReadNamespace(const Document& value, Context& context) {
  const auto mode = ScalarOf(value);
  if (!mode) return Error{"must be a text"};
  context.request.namespaces[kType] = WithContainers(*mode, context.project);
  return {};
}
constexpr char kNetwork[] = "network";
constexpr char kPid[] = "pid";
constexpr char kIpc[] = "ipc";

Status ReadMemorySwap(const Document& value, Context& context) {
  return FindOption("memory-swap")->take(context.request, ScalarOf(value).value_or(""));
}

using Shape = Key::Shape;

// In one list, so that it can be compared with compose's specification.
constexpr Key kKeys[] = {
    {"annotations", Shape::kPairs, "annotation"},
    {"attach"},
    {"blkio_config", Shape::kNotJudged, "limits of a disk"},
    {"build"},
    {"cap_add", Shape::kList, "cap-add"},
    {"cap_drop", Shape::kList, "cap-drop"},
    {"cgroup", Shape::kText, "cgroupns"},
    {"cgroup_parent", Shape::kText, "cgroup-parent"},
    {"command", Shape::kOwn, {}, ReadCommand},
    {"configs", Shape::kOwn, {}, ReadConfigs},
    {"container_name", Shape::kText, "name"},
    {"cpu_count"},
    {"cpu_percent"},
    {"cpu_period", Shape::kText, "cpu-period"},
    {"cpu_quota", Shape::kText, "cpu-quota"},
    {"cpu_rt_period", Shape::kText, "cpu-rt-period"},
    {"cpu_rt_runtime", Shape::kText, "cpu-rt-runtime"},
    {"cpu_shares", Shape::kText, "cpu-shares"},
    {"cpus", Shape::kText, "cpus"},
    {"cpuset", Shape::kText, "cpuset-cpus"},
    {"credential_spec"},
    {"depends_on"},
    {"deploy", Shape::kOwn, {}, ReadDeploy},
    {"develop"},
    {"device_cgroup_rules", Shape::kList, "device-cgroup-rule"},
    {"devices", Shape::kOwn, {}, ReadDevices},
    {"dns"},
    {"dns_opt"},
    {"dns_search"},
    {"domainname", Shape::kText, "domainname"},
    {"entrypoint", Shape::kOwn, {}, ReadEntrypoint},
    {"env_file", Shape::kOwn, {}, ReadEnvironmentFiles},
    {"environment", Shape::kOwn, {}, ReadEnvironment},
    {"expose"},
    {"extends", Shape::kNeedsCompose},
    {"external_links"},
    {"extra_hosts"},
    {"gpus", Shape::kNotJudged, "what the GPUs' CDI specification or hook adds"},
    {"group_add", Shape::kList, "group-add"},
    {"healthcheck"},
    {"hostname", Shape::kText, "hostname"},
    {"image"},
    {"init", Shape::kFlag, "init"},
    {"ipc", Shape::kOwn, {}, ReadNamespace<kIpc>},
    {"isolation"},
    {"label_file"},
    {"labels"},
    {"links"},
    {"logging"},
    {"mac_address"},
    {"mem_limit", Shape::kText, "memory"},
    {"mem_reservation", Shape::kText, "memory-reservation"},
    {"mem_swappiness", Shape::kText, "memory-swappiness"},
    {"memswap_limit", Shape::kOwn, {}, ReadMemorySwap},
    {"models", Shape::kNotJudged, "variables that it sets"},
    {"network_mode", Shape::kOwn, {}, ReadNamespace<kNetwork>},
    {"networks"},
    {"oom_kill_disable", Shape::kFlag, "oom-kill-disable"},
    {"oom_score_adj", Shape::kText, "oom-score-adj"},
    {"pid", Shape::kOwn, {}, ReadNamespace<kPid>},
    {"pids_limit", Shape::kText, "pids-limit"},
    {"platform"},
    {"ports"},
    {"post_start", Shape::kNotJudged, "what it executes in the container"},
    {"pre_stop", Shape::kNotJudged, "what it executes in the container"},
    {"privileged", Shape::kFlag, "privileged"},
    {"profiles"},
    {"pull_policy"},
    {"read_only", Shape::kFlag, "read-only"},
    {"restart"},
    {"runtime", Shape::kText, "runtime"},
    {"scale"},
    {"secrets", Shape::kOwn, {}, ReadSecrets},
    {"security_opt", Shape::kList, "security-opt"},
    {"shm_size", Shape::kText, "shm-size"},
    {"stdin_open"},
    {"stop_grace_period"},
    {"stop_signal"},
    {"storage_opt"},
    {"sysctls", Shape::kPairs, "sysctl"},
    {"tmpfs", Shape::kList, "tmpfs"},
    {"tty", Shape::kFlag, "tty"},
    {"ulimits", Shape::kOwn, {}, ReadUlimits},
    {"use_api_socket", Shape::kFlag, "use-api-socket"},
    {"user", Shape::kText, "user"},
    {"userns_mode", Shape::kText, "userns"},
    {"uts", Shape::kText, "uts"},
    {"volumes", Shape::kOwn, {}, ReadVolumes},
    {"volumes_from", Shape::kNotJudged, "the mounts of that container"},
    {"working_dir", Shape::kText, "workdir"},
};

Status ReadKey(const Key& key, const Document& value, Context& context) {
  Request& request = context.request;
  const auto take = [&](const std::string& text) {
    return FindOption(key.option)->take(request, text);
  };
  switch (key.shape) {
    case Shape::kNothing:
      return {};
    case Shape::kText: {
      if (value.is_null()) return {};
      const auto text = ScalarOf(value);
      if (!text) return Error{"must be a string or a number"};
      return take(*text);
    }
    case Shape::kFlag:
      return take(IsTrue(value) ? "true" : "false");
    case Shape::kList:
      return ForEachText(value, take);
    case Shape::kPairs:
      return ForEachPair(value, take);
    case Shape::kOwn:
      return key.read(value, context);
    case Shape::kNotJudged:
      if (!value.is_null()) {
        request.not_judged.push_back(std::string(key.name) + ": " + std::string(key.option));
      }
      return {};
    case Shape::kNeedsCompose:
      return Error{"needs docker compose, which is not installed here"};
  }
  return {};
}

}  // namespace

Result<Request> ReadService(const std::string& name, const Document& service,
                            const Project& project) {
  if (!service.is_object()) return Error{"must be a mapping"};
  Request request;
  request.title = project.name + "-" + name + "-1";
  request.image = ScalarOf(MemberOf(service, "image")).value_or(project.name + "-" + name);
  Context context{project, request};
  std::vector<std::string_view> names;
  for (const Key& key : kKeys) names.push_back(key.name);
  // Read before the variables, which override them.
  if (auto read = ReadEnvironmentFiles(MemberOf(service, "env_file"), context); !read) {
    return read.error().In("env_file");
  }
  for (const auto& [key, value] : service.items()) {
    if (key.starts_with("x-") || key == "env_file") continue;
    const auto* known = std::ranges::find(kKeys, key, &Key::name);
    if (known == std::end(kKeys))
      return Error{"unknown key " + Quoted(key) + Suggestion(key, names)};
    if (auto read = ReadKey(*known, value, context); !read) return read.error().In(key);
  }
  return request;
}

}  // namespace runclad::draft
