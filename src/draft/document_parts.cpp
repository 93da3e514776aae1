#include "document_parts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/privilege/capabilities.hpp"

namespace runclad::draft {
namespace {

using json::Document;

constexpr std::uint32_t kUnknownUser = 65534;  // nobody

std::optional<std::uint32_t> NumberIn(std::string_view text) {
  std::uint32_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "ALL", or a canonical name.
Result<std::string> CapabilityOf(std::string_view name) {
  std::string upper(name);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (upper == "ALL" || upper == "CAP_ALL") return std::string("ALL");
  auto canonical = privilege::CanonicalCapability(upper);
  if (!canonical) return Error{"there is no capability " + Quoted(name)};
  return *std::move(canonical);
}

Result<std::vector<std::string>> CapabilitiesOf(const std::vector<std::string>& names) {
  std::vector<std::string> canonical;
  for (const std::string& name : names) {
    auto capability = CapabilityOf(name);
    if (!capability) return capability.error();
    canonical.push_back(*std::move(capability));
  }
  return canonical;
}

bool Has(const std::vector<std::string>& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

void PutNumber(Document& object, const char* name, const std::optional<std::int64_t>& number) {
  if (number) object[name] = *number;
}

}  // namespace

std::string DraftId() {
  constexpr std::size_t kDigits = 64;
  std::string id(kDigits, '0');
  constexpr std::string_view kBegin = "d2af7";
  return id.replace(0, kBegin.size(), kBegin);
}

Document MountOf(std::string destination, std::string type, std::string source,
                 std::vector<std::string> options) {
  return {{"destination", std::move(destination)},
          {"type", std::move(type)},
          {"source", std::move(source)},
          {"options", std::move(options)}};
}

void AddMount(Making& making, Document mount) {
  Document& mounts = making.config["mounts"];
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    if (mounts[i]["destination"] == mount["destination"]) {
      mounts.erase(i);
      break;
    }
  }
  mounts.push_back(std::move(mount));
}

void AddEngineFile(Making& making, const std::string& destination, const std::string& source,
                   std::vector<std::string> options) {
  making.draft.engine_files.push_back(source);
  AddMount(making, MountOf(destination, "bind", source, std::move(options)));
}

void SortMounts(Document& mounts) {
  std::vector<Document> list(mounts.begin(), mounts.end());
  const auto depth = [](const Document& mount) {
    const auto& path = mount["destination"].get_ref<const std::string&>();
    return path == "/" ? 0 : std::ranges::count(path, '/');
  };
  std::ranges::stable_sort(list, {}, depth);
  mounts = list;
}

Result<std::vector<std::string>> Capabilities(const Making& making,
                                              std::span<const std::string_view> defaults) {
  const std::vector<std::string>& given = making.host.capabilities;
  const std::vector<std::string>& all = given.empty() ? privilege::AllCapabilities() : given;
  if (making.request.is_privileged) return all;
  const auto added = CapabilitiesOf(making.request.added_capabilities);
  if (!added) return added.error();
  const auto dropped = CapabilitiesOf(making.request.dropped_capabilities);
  if (!dropped) return dropped.error();
  std::vector<std::string> names;
  if (Has(*added, "ALL")) {
    names = all;
  } else if (!Has(*dropped, "ALL")) {
    names.assign(defaults.begin(), defaults.end());
  }
  std::erase_if(names, [&](const std::string& name) { return Has(*dropped, name); });
  for (const std::string& name : *added) {
    if (name != "ALL" && !Has(names, name)) names.push_back(name);
  }
  return names;
}

void SetCapabilities(Making& making, const std::vector<std::string>& names) {
  Document sets = Document::object();
  // podman gives a user other than root only the bounding set.
  const bool has_all = making.config["process"]["user"]["uid"] == 0 ||
                       making.request.engine != engine::Engine::kPodman;
  if (!names.empty()) {
    sets["bounding"] = names;
    if (has_all) sets["effective"] = sets["permitted"] = names;
  }
  making.config["process"]["capabilities"] = std::move(sets);
}

Status SetUser(Making& making) {
  const Request& request = making.request;
  const std::string text = request.user.value_or(making.image.user);
  const std::string user = text.substr(0, text.find(':'));
  const std::string group = user.size() == text.size() ? "" : text.substr(user.size() + 1);
  const auto id_of = [&](const std::string& name, const char* what, std::uint32_t otherwise) {
    if (name.empty()) return otherwise;
    if (name == "root") return std::uint32_t{0};
    if (const auto number = NumberIn(name)) return *number;
    making.NotJudged(std::string("the ") + what + " " + Quoted(name) +
                     ": its number is in the image; judged as " + std::to_string(kUnknownUser));
    return kUnknownUser;
  };
  const std::uint32_t uid = id_of(user, "user", 0);
  // The group of a numeric user is in /etc/passwd as well; without an entry there, it is 0.
  const std::uint32_t gid = id_of(group, "group", uid == kUnknownUser ? uid : 0);
  Document entry = {{"uid", uid}, {"gid", gid}};
  Document groups = Document::array();
  if (request.engine != engine::Engine::kPodman) groups.push_back(gid);
  for (const std::string& name : request.groups) {
    if (name == "keep-groups") continue;
    const std::uint32_t id = id_of(name, "group", gid);
    if (std::find(groups.begin(), groups.end(), Document(id)) == groups.end()) groups.push_back(id);
  }
  if (!groups.empty()) entry["additionalGids"] = std::move(groups);
  making.config["process"]["user"] = std::move(entry);
  if (!request.user && !making.image.is_known) {
    making.NotJudged("the user if it is not root: only the image names it");
  }
  return {};
}

void SetProgram(Making& making, std::vector<std::string> first,
                const std::vector<std::string>& init) {
  const Request& request = making.request;
  const Image& image = making.image;
  std::vector<std::string> args = init;
  const bool has_own_entrypoint = request.entrypoint.has_value();
  const auto& entrypoint = has_own_entrypoint ? *request.entrypoint : image.entrypoint;
  args.insert(args.end(), entrypoint.begin(), entrypoint.end());
  // An entrypoint in the request discards the image's command.
  const auto& command =
      request.command.empty() && !has_own_entrypoint ? image.command : request.command;
  args.insert(args.end(), command.begin(), command.end());
  if (args.size() == init.size()) args.emplace_back("sh");
  making.config["process"]["args"] = std::move(args);

  const auto name_of = [](const std::string& variable) {
    return variable.substr(0, variable.find('=') + 1);
  };
  const auto put = [&](const std::string& variable) {
    const std::string name = name_of(variable);
    if (name.empty()) return;
    const auto found = std::ranges::find_if(
        first, [&](const std::string& known) { return known.starts_with(name); });
    if (found == first.end()) {
      first.push_back(variable);
    } else {
      *found = variable;
    }
  };
  std::ranges::for_each(image.environment, put);
  std::ranges::for_each(request.environment, put);
  making.config["process"]["env"] = std::move(first);

  std::string directory = request.working_directory;
  if (directory.empty()) directory = image.working_directory;
  making.config["process"]["cwd"] = directory.empty() ? "/" : directory;
  if (!image.is_known) {
    making.NotJudged("the image's environment, entrypoint, directory and declared volumes");
  }
}

void SetLimits(Making& making) {
  const Request& request = making.request;
  const Limits& limits = request.limits;
  Document& process = making.config["process"];
  for (const Rlimit& limit : request.rlimits) {
    std::string type = "RLIMIT_" + limit.name;
    for (char& c : type) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    const auto value = [](std::int64_t number) {
      return number < 0 ? std::numeric_limits<std::uint64_t>::max()
                        : static_cast<std::uint64_t>(number);
    };
    process["rlimits"].push_back(
        {{"type", type}, {"soft", value(limit.soft)}, {"hard", value(limit.hard)}});
  }
  if (request.oom_score_adjustment) process["oomScoreAdj"] = *request.oom_score_adjustment;

  Document& resources = making.config["linux"]["resources"];
  Document memory = resources.value("memory", Document::object());
  PutNumber(memory, "limit", limits.memory);
  PutNumber(memory, "reservation", limits.memory_reservation);
  PutNumber(memory, "swappiness", limits.swappiness);
  auto swap = limits.memory_swap;
  if (swap && *swap == 0) swap.reset();
  if (!swap && limits.memory) swap = *limits.memory * 2;
  if (request.engine != engine::Engine::kContainerd) PutNumber(memory, "swap", swap);
  if (limits.disables_oom_killer) memory["disableOOMKiller"] = true;
  if (!memory.empty()) resources["memory"] = std::move(memory);
  Document cpu = Document::object();
  PutNumber(cpu, "shares", limits.cpu_shares);
  PutNumber(cpu, "period", limits.cpu_period);
  PutNumber(cpu, "quota", limits.cpu_quota);
  PutNumber(cpu, "realtimePeriod", limits.cpu_realtime_period);
  PutNumber(cpu, "realtimeRuntime", limits.cpu_realtime_runtime);
  if (!limits.cpus.empty()) cpu["cpus"] = limits.cpus;
  if (!limits.mems.empty()) cpu["mems"] = limits.mems;
  if (!cpu.empty()) resources["cpu"] = std::move(cpu);
  if (limits.pids && *limits.pids != 0) resources["pids"]["limit"] = *limits.pids;
  if (limits.block_io_weight) resources["blockIO"]["weight"] = *limits.block_io_weight;
  for (const auto& [name, value] : request.sysctls) making.config["linux"]["sysctl"][name] = value;
  for (const auto& [name, value] : request.annotations) making.config["annotations"][name] = value;
}

void SetMasks(Making& making, std::span<const std::string_view> masked,
              std::span<const std::string_view> read_only) {
  const Request& request = making.request;
  if (request.is_privileged || request.has_unmasked_paths) return;
  const auto& unmasked = request.unmasked;
  const bool has_none = Has(unmasked, "ALL") || Has(unmasked, "all");
  const auto paths_of = [&](std::span<const std::string_view> defaults) {
    Document paths = Document::array();
    for (const std::string_view path : defaults) {
      if (!has_none && !Has(unmasked, path)) paths.push_back(path);
    }
    return paths;
  };
  Document hidden = paths_of(masked);
  for (const std::string& path : request.masked) hidden.push_back(path);
  Document& section = making.config["linux"];
  if (!hidden.empty()) section["maskedPaths"] = std::move(hidden);
  if (Document kept = paths_of(read_only); !kept.empty())
    section["readonlyPaths"] = std::move(kept);
}

void LeaveOut(Document& namespaces, std::string_view type) {
  for (std::size_t i = 0; i < namespaces.size(); ++i) {
    if (namespaces[i]["type"] == type) {
      namespaces.erase(i);
      return;
    }
  }
}

void Join(Making& making, std::string_view type, const std::string& path, Joined joined) {
  for (Document& entry : making.config["linux"]["namespaces"]) {
    if (entry["type"] == type) entry["path"] = path;
  }
  making.draft.namespaces[path] = std::move(joined);
}

std::string ModeOf(const Request& request, std::string_view type) {
  const auto found = request.namespaces.find(std::string(type));
  return found == request.namespaces.end() ? std::string() : found->second;
}

std::string JoinedContainer(std::string_view mode) {
  constexpr std::string_view kPrefix = "container:";
  return mode.starts_with(kPrefix) ? std::string(mode.substr(kPrefix.size())) : std::string();
}

}  // namespace runclad::draft
