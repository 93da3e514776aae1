// Advice as people read it. In one file, since a sentence stands in one place.
#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/rules/catalog.hpp"
#include "runclad/rules/meaning.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/rules/rule.hpp"

#include "advice.hpp"
#include "remedies.hpp"

namespace runclad::ctl {
namespace {

using json::Document;
using rules::Symptom;

// On one line, in ASCII, with spaces as people write policies.
std::string AdviceLine(const Document& value) {
  if (!value.is_structured() || value.empty()) return value.dump(-1, ' ', /*ensure_ascii=*/true);
  std::vector<std::string> parts;
  for (const auto& [key, element] : value.items()) {
    parts.push_back((value.is_object() ? AdviceLine(key) + ": " : "") + AdviceLine(element));
  }
  const std::string joined = Joined(parts);
  return value.is_object() ? "{ " + joined + " }" : "[" + joined + "]";
}

// A policy file, to be copied: a line for each rule and each waiver.
std::string FileText(const Document& file) {
  std::string text = "    {";
  for (const auto& [member, value] : file.items()) {
    text += text.back() == '{' ? "\n" : ",\n";
    text += "      " + AdviceLine(member) + ": ";
    const bool is_long = value.is_structured() && !value.empty() &&
                         (member == "rules" || member == "waivers" || member == "tags");
    if (!is_long) {
      text += AdviceLine(value);
      continue;
    }
    text += value.is_object() ? '{' : '[';
    const char* separator = "\n";
    for (const auto& [key, element] : value.items()) {
      text += std::string(separator) + "        ";
      if (value.is_object()) text += AdviceLine(key) + ": ";
      text += AdviceLine(element);
      separator = ",\n";
    }
    text += value.is_object() ? "\n      }" : "\n      ]";
  }
  return text + "\n    }\n";
}

std::string Heading(const std::string& title, const Style& style) {
  return '\n' + style.Bold(title) + '\n';
}

std::string FilePlaceOf(const Advice& advice) {
  return (advice.file_exists ? "in place of " : "as ") + Printable(advice.path);
}

// What a grant is worth, where it is more than it seems.
std::string Dangers(const std::vector<Finding>& refused) {
  std::string text;
  for (const Finding& finding : refused) {
    const Document& remedy = finding.remedy.document();
    const bool is_allowed = remedy.contains("rules") || remedy.contains("waiver");
    const std::string why = WhyRoot(finding);
    if (why.empty() || !is_allowed) continue;
    text +=
        Wrapped("Careful: " + Printable(finding.path) + " " + Printable(finding.before.Dump()) +
                    " equals root on the host for anyone who controls the container: " + why + ".",
                2);
  }
  return text;
}

// A list of a policy file, or of the lines of a remedy.
std::vector<std::string> ListIn(const Document& file, const rules::ParameterPlace& place) {
  const auto path = Document::json_pointer() / "rules" / place.rule() / place.parameter();
  std::vector<std::string> list;
  if (!file.is_object() || !file.contains(path)) return list;
  for (const Document& value : file.at(path)) {
    if (value.is_string()) list.push_back(value.get<std::string>());
  }
  return list;
}

// The same of the capabilities in a file that is offered.
std::string DangerousCapabilities(const Document& file) {
  const std::vector<std::string> namespaces = ListIn(file, rules::kAllowedHostNamespaces);
  const bool shares_pids = std::ranges::find(namespaces, "pid") != namespaces.end();
  std::vector<std::string> names;
  for (const std::string& name : ListIn(file, rules::kAllowedCapabilities)) {
    if (rules::EqualsHostRoot(name, false)) {
      names.push_back(name);
    } else if (rules::EqualsHostRoot(name, shares_pids)) {
      names.push_back(name + " in the host's pid namespace");
    }
  }
  if (names.empty()) return {};
  return Wrapped("Careful: " + Joined(names) + (names.size() == 1 ? " equals" : " equal") +
                     " root on the host for anyone who controls the container.",
                 2);
}

std::string WithoutLines(const std::vector<Hints>& all, const Style& style) {
  std::string text;
  for (const Hints& hints : all) {
    for (const std::string& clause : hints.no_line) {
      text += Wrapped(style.Bold(hints.rule) + ": " + Printable(clause), 2);
    }
    const bool has_line = hints.has_rules || hints.has_waiver;
    if (!hints.is_general || has_line || !hints.no_line.empty()) continue;
    text += Wrapped(
        style.Bold(hints.rule) + ": " + std::string(rules::FindRule(hints.rule)->way_out), 2);
  }
  return text;
}

bool HasLines(const json::Value& file) {
  const Document& document = file.document();
  return document.is_object() && ((document.contains("rules") && !document.at("rules").empty()) ||
                                  document.contains("waivers"));
}

// Where the waivers of what a pod requests may be besides: "pods/shop.json".
std::string PodFiles(const std::vector<Finding>& findings) {
  std::set<std::string> files;
  for (const Finding& finding : findings) {
    const Document& remedy = finding.remedy.document();
    if (!remedy.is_object() || !remedy.contains("pod") || !remedy.at("pod").is_string()) continue;
    files.insert("pods/" + remedy.at("pod").get<std::string>() + ".json");
  }
  if (files.empty()) return {};
  return Wrapped("For every pod of its namespace, the same waiver may be in " +
                     Printable(Joined(std::vector<std::string>(files.begin(), files.end()))) + ".",
                 2);
}

// After the image's file: what every other image would get with it.
std::string HostLines(const Advice& advice, bool all) {
  if (!all) {
    return Wrapped("To allow it for every image: --all shows the lines for policy.json.", 2);
  }
  return "  To allow it for every image, put this into policy.json:\n" +
         FileText(advice.host.document());
}

// The lines that let pass what `findings` are about.
std::string Lines(const std::vector<Finding>& findings, const Advice& advice, bool all,
                  const Style& style) {
  const std::vector<Hints> hints = HintsFor(findings);
  std::string text;
  const bool has_lines = std::ranges::any_of(
      hints, [](const Hints& hint) { return hint.has_rules || hint.has_waiver; });
  if (has_lines && HasLines(advice.host)) {
    text += Dangers(findings) + DangerousCapabilities(advice.host.document());
    if (advice.file.empty()) {
      text += "  To allow it on this host, put this into policy.json:\n" +
              FileText(advice.host.document());
    } else {
      text +=
          Wrapped("To allow it for this image alone, save this " + FilePlaceOf(advice) + ":", 2) +
          FileText(advice.image.document()) + PodFiles(findings) + HostLines(advice, all);
    }
  }
  const std::string others = WithoutLines(hints, style);
  if (!others.empty()) text += "  No setting of the policy allows this:\n" + others;
  return text;
}

std::string Refused(const Advice& advice, bool all, const Style& style) {
  if (advice.refused.empty()) return {};
  return Heading("Refused", style) + Render(advice.refused, style) +
         Lines(advice.refused, advice, all, style);
}

// Where a mount of the finding is, "/tmp".
std::string DestinationOf(const Finding& finding) {
  const Document& after = finding.after.document();
  if (after.is_object() && after.contains("destination") && after.at("destination").is_string()) {
    return after.at("destination");
  }
  const std::vector<std::string> paths = ListIn(finding.remedy.document(), rules::kExecPaths);
  return paths.empty() ? std::string() : paths.front();
}

std::string NotPermitted(const Advice& advice) {
  std::string text;
  const CapabilitiesTaken capabilities = CapabilitiesTakenBy(advice.taken);
  if (capabilities.asked_for_all) {
    text += Wrapped("every capability was requested: name those that the program needs", 6);
  } else if (!capabilities.asked_for.empty()) {
    text += Wrapped("requested and removed: " + Joined(capabilities.asked_for, " "), 6);
  }
  if (!capabilities.of_engine.empty()) {
    text += Wrapped("of the engine's default, removed: " + Joined(capabilities.of_engine, " "), 6);
  }
  std::vector<std::string> calls;
  for (const Finding& finding : advice.taken) {
    if (finding.rule != rules::kSeccomp.id()) continue;
    const auto names = ListIn(finding.remedy.document(), rules::kAllowedSyscalls);
    calls.insert(calls.end(), names.begin(), names.end());
  }
  if (!calls.empty()) {
    text +=
        Wrapped("system calls that the engine allowed and runclad does not: " +
                    Printable(Joined(calls, " ")) + "; name the one that fails in seccomp.allow",
                6);
  }
  return text;
}

// What the trial set does not give back, "/mounts/3/options /srv/keys is below /srv, ...".
std::string Sentences(const Advice& advice, Symptom symptom) {
  std::string text;
  for (const Finding& finding : advice.taken) {
    if (SymptomOf(finding) != symptom || IsInTrial(finding)) continue;
    text += Wrapped(Printable(finding.path + " " + finding.why), 6);
  }
  return text;
}

std::string Limited(const Advice& advice) {
  std::string text;
  for (const Finding& finding : advice.taken) {
    if (SymptomOf(finding) != Symptom::kLimited) continue;
    const bool is_removed = finding.after.is_null();
    text += Wrapped(Printable(finding.path + " " + finding.before.Dump() +
                              (is_removed ? " is removed" : " became " + finding.after.Dump())),
                    6);
  }
  return text;
}

std::string ReadOnly(const Advice& advice) {
  std::vector<std::string> directories;
  const bool is_read_only = std::ranges::any_of(advice.taken, [](const Finding& finding) {
    return SymptomOf(finding) == Symptom::kReadOnly && IsInTrial(finding);
  });
  const std::string others = Sentences(advice, Symptom::kReadOnly);
  if (!is_read_only) return others;
  for (const std::vector<Finding>* findings : {&advice.taken, &advice.rest}) {
    for (const Finding& finding : *findings) {
      const std::string directory = DestinationOf(finding);
      if (finding.rule == rules::kReadOnlyRootfs.id() && !directory.empty())
        directories.push_back(directory);
    }
  }
  std::string text = Wrapped(
      "the image's files" +
          (directories.empty() ? std::string()
                               : ", except " + Printable(Joined(directories)) +
                                     ", which are empty but for the image's content at each start"),
      6);
  for (const Finding& finding : advice.rest) {
    if (CodeOf(finding) == rules::kImageWrites) {
      text += Wrapped(Printable(finding.before.Dump() + " " + finding.why), 6);
    }
  }
  if (!directories.empty()) {
    text += Wrapped(
        "`docker cp` into one of these directories exits 0, and the file is not in the container: "
        "mount a volume there",
        6);
  }
  return text + others;
}

std::string PermissionDenied(const Advice& advice) {
  std::vector<std::string> directories;
  for (const Finding& finding : advice.taken) {
    const std::string directory = DestinationOf(finding);
    if (SymptomOf(finding) == Symptom::kPermissionDenied && !directory.empty()) {
      directories.push_back(directory);
    }
  }
  if (directories.empty()) return {};
  return Wrapped("programs, scripts that are started by name and libraries in " +
                     Printable(Joined(directories)),
                 6);
}

std::string TrialText(const Advice& advice) {
  if (advice.file.empty()) {
    return Wrapped(
        "The image is not known, so that nothing can be granted to it alone; runcladctl identify "
        "says why.",
        2);
  }
  if (advice.trial.is_null()) {
    return Wrapped(
        "Nothing is known that this image would use beyond what it has. If it fails like "
        "this, name the directory that the error message names in "
        "read-only-rootfs.writable of " +
            Printable(advice.path) + ", or mount a volume there.",
        2);
  }
  // Of two files for one place, the one for what was refused goes first.
  const bool is_second = !advice.refused.empty() && HasLines(advice.host);
  const bool leaves_out = is_second && std::ranges::any_of(advice.refused, EqualsRoot);
  const std::string begin =
      is_second
          ? "Save the file above first. If the program then fails like this, save this trial "
            "set in its place. It allows the same" +
                std::string(leaves_out ? ", except what equals root on the host (copy that "
                                         "from the file above)"
                                       : "") +
                ", and restores"
          : "If it fails like this, save this trial set " + FilePlaceOf(advice) + ". It restores";
  return DangerousCapabilities(advice.trial.document()) +
         Wrapped(begin +
                     " everything that was removed and that this image can use; this is more than "
                     "it needs:",
                 2) +
         FileText(advice.trial.document()) +
         Wrapped(
             "Narrow it: use the container, then run this command again while it runs; it names "
             "the directories that were written. Then take out one capability after another, and "
             "start the container twice each time, since some are needed only with data that is "
             "already there.",
             2);
}

std::string Taken(const Advice& advice, bool all, const Style& style) {
  if (advice.is_beyond_settings) return {};  // it does not get as far
  const std::pair<const char*, std::string> groups[] = {
      {"Operation not permitted (EPERM)", NotPermitted(advice)},
      {"Read-only file system (EROFS)", ReadOnly(advice)},
      {"Permission denied (EACCES), when a program is started", PermissionDenied(advice)},
      {"No such file or directory (ENOENT), or Permission denied (EACCES), for a hidden file",
       Sentences(advice, Symptom::kHidden)},
      {"Operation not permitted (EPERM), when a device is opened",
       Sentences(advice, Symptom::kNoDevice)},
      {"A lower limit or priority (EAGAIN, EMFILE, ENOMEM, EPERM), or killed for lack of memory",
       Limited(advice)},
  };
  std::string text;
  for (const auto& [error, what] : groups) {
    if (!what.empty()) text += "  " + style.Bold(error) + '\n' + what;
  }
  if (text.empty()) return text;
  text = Heading("What can make its program fail, by the error that it gets", style) + text;
  if (std::ranges::any_of(advice.taken, IsInTrial)) text += TrialText(advice);
  if (!all && std::ranges::any_of(advice.taken, std::not_fn(IsInTrial))) {
    text += Wrapped(
        "Directories and devices of the host, limits and hidden files are not part of a "
        "trial set: --all shows how to allow them.",
        2);
  }
  return text;
}

std::string Cuts(const Advice& advice, const Style& style) {
  if (advice.cuts.empty()) return {};
  std::string text = Heading("Not granted to this image", style);
  for (const policy::Cut& cut : advice.cuts) {
    text += Wrapped(
        Printable(cut.source + ": " + cut.parameter + " " + cut.value + " " + cut.because), 2);
  }
  return text + Wrapped(
                    "A name can be given to any image. To grant it, pin the image: put its digest "
                    "into \"digests\" of that file (runcladctl identify prints it).",
                    2);
}

std::string UsageText(const Advice& advice, const Style& style) {
  if (!advice.usage) return {};
  const Usage& usage = *advice.usage;
  std::string text;
  if (!usage.full.empty()) {
    text +=
        Wrapped("full, so that writing fails with \"No space left on device\" (ENOSPC): " +
                    Printable(Joined(usage.full)) +
                    "; raise read-only-rootfs.tmp-bytes (for /run run-bytes), or mount a volume",
                2);
  }
  if (!usage.written.empty()) {
    text += Wrapped("written: " + Printable(Joined(usage.written)), 2);
  }
  if (!usage.programs.empty()) {
    text += Wrapped("with new programs: " + Printable(Joined(usage.programs)), 2);
  }
  if (!text.empty()) {
    text = Heading("Directories that it uses since it started", style) + text;
  }
  if (advice.narrowed.is_null()) return text;
  if (advice.is_narrow) return text + Wrapped(Printable(advice.path) + " lists only those.", 2);
  return text + Wrapped("With only those, save this " + FilePlaceOf(advice) + ":", 2) +
         FileText(advice.narrowed.document());
}

// "6 other changes (masked-paths 1, …)"
std::string Folded(const std::vector<Finding>& rest) {
  if (rest.empty()) return {};
  std::map<std::string, std::size_t> counts;
  for (const Finding& finding : rest) ++counts[finding.rule];
  std::vector<std::string> parts;
  for (const auto& [rule, count] : counts) parts.push_back(rule + " " + std::to_string(count));
  return '\n' + Wrapped(std::to_string(rest.size()) +
                            (rest.size() == 1 ? " other finding" : " other findings") + " (" +
                            Printable(Joined(parts)) + "): --all shows " +
                            (rest.size() == 1 ? "it" : "them"),
                        0);
}

}  // namespace

std::string AsText(const Advice& advice, bool all, const Style& style) {
  std::string text = Refused(advice, all, style) + Taken(advice, all, style) + Cuts(advice, style) +
                     UsageText(advice, style);
  if (!all) return text + Folded(advice.rest);
  for (const auto& [title, findings] :
       {std::pair("All that was removed", &advice.taken), std::pair("The rest", &advice.rest)}) {
    if (!findings->empty()) text += Heading(title, style) + Render(*findings, style);
  }
  // The file for what was refused has these lines, too.
  std::vector<Finding> others = advice.rest;
  std::ranges::copy_if(advice.taken, std::back_inserter(others), std::not_fn(IsInTrial));
  return text + (advice.refused.empty() ? Lines(others, advice, all, style)
                                        : WithoutLines(HintsFor(others), style));
}

void AddTo(Document& document, const Advice& advice) {
  document["allow"] = advice.host.document();
  if (!advice.file.empty()) {
    document["image"] = {{"file", advice.file}, {"content", advice.image.document()}};
    if (!advice.trial.is_null()) {
      document["trial"] = {{"file", advice.file}, {"content", advice.trial.document()}};
    }
    if (!advice.narrowed.is_null()) {
      document["narrowed"] = {{"file", advice.file}, {"content", advice.narrowed.document()}};
    }
  }
  for (const policy::Cut& cut : advice.cuts) {
    document["cut"].push_back({{"source", cut.source},
                               {"parameter", cut.parameter},
                               {"value", cut.value},
                               {"because", cut.because}});
  }
  if (!advice.usage) return;
  document["used"] = {{"written", advice.usage->written},
                      {"programs", advice.usage->programs},
                      {"full", advice.usage->full}};
}

}  // namespace runclad::ctl
