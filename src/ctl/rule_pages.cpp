// The reference of the rules: runclad-rules(7), and a page in Markdown for each rule.
#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/spelling.hpp"
#include "runclad/rules/rule.hpp"

#include "commands.hpp"
#include "rule_texts.hpp"

namespace runclad::ctl {
namespace {

// Text as mdoc(7) takes it: no escapes, no line that begins as a request does.
std::string Mdoc(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  return escaped.starts_with('.') || escaped.starts_with('\'') ? "\\&" + escaped : escaped;
}

// A line for each sentence, as manual pages are written.
std::string Sentences(std::string_view text) {
  std::string lines;
  while (!text.empty()) {
    const std::size_t end = text.find(". ");
    const bool is_last = end == std::string_view::npos;
    lines += Mdoc(text.substr(0, is_last ? text.size() : end + 1)) + '\n';
    text.remove_prefix(is_last ? text.size() : end + 2);
  }
  return lines;
}

// A clause as a sentence of its own.
std::string Sentence(std::string_view clause) {
  std::string sentence(clause);
  if (sentence.empty()) return sentence;
  if (sentence.front() >= 'a' && sentence.front() <= 'z') {
    sentence.front() = static_cast<char>(sentence.front() - 'a' + 'A');
  }
  if (!sentence.ends_with('.')) sentence += '.';
  return sentence;
}

std::string ManualSection(const rules::Rule& rule, const Profiles& profiles) {
  std::string text = ".Ss " + Mdoc(rule.id()) + '\n' + Sentences(Sentence(rule.title)) +
                     Sentences(rule.rationale) + ".Pp\nApplies to " + Mdoc(ScopeText(rule)) +
                     ".\nActions: " + Mdoc(ActionsText(rule, profiles)) + ".\n";
  if (!rule.benchmarks.empty()) text += "Benchmarks: " + Mdoc(Joined(rule.benchmarks)) + ".\n";
  text += ".Bl -tag -width Ds\n.It Paths\n";
  for (const std::string_view path : rule.paths) text += ".Pa " + Mdoc(path) + "\n.br\n";
  for (const policy::ParameterSchema& parameter : rule.schema.parameters) {
    text += ".It Cm " + Mdoc(parameter.name) + '\n' + Sentences(Sentence(TypeName(parameter))) +
            Sentences(Sentence(parameter.description));
    for (const auto& [value, names] : ValuesOf(parameter, rule, profiles)) {
      text += ".br\n" + Mdoc(names) + ": " + Mdoc(value) + '\n';
    }
  }
  for (const rules::Code& code : rule.codes) {
    text += ".It Sy " + Mdoc(FullCode(rule, code)) + '\n' + Sentences(Sentence(code.meaning));
  }
  return text + ".It To allow it\n" + Sentences(Sentence(rule.way_out)) + ".El\n";
}

std::string Code(std::string_view text) { return "`" + std::string(text) + "`"; }

// A cell of a table.
std::string Cell(std::string_view text) {
  std::string cell;
  for (const char c : text) {
    if (c == '|') cell += '\\';
    cell += c;
  }
  return cell;
}

std::string Page(const rules::Rule& rule, const Profiles& profiles) {
  std::string text = "<!-- Generated from the catalogue by packaging/generate.sh. -->\n# " +
                     std::string(rule.id()) + "\n\n" + Sentence(rule.title) + "\n\n" +
                     std::string(rule.rationale) + "\n\n";
  text += "| | |\n|---|---|\n| applies to | " + ScopeText(rule) + " |\n| actions | " +
          Joined(ActionNames(rule)) + " |\n| in the profiles | " + ActionsText(rule, profiles) +
          " |\n";
  if (!rule.benchmarks.empty()) text += "| benchmarks | " + Joined(rule.benchmarks) + " |\n";
  std::vector<std::string> paths;
  std::ranges::transform(rule.paths, std::back_inserter(paths), Code);
  text += "| reads and changes | " + Joined(paths) + " |\n";
  if (!rule.schema.parameters.empty()) text += "\n## Parameters\n";
  for (const policy::ParameterSchema& parameter : rule.schema.parameters) {
    text += "\n### " + std::string(parameter.name) + "\n\n" + Sentence(parameter.description) +
            "\n\nType: " + TypeName(parameter) + ".\n\n";
    for (const auto& [value, names] : ValuesOf(parameter, rule, profiles)) {
      text += "- " + names + ": " + Code(value) + '\n';
    }
  }
  if (!rule.codes.empty()) text += "\n## Findings\n\n| code | meaning |\n|---|---|\n";
  for (const rules::Code& code : rule.codes) {
    text += "| " + Code(FullCode(rule, code)) + " | " + Cell(code.meaning) + " |\n";
  }
  return text + "\n## To allow it\n\n" + Sentence(rule.way_out) + '\n';
}

}  // namespace

Result<Output> RulesManual() {
  const auto profiles = LoadProfiles();
  if (!profiles) return profiles.error();
  std::string text =
      ".\\\" Generated from the catalogue by packaging/generate.sh.\n"
      ".Dd November 26, 2026\n.Dt RUNCLAD-RULES 7\n.Os\n.Sh NAME\n.Nm runclad-rules\n"
      ".Nd the rules that runclad holds containers to\n.Sh DESCRIPTION\n"
      "A rule finds fault with a container's configuration and proposes a safe value, or refuses "
      "the\ncontainer where there is none.\n"
      "Rules are applied in the order of this page; each sees what the rules before it changed.\n"
      "For each rule, this page lists the paths in\n.Pa config.json\nthat it reads and changes, "
      "its parameters with their values in the three profiles, the codes of its\nfindings, and "
      "how to allow what it finds.\n"
      "Parameters and actions are set in the files that\n.Xr runclad-policy 5\ndescribes.\n"
      ".Sh RULES\n";
  for (const rules::Rule* rule : rules::Catalog()) text += ManualSection(*rule, *profiles);
  return Output{text +
                ".Sh SEE ALSO\n.Xr runclad-policy 5 ,\n.Xr runclad 8 ,\n"
                ".Xr runcladctl 8\n"};
}

Result<Output> RulePage(const std::string& name) {
  const auto rule = NamedRule(name);
  if (!rule) return rule.error();
  const auto profiles = LoadProfiles();
  if (!profiles) return profiles.error();
  return Output{Page(**rule, *profiles)};
}

}  // namespace runclad::ctl
