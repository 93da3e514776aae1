#include "findings.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/enforce/log.hpp"
#include "runclad/rules/rule.hpp"

#include "document_text.hpp"

namespace runclad::ctl {
namespace {

using json::Document;

constexpr std::size_t kIndent = 10;

// On one line, in ASCII, so that nothing in it drives the terminal.
std::string OneLine(const Document& value) {
  return value.dump(-1, ' ', /*ensure_ascii=*/true, Document::error_handler_t::replace);
}

bool IsListOfStrings(const Document& value) {
  return value.is_array() &&
         std::ranges::all_of(value, [](const Document& element) { return element.is_string(); });
}

// A string of a list as a word: without quotes if it cannot be misread.
std::string Word(const Document& value) {
  const auto& text = value.get_ref<const std::string&>();
  const bool is_plain = !text.empty() && std::ranges::all_of(text, [](char c) {
    return c > ' ' && c <= '~' && c != '"' && c != '\\';
  });
  return is_plain ? text : OneLine(value);
}

std::vector<std::string> Words(const Document& list) {
  std::vector<std::string> words;
  for (const Document& element : list) words.push_back(Word(element));
  return words;
}

std::vector<std::string> Without(const std::vector<std::string>& words,
                                 const std::vector<std::string>& others) {
  std::vector<std::string> left;
  std::ranges::copy_if(words, std::back_inserter(left), [&](const std::string& word) {
    return std::ranges::find(others, word) == others.end();
  });
  return left;
}

bool IsFilter(const Document& value) {
  return value.is_object() && value.contains("defaultAction");
}

// What the log has of a value that is too large for it: {"omitted": "more than …"}.
constexpr const char* kOmitted = "omitted";

bool IsOmitted(const Document& value) {
  return value.is_object() && value.size() == 1 && !Text(value, kOmitted).empty();
}

constexpr std::string_view kAllow = "SCMP_ACT_ALLOW";

// The calls that some rule of a filter allows.
std::set<std::string> AllowedSyscalls(const Document& filter) {
  std::set<std::string> allowed;
  const auto rules = filter.is_object() ? filter.find("syscalls") : filter.end();
  if (rules == filter.end() || !rules->is_array()) return allowed;
  for (const Document& rule : *rules) {
    if (!rule.is_object() || Text(rule, "action") != kAllow) continue;
    const auto names = rule.find("names");
    if (names == rule.end() || !names->is_array()) continue;
    for (const Document& name : *names) {
      if (name.is_string()) allowed.insert(name.get<std::string>());
    }
  }
  return allowed;
}

std::vector<std::string> ShownValue(const Document& value) {
  if (IsListOfStrings(value) && !value.empty()) return Words(value);
  constexpr std::size_t kMaxBytes = 400;
  if (IsOmitted(value)) return {"(" + Printable(Text(value, kOmitted)) + ", not kept)"};
  std::string text = OneLine(value);
  if (text.size() > kMaxBytes) {
    text = text.substr(0, kMaxBytes) + "... (" + std::to_string(text.size()) + " bytes)";
  }
  return {text};
}

class Renderer {
 public:
  explicit Renderer(const Style& style) : style_(style) {}

  [[nodiscard]] std::string Head(const Finding& finding) const {
    const std::string action = finding.action == "refused" ? style_.Red(finding.action)
                               : finding.action == "warned"
                                   ? style_.Yellow(finding.action)
                                   : style_.Green(Printable(finding.action));
    return action + " by " + style_.Bold(Printable(finding.rule)) + '\n';
  }

  // What changes, and why.
  [[nodiscard]] std::string Body(const Finding& finding) const {
    const Document& before = finding.before.document();
    const Document& after = finding.after.document();
    const bool has_safe_form = finding.action != "refused" || !after.is_null();
    return (has_safe_form ? Change(before, after) : Offending(before)) +
           Wrapped(Printable(finding.why), kIndent);
  }

 private:
  [[nodiscard]] std::string Change(const Document& before, const Document& after) const {
    if (IsFilter(after)) return Filter(before, after);
    if (IsListOfStrings(before) && IsListOfStrings(after)) {
      const auto was = Words(before);
      const auto is = Words(after);
      const auto removed = Without(was, is);
      const auto added = Without(is, was);
      if (!removed.empty() || !added.empty()) {
        return (removed.empty() ? "" : Minus(removed)) + (added.empty() ? "" : Plus(added));
      }
    }
    return (before.is_null() ? "" : Minus(ShownValue(before))) +
           (after.is_null() ? "" : Plus(ShownValue(after)));
  }

  [[nodiscard]] static std::string Offending(const Document& value) {
    return value.is_null() ? "" : Wrapped(ShownValue(value), kIndent);
  }

  [[nodiscard]] std::string Filter(const Document& before, const Document& after) const {
    const std::size_t count = AllowedSyscalls(after).size();
    const std::string is = "a filter that allows " + std::to_string(count) + " system calls";
    if (!IsFilter(before)) return Minus({"no filter"}) + Plus({is});
    if (Text(before, "defaultAction") == kAllow) {
      return Minus({"a filter that allows every call that it does not list"}) + Plus({is});
    }
    const auto lost = LostSyscalls(before, after);
    const std::size_t was = AllowedSyscalls(before).size();
    return Minus({"a filter that allows " + std::to_string(was) + " system calls"}) + Plus({is}) +
           (lost.empty() ? "" : Wrapped("no longer: " + Joined(lost, " "), kIndent));
  }

  [[nodiscard]] std::string Minus(const std::vector<std::string>& words) const {
    return Coloured(Wrapped(words, kIndent, "- "), [&](auto text) { return style_.Red(text); });
  }
  [[nodiscard]] std::string Plus(const std::vector<std::string>& words) const {
    return Coloured(Wrapped(words, kIndent, "+ "), [&](auto text) { return style_.Green(text); });
  }

  // Without the newline in the colour: some terminals fill the rest of the line with it.
  template <typename Colour>
  static std::string Coloured(const std::string& lines, const Colour& colour) {
    return colour(lines.substr(0, lines.size() - 1)) + '\n';
  }

  const Style& style_;
};

}  // namespace

const rules::Code* CodeOf(const Finding& finding) {
  const rules::Rule* rule = rules::FindRule(finding.rule);
  if (rule == nullptr) return nullptr;
  const auto found = std::ranges::find_if(rule->codes, [&](const rules::Code& code) {
    return finding.code == finding.rule + "/" + static_cast<const char*>(code.id);
  });
  return found == rule->codes.end() ? nullptr : &*found;
}

std::vector<Finding> FindingsFrom(const Document& array) {
  std::vector<Finding> findings;
  if (!array.is_array()) return findings;
  for (const Document& entry : array) {
    if (!entry.is_object()) continue;
    Finding finding{Text(entry, "rule"),
                    Text(entry, "path"),
                    Text(entry, "action"),
                    Text(entry, "why"),
                    {},
                    {},
                    Text(entry, "code"),
                    {}};
    if (const auto remedy = entry.find("remedy"); remedy != entry.end()) {
      finding.remedy = json::Value(*remedy);
    }
    if (const auto before = entry.find("before"); before != entry.end()) {
      finding.before = json::Value(*before);
    }
    if (const auto after = entry.find("after"); after != entry.end()) {
      finding.after = json::Value(*after);
    }
    findings.push_back(std::move(finding));
  }
  return findings;
}

std::vector<Finding> FindingsFrom(const std::vector<enforce::Applied>& applied) {
  std::vector<Finding> findings;
  findings.reserve(applied.size());
  for (const auto& [rule, finding, disposition] : applied) {
    findings.push_back({std::string(rule->id()), finding.path,
                        std::string(enforce::Name(disposition)), finding.why, finding.before,
                        finding.after, std::string(rule->id()) + "/" + finding.code->id,
                        json::Value(enforce::ToDocument(finding.remedy, rule->id()))});
  }
  return findings;
}

Document ToDocument(const Finding& finding) {
  Document document = {{"rule", finding.rule},
                       {"path", finding.path},
                       {"action", finding.action},
                       {"why", finding.why}};
  if (!finding.before.is_null()) document["before"] = finding.before.document();
  if (!finding.after.is_null()) document["after"] = finding.after.document();
  if (!finding.code.empty()) document["code"] = finding.code;
  if (!finding.remedy.is_null()) document["remedy"] = finding.remedy.document();
  return document;
}

std::string Render(const std::vector<Finding>& findings, const Style& style) {
  const Renderer renderer(style);
  std::string text;
  std::string last_body;
  const Finding* last = nullptr;
  for (const Finding& finding : findings) {
    const bool is_next =
        last != nullptr && last->rule == finding.rule && last->action == finding.action;
    std::string body = renderer.Body(finding);
    if (!is_next || body != last_body) text += last_body;
    if (!is_next) text += '\n' + renderer.Head(finding);
    text += "      " + Printable(finding.path) + '\n';
    last_body = std::move(body);
    last = &finding;
  }
  return text + last_body;
}

std::string Sentence(const Finding& finding) {
  const Document& before = finding.before.document();
  return Printable(finding.action + " by " + finding.rule + ": " + finding.path) +
         (before.is_null() ? "" : " " + Joined(ShownValue(before), " ")) + " " +
         Printable(finding.why);
}

std::string Summary(const std::vector<Finding>& findings) {
  std::vector<std::string> parts;
  for (const std::string_view action : {"fixed", "refused", "warned"}) {
    const auto count = std::ranges::count(findings, action, &Finding::action);
    if (count > 0) parts.push_back(std::to_string(count) + " " + std::string(action));
  }
  return parts.empty() ? "nothing to change" : Joined(parts);
}

std::vector<std::string> LostSyscalls(const Document& before, const Document& after) {
  const auto was = AllowedSyscalls(before);
  const auto is = AllowedSyscalls(after);
  std::vector<std::string> lost;
  std::ranges::set_difference(was, is, std::back_inserter(lost));
  return lost;
}

}  // namespace runclad::ctl
