// runcladctl ps: the running containers with what the kernel holds for each.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <map>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/look/container.hpp"
#include "runclad/look/filters.hpp"
#include "runclad/look/json.hpp"

#include "container_title.hpp"
#include "document_text.hpp"
#include "look_commands.hpp"

namespace runclad::ctl {
namespace {

using json::Document;
using look::Container;
using look::FilterSummary;
using Row = std::vector<std::string>;

constexpr std::string_view kNothing = "-";

// "net_bind_service" of "CAP_NET_BIND_SERVICE"
std::string Short(std::string_view capability) {
  constexpr std::string_view kPrefix = "CAP_";
  std::string text(capability.starts_with(kPrefix) ? capability.substr(kPrefix.size())
                                                   : capability);
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return text;
}

std::string CapabilityList(std::uint64_t mask) {
  std::vector<std::string> names;
  for (const std::string& name : look::CapabilityNames(mask)) names.push_back(Short(name));
  return names.empty() ? "none" : Joined(names, " ");
}

std::uint64_t AllKnown() {
  int last = 0;
  std::ifstream("/proc/sys/kernel/cap_last_cap") >> last;
  constexpr int kMost = 63;
  return last <= 0 || last >= kMost ? ~std::uint64_t{0} : (std::uint64_t{1} << (last + 1)) - 1;
}

// "none", "chown setuid", "14", "all 41"
std::string CapabilityCell(std::uint64_t mask) {
  constexpr int kNamed = 2;
  const int count = __builtin_popcountll(mask);
  if (count <= kNamed) return CapabilityList(mask);
  return (mask == AllKnown() ? "all " : "") + std::to_string(count);
}

std::string UserCell(const Container& container) {
  const uid_t host = container.credentials.uids[1];
  std::string text = container.user_inside ? std::to_string(*container.user_inside) : "?";
  if (container.is_host_root) return text + " = host root";
  if (container.user_inside != host) text += " (" + std::to_string(host) + ")";
  return text;
}

std::string FilterCell(const Container& container) {
  if (container.credentials.seccomp_mode == 0) return "off";
  const FilterSummary& filter = container.filter;
  if (filter.source == FilterSummary::Source::kUnknown) return "on, unknown";
  const std::string calls =
      std::to_string(filter.allowed) + "/" + std::to_string(filter.known) + " calls";
  return filter.source == FilterSummary::Source::kDocument ? calls + " (document)" : calls;
}

// The namespaces that a container normally has to itself.
std::string HostNamespaces(const Container& container) {
  std::vector<std::string_view> shared;
  for (const char* kind : {"net", "pid", "ipc", "uts", "mnt"}) {
    if (container.SharesWithHost(kind)) shared.emplace_back(kind);
  }
  return shared.empty() ? std::string(kNothing) : Joined(shared, ",");
}

// "tcp 80,443 udp 53"
std::string Ports(const Container& container) {
  std::map<std::string, std::vector<std::uint16_t>> ports;
  for (const look::Listener& listener : container.listeners) {
    ports[listener.protocol.substr(0, 3)].push_back(listener.port);
  }
  std::string text;
  for (auto& [protocol, numbers] : ports) {
    std::ranges::sort(numbers);
    numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
    if (!text.empty()) text += ' ';
    text += protocol + ' ';
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      text += (i == 0 ? "" : ",") + std::to_string(numbers[i]);
    }
  }
  return text.empty() ? std::string(kNothing) : text;
}

std::string PromiseCell(const Container& container) {
  const std::string policy =
      container.profile + (container.mode == "audit" ? " (audit)" : std::string());
  switch (container.promise) {
    case look::Promise::kNone:
      return "no";
    case look::Promise::kKept:
      return policy;
    case look::Promise::kBroken:
      return policy + ", DIFFERS";
    case look::Promise::kUnknown:
      break;
  }
  return "record unreadable";
}

std::string ColouredPromise(const Container& container, const Style& style) {
  const std::string text = PromiseCell(container);
  if (container.promise == look::Promise::kNone) return style.Yellow(text);
  return container.promise == look::Promise::kKept ? text : style.Red(text);
}

std::string Bytes(std::int64_t bytes) {
  constexpr std::int64_t kKilo = 1024;
  constexpr std::string_view kUnits[] = {"", "K", "M", "G", "T", "P"};
  std::size_t unit = 0;
  while (unit + 1 < std::size(kUnits) && bytes >= kKilo && bytes % kKilo == 0) {
    bytes /= kKilo;
    ++unit;
  }
  return std::to_string(bytes) + std::string(kUnits[unit]);
}

std::string LimitText(const look::LimitState& limits, std::string_view kind) {
  if (std::ranges::find(limits.unknown, kind) != limits.unknown.end()) return "?";
  if (kind == "memory") return limits.memory ? Bytes(*limits.memory) : std::string(kNothing);
  if (kind == "pids") {
    return limits.pids ? std::to_string(*limits.pids) : std::string(kNothing);
  }
  if (!limits.cpus) return std::string(kNothing);
  std::string text = std::to_string(*limits.cpus);
  return text.substr(0, text.find('.') + 3);
}

// Where a program that is written can be run.
std::vector<std::string> DroppingPlaces(const Container& container) {
  std::vector<std::string> places;
  for (const look::MountState& mount : container.mounts) {
    if (mount.is_writable && mount.may_execute) places.push_back(Printable(mount.point));
  }
  return places;
}

std::string Image(const Container& container) {
  const std::string image = container.image();
  return image.empty() ? std::string(kNothing) : Printable(image);
}

std::string Trust(const Container& container) {
  engine::Tier best = container.identity.is_known() ? engine::Tier::kTag : engine::Tier::kNone;
  for (const engine::ImageName& name : container.identity.names) best = std::max(best, name.tier);
  return std::string(engine::Name(best));
}

std::string EngineOf(const Container& container) {
  if (container.identity.engine == engine::Engine::kUnknown) return "none";
  return std::string(engine::Name(container.identity.engine));
}

Row NarrowRow(const Container& container) {
  return {Title(container),          EngineOf(container),
          UserCell(container),       CapabilityCell(container.credentials.bounding),
          FilterCell(container),     container.is_root_writable ? "rw" : "ro",
          HostNamespaces(container), Ports(container)};
}

Row WideRow(const Container& container) {
  const look::LimitState& limits = container.limits;
  Row row = NarrowRow(container);
  row.insert(row.end(),
             {CapabilityCell(container.credentials.effective),
              CapabilityCell(container.credentials.ambient),
              container.credentials.no_new_privileges ? "yes" : "no",
              container.label.empty() ? std::string(kNothing) : Printable(container.label),
              std::to_string(DroppingPlaces(container).size()), LimitText(limits, "memory"),
              LimitText(limits, "pids"), LimitText(limits, "cpus"),
              std::to_string(container.processes.size()), std::to_string(container.pid),
              Trust(container), Image(container)});
  return row;
}

std::string AsTable(const std::vector<Container>& containers, bool is_wide, const Style& style) {
  if (containers.empty()) return "no running containers were found\n";
  std::vector<Row> rows = {
      {"CONTAINER", "ENGINE", "USER", "BOUNDING", "SECCOMP", "ROOT", "HOST", "LISTENS"}};
  if (is_wide) {
    rows.front().insert(rows.front().end(), {"EFFECTIVE", "AMBIENT", "NNP", "LSM", "WX", "MEMORY",
                                             "PIDS", "CPUS", "PROCS", "PID", "TRUST", "IMAGE"});
  }
  rows.front().emplace_back("RUNCLAD");
  for (const Container& container : containers) {
    rows.push_back(is_wide ? WideRow(container) : NarrowRow(container));
    // The last column, whose width does not count: colours have none.
    rows.back().push_back(ColouredPromise(container, style));
  }
  return Table(rows);
}

// Everything about one container, a line for each fact.
std::string AsDetails(const Container& container, const Style& style) {
  const look::Credentials& credentials = container.credentials;
  std::vector<Row> rows = {{"container", Title(container) + " (" + Printable(container.id) + ")"},
                           {"engine", EngineOf(container)},
                           {"image", Image(container) + " (trust: " + Trust(container) + ")"},
                           {"runclad", ColouredPromise(container, style)}};
  const auto add = [&](const char* name, std::string text) {
    rows.push_back({name, std::move(text)});
  };
  if (!container.difference.empty()) add("", Printable(container.difference));
  add("process", std::to_string(container.pid) + " " + Printable(container.program) + ", " +
                     std::to_string(container.processes.size()) + " in all" +
                     (container.is_waiting ? ", created and not started" : ""));
  add("user", UserCell(container) +
                  (container.has_user_namespace ? ", in a user namespace of its own" : ""));
  add("bounding", CapabilityList(credentials.bounding));
  add("effective", CapabilityList(credentials.effective));
  add("ambient", CapabilityList(credentials.ambient));
  add("no_new_privs", credentials.no_new_privileges ? "yes" : "no");
  std::string filter = FilterCell(container);
  if (credentials.seccomp_filters > 0) {
    filter += ", " + std::to_string(credentials.seccomp_filters) +
              (credentials.seccomp_filters == 1 ? " filter" : " filters");
  }
  if (!container.filter.unknown_because.empty()) {
    filter += " (" + container.filter.unknown_because + ")";
  }
  add("seccomp", std::move(filter));
  if (container.filter.source != FilterSummary::Source::kUnknown) {
    add("lets through", container.filter.risky.empty() ? "none of the risky calls"
                                                       : Joined(container.filter.risky));
  }
  add("LSM", container.label.empty() ? "none" : Printable(container.label));
  add("root", container.is_root_writable ? "writable" : "read-only");
  add("write and run", Joined(DroppingPlaces(container), " "));
  for (const look::NamespaceState& own : container.namespaces) {
    if (own.is_host) add("namespace", own.kind + ": the host's");
    for (const std::string& other : own.shared_with) {
      add("namespace", own.kind + ": also of " + Printable(other));
    }
  }
  for (const look::Listener& listener : container.listeners) {
    add("listens",
        listener.protocol + " " + listener.address + " port " + std::to_string(listener.port));
  }
  for (const char* kind : {"memory", "pids", "cpus"}) {
    add(kind, LimitText(container.limits, kind));
  }
  for (const look::MountState& mount : container.mounts) {
    add("mount", Printable(mount.point) + " " + Printable(mount.type) +
                     (mount.is_writable ? " rw" : " ro") + (mount.may_execute ? " exec" : "") +
                     (mount.may_set_ids ? " suid" : "") + (mount.has_devices ? " dev" : "") +
                     (mount.is_host_bind ? ", of the host: " + Printable(mount.root) : ""));
  }
  return Table(rows);
}

std::string AsJson(const std::vector<Container>& containers) {
  Document all = Document::array();
  for (const Container& container : containers) all.push_back(look::ToDocument(container));
  return Dump(Document{{"containers", std::move(all)}});
}

Result<Output> Once(const PsRequest& request, const Style& style) {
  const look::LookOptions options{request.runtime_roots, request.filters, request.container};
  if (!request.container.empty()) {
    const auto found = look::FindContainer(options);
    if (!found) return found.error();
    return Output{request.json ? AsJson({*found}) : AsDetails(*found, style)};
  }
  const auto found = look::FindContainers(options);
  if (!found) return found.error();
  return Output{request.json ? AsJson(*found) : AsTable(*found, request.is_wide, style)};
}

}  // namespace

Result<Output> Ps(const PsRequest& request, const Style& style) {
  if (request.watch_seconds == 0) return Once(request, style);
  constexpr std::string_view kClear = "\033[H\033[2J";
  const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
  // Ends by a signal, or when nobody reads any more.
  for (;;) {
    const auto output = Once(request, style);
    if (!output) return output.error();
    const std::string text = (is_terminal ? std::string(kClear) : std::string()) + output->text;
    if (std::fputs(text.c_str(), stdout) == EOF || std::fflush(stdout) != 0) return Output{};
    ::sleep(request.watch_seconds);
  }
}

}  // namespace runclad::ctl
