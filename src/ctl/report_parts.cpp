// The parts of the report's page that are about all containers together.
#include "report_parts.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "runclad/look/json.hpp"

#include "markup.hpp"
#include "report_pieces.hpp"
#include "style.hpp"

namespace runclad::ctl {
namespace {

using look::Assessed;
using look::Container;

constexpr std::size_t kRows = 25;            // of a table, before the rest can be opened
constexpr std::size_t kNamedContainers = 8;  // containers in one cell

bool HasPower(const look::Change& change) {
  return change.is_program || change.sets_id || change.has_capabilities;
}

// What a container shares with the host, apart from user ids, which nearly all share.
struct Sharing {
  std::string namespaces;  // "net, pid"
  std::string sensitive;   // mount points
  std::string writable;

  [[nodiscard]] bool is_none() const {
    return namespaces.empty() && sensitive.empty() && writable.empty();
  }
  friend bool operator==(const Sharing&, const Sharing&) = default;
};

std::string DetailOf(const ReportedContainer& entry, std::string_view check) {
  const auto found = std::ranges::find_if(entry.score.checks, [&](const Assessed& assessed) {
    return assessed.check->id == check && assessed.finding && assessed.finding->badness > 0;
  });
  return found == entry.score.checks.end() ? std::string() : found->finding->detail;
}

Sharing SharingOf(const ReportedContainer& entry) {
  std::vector<std::string_view> namespaces;
  for (const char* kind : {"net", "pid", "ipc", "uts", "mnt"}) {
    if (entry.container.SharesWithHost(kind)) namespaces.emplace_back(kind);
  }
  return {Joined(namespaces), DetailOf(entry, "sensitive-mounts"),
          DetailOf(entry, "writable-binds")};
}

// "net, ipc" of the containers that share them, such as those of a pod.
std::string GroupsOf(const Report& report) {
  std::map<std::string, std::vector<const ReportedContainer*>> by_id;
  std::map<std::pair<std::string, ino_t>, std::vector<const ReportedContainer*>> members;
  for (const ReportedContainer& entry : report.containers) {
    for (const look::NamespaceState& own : entry.container.namespaces) {
      if (!own.is_host && !own.shared_with.empty())
        members[{own.kind, own.inode}].push_back(&entry);
    }
  }
  std::map<std::vector<const ReportedContainer*>, std::vector<std::string>> groups;
  for (const auto& [key, entries] : members) groups[entries].push_back(key.first);
  std::vector<std::string> rows;
  for (const auto& [entries, kinds] : groups) {
    rows.push_back("<tr><td>" + LinksTo(report, entries, kNamedContainers) +
                   "</td><td class=\"mono\">" + Joined(kinds) + "</td></tr>");
  }
  if (rows.empty()) return {};
  return LongTable("Containers that share namespaces with each other",
                   "<tr><th>Share with each other</th><th>Namespaces</th></tr>", rows, kRows);
}

}  // namespace

std::string FactsPart(const Report& report) {
  std::size_t outside = 0;
  std::size_t changed = 0;
  std::size_t host_root = 0;
  for (const ReportedContainer& entry : report.containers) {
    if (entry.container.promise == look::Promise::kNone) ++outside;
    if (entry.container.is_host_root) ++host_root;
    if (entry.drift && std::ranges::any_of(entry.drift->changes, HasPower)) ++changed;
  }
  std::uint64_t refused = 0;
  for (const DayOfRefusals& day : report.days) refused += day.refused + day.would_refuse;
  constexpr std::int64_t kSoon = 14;
  const auto ending = std::ranges::count_if(report.waivers, [](const ReportedWaiver& waiver) {
    return waiver.days_left && *waiver.days_left <= kSoon;
  });
  const auto counts = CountLevels(report);
  std::string text = "<dl class=\"facts\">\n";
  const auto add = [&](std::size_t number, std::string_view what, bool needs_attention) {
    text += "<div><dd" + std::string(needs_attention && number > 0 ? " class=\"accent\"" : "") +
            ">" + std::to_string(number) + "</dd><dt>" + std::string(what) + "</dt></div>\n";
  };
  add(counts[0] + counts[1], "unsafe or exposed", true);
  add(outside, "not started through runclad", true);
  add(host_root, "run as the host’s root", false);
  add(changed, "have new or changed programs", true);
  add(refused, "refused in 30 days", false);
  add(static_cast<std::size_t>(ending), "waivers end within 14 days", true);
  return text + "</dl>\n";
}

std::string SharedPart(const Report& report) {
  // Those that share the same stand in one line, where the most exposed of them would.
  std::vector<std::pair<Sharing, std::vector<const ReportedContainer*>>> groups;
  std::size_t host_users = 0;
  for (const ReportedContainer& entry : report.containers) {
    if (entry.container.can_be_host_root) ++host_users;
    Sharing sharing = SharingOf(entry);
    if (sharing.is_none()) continue;
    const auto known =
        std::ranges::find_if(groups, [&](const auto& group) { return group.first == sharing; });
    if (known != groups.end()) {
      known->second.push_back(&entry);
    } else {
      groups.push_back({std::move(sharing), {&entry}});
    }
  }
  std::vector<std::string> rows;
  const auto cell = [](const std::string& text, bool is_bad) {
    return "<td class=\"mono" + std::string(is_bad && !text.empty() ? " accent" : "") + "\">" +
           (text.empty() ? std::string("–") : Markup(text)) + "</td>";
  };
  for (const auto& [sharing, entries] : groups) {
    rows.push_back("<tr><th scope=\"row\">" + LinksTo(report, entries, 3) + "</th>" +
                   cell(sharing.namespaces, true) + cell(sharing.sensitive, true) +
                   cell(sharing.writable, false) + "</tr>");
  }
  const std::string sentence =
      "Root in " + std::to_string(host_users) + " of " +
      Counted(report.containers.size(), "container") +
      " is root on the host, because they have no user namespace of their own." +
      (rows.empty() ? " Nothing else of the host is shared." : "");
  return Part("shared", "Shared with the host", sentence,
              (rows.empty() ? std::string()
                            : LongTable("What containers share with the host",
                                        "<tr><th>Containers</th><th>Namespaces of the "
                                        "host</th><th>Sensitive mounts</th><th>Writable "
                                        "directories</th></tr>",
                                        rows, kRows)) +
                  GroupsOf(report));
}

std::string CapabilitiesPart(const Report& report) {
  using Sets = std::pair<std::uint64_t, std::uint64_t>;  // bounding, effective
  std::map<Sets, std::vector<const ReportedContainer*>> groups;
  std::set<std::string, std::less<>> dangerous;
  std::uint64_t held = 0;
  for (const ReportedContainer& entry : report.containers) {
    const look::Credentials& credentials = entry.container.credentials;
    groups[{credentials.bounding, credentials.effective}].push_back(&entry);
    held |= credentials.bounding;
    std::string words = DetailOf(entry, "powerful-capabilities") + " ";
    for (std::size_t at = 0; (at = words.find(' ')) != std::string::npos;) {
      dangerous.insert(words.substr(0, at));
      words.erase(0, at + 1);
    }
  }
  std::vector<std::pair<std::size_t, std::string>> columns;  // the number and its short name
  for (std::size_t number = 0; number < 64; ++number) {
    if ((held >> number & 1) == 0) continue;
    std::string name = look::CapabilityNames(std::uint64_t{1} << number).front();
    constexpr std::size_t kPrefix = 4;
    name.erase(0, kPrefix);
    std::ranges::transform(name, name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    columns.emplace_back(number, std::move(name));
  }
  const auto is_dangerous = [&](const auto& column) { return dangerous.contains(column.second); };
  std::stable_partition(columns.begin(), columns.end(), is_dangerous);
  std::string head = "<tr><th>Containers with the same set</th>";
  for (const auto& column : columns) {
    head += "<th scope=\"col\"" + std::string(is_dangerous(column) ? " class=\"danger\"" : "") +
            "><span>" + column.second + "</span></th>";
  }
  head += "</tr>";
  std::vector<std::pair<Sets, std::vector<const ReportedContainer*>>> sorted(groups.begin(),
                                                                             groups.end());
  std::ranges::stable_sort(sorted, {},
                           [](const auto& group) { return -group.second.front()->score.exposure; });
  std::vector<std::string> rows;
  for (const auto& [sets, entries] : sorted) {
    std::string row = "<tr><th scope=\"row\">" + LinksTo(report, entries, 2) + "</th>";
    for (const auto& column : columns) {
      const bool has = (sets.first >> column.first & 1) != 0;
      const bool is_effective = (sets.second >> column.first & 1) != 0;
      row += "<td" + std::string(has && is_dangerous(column) ? " class=\"danger\"" : "") + ">" +
             (is_effective ? "●"
              : has        ? "○"
                           : "") +
             "</td>";
    }
    rows.push_back(row + "</tr>");
  }
  return Part("capabilities", "Capabilities",
              "● in force in the first process, ○ in the bounding set: a program that root starts "
              "can get it. Those that lead to the host come first.",
              columns.empty() ? "<p>No container can have a capability.</p>\n"
                              : TableOf("Capabilities by container", head, rows, "matrix"));
}

std::string ChangesPart(const Report& report) {
  constexpr std::size_t kShown = 6;  // paths of one container
  std::vector<std::string> rows;
  std::size_t unknown = 0;
  std::size_t same = 0;
  for (const ReportedContainer& entry : report.containers) {
    if (!entry.drift) {
      ++unknown;
      continue;
    }
    const auto& changes = entry.drift->changes;
    if (changes.empty()) {
      ++same;
      continue;
    }
    std::string paths;
    std::size_t shown = 0;
    for (const look::Change& change : changes) {
      if (!HasPower(change) || shown == kShown) break;
      paths += (shown++ == 0 ? "" : " ") + Markup(change.path);
    }
    const auto powerful = static_cast<std::size_t>(std::ranges::count_if(changes, HasPower));
    if (powerful > shown) paths += " and " + std::to_string(powerful - shown) + " more";
    rows.push_back("<tr><th scope=\"row\">" + LinkTo(report, entry) + "</th><td class=\"number\">" +
                   std::to_string(changes.size()) + "</td><td class=\"mono" +
                   (paths.empty() ? "" : " accent") + "\">" + (paths.empty() ? "–" : paths) +
                   "</td></tr>");
  }
  std::string sentence =
      Counted(same, "container") + (same == 1 ? " is" : " are") + " as the image.";
  if (unknown > 0) {
    sentence += " " + std::to_string(unknown) +
                " cannot be compared: the root filesystem is not an overlay, or it took too long.";
  }
  return Part("changes", "Changes of images", sentence,
              rows.empty() ? std::string()
                           : LongTable("What containers changed of their images",
                                       "<tr><th>Container</th><th class=\"number\">Changes</th>"
                                       "<th>Programs, set-user-ID files first</th></tr>",
                                       rows, kRows));
}

}  // namespace runclad::ctl
