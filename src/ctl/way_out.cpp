#include "way_out.hpp"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

#include <nlohmann/json.hpp>

#include "runclad/rules/rule.hpp"

namespace runclad::ctl {
namespace {

using json::Document;
using Strings = std::vector<std::string>;

Strings StringsOf(const Document& list) {
  Strings strings;
  if (!list.is_array()) return strings;
  for (const Document& element : list) {
    if (element.is_string()) strings.push_back(element.get<std::string>());
  }
  return strings;
}

void AddNew(Strings& all, const std::string& text) {
  if (std::ranges::find(all, text) == all.end()) all.push_back(text);
}

Document Listing(const policy::RuleSetting& now, const std::string& parameter,
                 const Strings& wanted) {
  if (wanted.empty()) return nullptr;
  Strings all = now.parameters.strings(parameter);
  for (const std::string& text : wanted) AddNew(all, text);
  return {{parameter, all}};
}

// What the rules say of several findings at once: a member of "rules", or null.
using Describe = Document (*)(const std::vector<Finding>& findings, const policy::RuleSetting& now);

Document AllowSyscalls(const std::vector<Finding>& findings, const policy::RuleSetting& now) {
  Strings wanted;
  for (const Finding& finding : findings) {
    for (const auto& name : LostSyscalls(finding.before.document(), finding.after.document())) {
      // To allow it would not help: deny-socketcall wins, and is what nearly every container has.
      if (name == "socketcall" && now.parameters.boolean("deny-socketcall")) continue;
      AddNew(wanted, name);
    }
  }
  return Listing(now, "allow", wanted);
}

// "keeps /tmp writable on a tmpfs, where no program runs" → "/tmp"; empty: it says something else.
std::string DirectoryWithoutPrograms(const Finding& finding) {
  constexpr std::string_view kBegin = "keeps ";
  constexpr std::string_view kEnd = " writable on a tmpfs, where no program runs";
  const std::string& why = finding.why;
  if (!why.starts_with(kBegin) || !why.ends_with(kEnd)) return {};
  return why.substr(kBegin.size(), why.size() - kBegin.size() - kEnd.size());
}

// "of /data lack nosuid noexec", s6-overlay's /run, or a tmpfs of read-only-rootfs. Programs in
// /dev and in the files that engines bind are nobody's need.
Document RunPrograms(const std::vector<Finding>& findings, const policy::RuleSetting& now) {
  Strings wanted;
  for (const Finding& finding : findings) {
    if (finding.path == "/process/args/0") AddNew(wanted, "/run");
    const std::string tmpfs = DirectoryWithoutPrograms(finding);
    if (!tmpfs.empty()) AddNew(wanted, tmpfs);
    const std::size_t end = std::min(finding.why.find(" lack "), finding.why.find(" have "));
    constexpr std::string_view kOf = "of ";
    if (!finding.why.starts_with(kOf) || end == std::string::npos) continue;
    const std::string destination = finding.why.substr(kOf.size(), end - kOf.size());
    const bool is_engines = destination == "/dev" || destination.starts_with("/dev/") ||
                            destination.starts_with("/etc/");
    const bool may_run = finding.why.find("noexec", end) == std::string::npos;
    if (!is_engines && !may_run) AddNew(wanted, destination);
  }
  return Listing(now, "exec-paths", wanted);
}

// The value that was found, where it is a path of the host.
Document AllowPaths(const std::vector<Finding>& findings, const policy::RuleSetting& now) {
  Strings wanted;
  for (const Finding& finding : findings) {
    const Document& path = finding.before.document();
    if (path.is_string()) AddNew(wanted, path.get<std::string>());
  }
  return Listing(now, "allow", wanted);
}

// What was asked for; twice the default where nothing was.
Document RaiseMaximum(const std::vector<Finding>& findings, const policy::RuleSetting& now) {
  std::int64_t wanted = now.parameters.integer("maximum");
  bool is_default = false;
  for (const Finding& finding : findings) {
    const Document& asked = finding.before.document();
    is_default = is_default || !asked.is_number_integer() || asked.get<std::int64_t>() <= 0;
    if (asked.is_number_integer()) wanted = std::max(wanted, asked.get<std::int64_t>());
  }
  if (is_default) wanted = std::max(wanted, 2 * now.parameters.integer("default"));
  Document setting = {{"maximum", wanted}};
  if (is_default) setting["default"] = wanted;
  return setting;
}

// What is denied no list lifts; an id that was only not allowed is allowed by one more range.
Document AllowUsers(const std::vector<Finding>& findings, const policy::RuleSetting& now) {
  Document setting = Document::object();
  for (const std::string kind : {"uid", "gid"}) {
    Strings wanted;
    for (const Finding& finding : findings) {
      if (finding.path != "/process/user/" + kind) continue;
      if (finding.why.starts_with("is root")) setting["root"] = "warn";
      if (finding.why == "is not listed in user.allow-" + kind + "s") {
        AddNew(wanted, finding.before.document().dump());
      }
    }
    if (!wanted.empty()) setting.update(Listing(now, "allow-" + kind + "s", wanted));
  }
  return setting.empty() ? Document() : setting;
}

Document RaiseLimits(const std::vector<Finding>& findings, const policy::RuleSetting& now) {
  constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
  Document setting = Document::object();
  for (const Finding& finding : findings) {
    // "is a RLIMIT_NOFILE beyond rlimits.nofile"; what was added where none was asked for is core.
    constexpr std::string_view kRule = "rlimits.";
    const std::size_t at = finding.why.rfind(kRule);
    const std::string limit =
        at == std::string::npos ? "core" : finding.why.substr(at + kRule.size());
    const Document& asked = finding.before.document();
    const std::uint64_t wanted = asked.is_number_unsigned() ? asked.get<std::uint64_t>()
                                                            : static_cast<std::uint64_t>(kNoLimit);
    const auto maximum = static_cast<std::int64_t>(std::min<std::uint64_t>(wanted, kNoLimit));
    setting[limit] =
        std::max({maximum, now.parameters.integer(limit), setting.value(limit, std::int64_t{0})});
  }
  return setting;
}

Document AllowPrograms(const std::vector<Finding>& findings, const policy::RuleSetting& now) {
  Strings wanted;
  for (const Finding& finding : findings) {
    constexpr std::string_view kBegin = "is ";
    constexpr std::string_view kEnd = ", which program.allow does not list";
    if (!finding.why.starts_with(kBegin) || !finding.why.ends_with(kEnd)) continue;
    AddNew(wanted,
           finding.why.substr(kBegin.size(), finding.why.size() - kBegin.size() - kEnd.size()));
  }
  return Listing(now, "allow", wanted);
}

// Nothing narrower exists.
Document Warn(const std::vector<Finding>& /*findings*/, const policy::RuleSetting& /*now*/) {
  return {{"action", policy::Name(policy::Action::kWarn)}};
}

struct WayOut {
  std::string_view rule;
  Describe describe;
};
constexpr WayOut kWaysOut[] = {
    {"seccomp", AllowSyscalls},     {"rootfs-path", AllowPaths}, {"pids-limit", RaiseMaximum},
    {"mount-options", RunPrograms}, {"user", AllowUsers},        {"rlimits", RaiseLimits},
    {"program", AllowPrograms},
};

Describe DescribeOf(std::string_view rule) {
  const auto* found = std::ranges::find(kWaysOut, rule, &WayOut::rule);
  return found == std::end(kWaysOut) ? Warn : found->describe;
}

}  // namespace

bool IsLiftedBy(const rules::Rule& rule, const Finding& finding) {
  if (finding.action == "warned") return false;
  if (finding.rule == rule.id()) return true;
  // The tmpfs is the one rule's, and what may run on it the other's.
  return rule.id() == "mount-options" && finding.rule == "read-only-rootfs" &&
         !DirectoryWithoutPrograms(finding).empty();
}

// What a finding says of itself: lists get what they lack, the highest number and the last text
// count.
void Merge(const Document& remedy, const policy::Effective& now, Document& rules) {
  for (const auto& [rule, parameters] : remedy.items()) {
    const rules::Rule* known = rules::FindRule(rule);
    for (const auto& [parameter, value] : parameters.items()) {
      // What a waiver takes from a list that denies, no line of policy.json takes.
      if (known == nullptr || rules::IsDenial(*known, parameter)) continue;
      Document& merged = rules[rule][parameter];
      if (value.is_array()) {
        Strings all =
            merged.is_null() ? now.rule(rule).parameters.strings(parameter) : StringsOf(merged);
        for (const std::string& text : StringsOf(value)) AddNew(all, text);
        merged = all;
      } else if (!merged.is_number() || value > merged) {
        merged = value;
      }
    }
  }
}

json::Value WaysOut(const std::vector<Finding>& findings, const policy::Effective& now) {
  Document rules = Document::object();
  for (const Finding& finding : findings) {
    const Document& remedy = finding.remedy.document();
    if (finding.action == "warned" || !remedy.is_object()) continue;
    for (const char* kind : {"rules", "waiver"}) {
      if (remedy.contains(kind)) Merge(remedy.at(kind), now, rules);
    }
  }
  for (const rules::Rule* rule : rules::Catalog()) {
    if (!rule->codes.empty()) continue;  // its findings say it themselves
    std::vector<Finding> own;
    std::ranges::copy_if(findings, std::back_inserter(own), [&](const Finding& finding) {
      return finding.remedy.is_null() && IsLiftedBy(*rule, finding);
    });
    if (own.empty()) continue;
    Document setting = DescribeOf(rule->id())(own, now.rule(rule->id()));
    if (!setting.is_null()) rules[std::string(rule->id())] = std::move(setting);
  }
  return json::Value(std::move(rules));
}

}  // namespace runclad::ctl
