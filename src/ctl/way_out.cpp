#include "way_out.hpp"

#include <algorithm>
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

// Nothing narrower exists.
Document Warn(const std::vector<Finding>& /*findings*/, const policy::RuleSetting& /*now*/) {
  return {{"action", policy::Name(policy::Action::kWarn)}};
}

struct WayOut {
  std::string_view rule;
  Describe describe;
};
constexpr WayOut kWaysOut[] = {
    {"seccomp", AllowSyscalls},
    {"rootfs-path", AllowPaths},
    {"mount-options", RunPrograms},
};

Describe DescribeOf(std::string_view rule) {
  const auto* found = std::ranges::find(kWaysOut, rule, &WayOut::rule);
  return found == std::end(kWaysOut) ? Warn : found->describe;
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

}  // namespace

bool IsLiftedBy(const rules::Rule& rule, const Finding& finding) {
  if (finding.action == "warned") return false;
  if (finding.rule == rule.id()) return true;
  // The tmpfs is the one rule's, and what may run on it the other's.
  return rule.id() == "mount-options" && finding.rule == "read-only-rootfs" &&
         !DirectoryWithoutPrograms(finding).empty();
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
