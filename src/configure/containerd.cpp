// containerd reads its files when it starts. What it makes of them is asked before anything is
// written (`containerd config dump`): nothing but the registration may differ.
#include <algorithm>
#include <utility>

#include "runclad/base/spelling.hpp"

#include "containerd_place.hpp"
#include "containerd_uses.hpp"
#include "plan.hpp"
#include "report.hpp"

namespace runclad::configure {
namespace {

Owned OwnedBy(const Request& request, bool is_drop_in) {
  return {
      Format::kToml, request.name,
      [name = request.name](const Document& tree, const Document* original, const Document& block) {
        return ContainerdRestores(name, tree, original, block);
      },
      is_drop_in};
}

Owned OwnedTemplate(const Request& request) {
  Owned owned = OwnedBy(request, false);
  owned.template_text = "{{ template \"base\" . }}\n";
  return owned;
}

// Whether containerd would have the registration, and everything else as before.
Status CheckEffect(const Containerd& containerd, const Document& after,
                   const Registration& registration) {
  if (ContainerdProgram(after, registration.name) != registration.program) {
    return Error{"containerd would not have the runtime " + registration.name};
  }
  if (registration.is_default && ContainerdDefault(after) != registration.name) {
    return Error{"containerd's default runtime would be " + ContainerdDefault(after)};
  }
  const Document expected = ContainerdRest(containerd.effective, registration.name);
  const Document rest = ContainerdRest(after, registration.name);
  if (rest == expected) return {};
  const Document difference = Document::diff(expected, rest);
  return Error{"containerd would read other settings differently, the first at " +
               difference.front()["path"].get<std::string>()};
}

// `text_of` gives the main file for a list of settings; what is lost is added to them.
Result<std::vector<Setting>> Checked(
    const Containerd& containerd, const Registration& registration, std::vector<Setting> settings,
    const Document& tree,
    const std::function<Result<std::string>(const std::vector<Setting>&)>& text_of) {
  if (containerd.program.empty()) return settings;
  const auto dump = [&]() -> Result<Document> {
    const auto text = text_of(settings);
    if (!text) return text.error();
    return DumpWith(containerd, *text);
  };
  auto after = dump();
  if (!after) return after.error();
  const std::vector<Setting> lost =
      ContainerdLost(tree, containerd.effective, *after, containerd.default_version);
  if (!lost.empty()) {
    settings.insert(settings.end(), lost.begin(), lost.end());
    after = dump();
    if (!after) return after.error();
  }
  if (auto status = CheckEffect(containerd, *after, registration); !status) return status.error();
  return settings;
}

Result<std::vector<Planned>> PlanInPlace(const Containerd& containerd, const Request& request,
                                         const Registration& registration,
                                         const Originals& originals) {
  auto file = ReadFile(containerd.main);
  if (!file) return file.error();
  auto settings = ContainerdSettings(registration, containerd.tree, containerd.effective,
                                     containerd.default_version);
  if (!settings) return settings.error().In(containerd.main);
  settings = Checked(containerd, registration, *std::move(settings), containerd.tree,
                     [&](const std::vector<Setting>& list) {
                       return Set(Format::kToml, file->text(), request.name, list);
                     });
  if (!settings) return settings.error().In(containerd.main);
  auto plan = PlanToSet(*std::move(file), OwnedBy(request, false), *settings, originals);
  if (!plan) return plan.error();
  return std::vector<Planned>{std::move(*plan)};
}

Result<std::vector<Planned>> PlanDropIn(const Containerd& containerd, const Request& request,
                                        const Registration& registration,
                                        const Originals& originals) {
  const DropIn drop_in = DropInOf(containerd, request.name);
  auto main_file = ReadFile(containerd.main);
  if (!main_file) return main_file.error();
  auto file = ReadFile(drop_in.path);
  if (!file) return file.error();
  // An imported file may not be in a newer version than the main one.
  Document tree = Document::object();
  const Document* version = Find(containerd.tree, {"version"});
  const Document used = version != nullptr ? *version : Document(containerd.default_version);
  tree["version"] = used;
  auto settings =
      ContainerdSettings(registration, tree, containerd.effective, containerd.default_version);
  if (!settings) return settings.error().In(containerd.main);
  settings->insert(settings->begin(), {{"version"}, used});
  std::vector<Setting> imports;
  const auto with_import = [&](const std::string& pattern) {
    Document list = Document::array();
    if (const Document* present = Find(containerd.tree, {"imports"}); present != nullptr) {
      list = *present;
    }
    list.push_back(pattern);
    std::vector<Setting> added = {{{"imports"}, list}};
    if (version == nullptr) added.insert(added.begin(), {{"version"}, used});
    return added;
  };
  if (!drop_in.pattern.empty()) imports = with_import(drop_in.pattern);
  if (!containerd.program.empty() && !file->bytes) {
    const auto text_of = [&](const std::vector<Setting>& list) -> Result<std::string> {
      return Set(Format::kToml, "", request.name, list);
    };
    // The file is not there yet: the main one imports a candidate.
    Result<std::vector<Setting>> checked = *settings;
    const auto status = WithCandidate(drop_in.path, "", [&](const std::string& path) -> Status {
      checked =
          Checked(containerd, registration, *settings, tree,
                  [&](const std::vector<Setting>& list) -> Result<std::string> {
                    const auto text = text_of(list);
                    if (!text) return text;
                    File candidate{.path = path, .bytes = *text};
                    if (auto written = WriteFile(candidate); !written) return written.error();
                    return Set(Format::kToml, main_file->text(), request.name, with_import(path));
                  });
      return checked ? Status() : Status(checked.error());
    });
    if (!status) return status.error().In(drop_in.path);
    settings = std::move(checked);
  }
  std::vector<Planned> plans;
  auto plan = PlanToSet(*std::move(file), OwnedBy(request, true), *settings, originals);
  if (!plan) return plan.error();
  plans.push_back(std::move(*plan));
  if (!imports.empty()) {
    auto importing = PlanToSet(*std::move(main_file), OwnedBy(request, false), imports, originals);
    if (!importing) return importing.error();
    plans.push_back(std::move(*importing));
  }
  return plans;
}

// The files of k3s, rke2 and k0s: the one that containerd reads is made of them later.
Result<std::vector<Planned>> PlanManaged(const Containerd& containerd, const Request& request,
                                         const Registration& registration,
                                         const Originals& originals) {
  const bool is_k0s = containerd.kind == ContainerdKind::kK0s;
  auto file = ReadFile(is_k0s ? K0sDropIn(containerd, request.name) : TemplateOf(containerd));
  if (!file) return file.error();
  const Document* version = Find(containerd.tree, {"version"});
  const int used = version != nullptr && version->is_number_integer() ? version->get<int>()
                                                                      : containerd.default_version;
  auto settings = ContainerdSettings(registration, is_k0s ? Document::object() : containerd.tree,
                                     containerd.effective, used);
  if (!settings) return settings.error().In(containerd.main);
  auto plan = PlanToSet(*std::move(file), is_k0s ? OwnedBy(request, true) : OwnedTemplate(request),
                        *settings, originals);
  if (!plan) return plan.error();
  return std::vector<Planned>{std::move(*plan)};
}

Result<std::vector<Planned>> PlanAny(const Containerd& containerd, const Request& request,
                                     const Registration& registration, const Originals& originals) {
  if (containerd.kind == ContainerdKind::kRancher && registration.is_default) {
    return Error{
        "k3s and rke2 set containerd's default runtime themselves: use their option "
        "`default-runtime: " +
        registration.name + "` in place of --default"};
  }
  if (containerd.kind != ContainerdKind::kPlain) {
    return PlanManaged(containerd, request, registration, originals);
  }
  const bool is_imported = DropInOf(containerd, request.name).pattern.empty();
  if (request.wants_drop_in || is_imported) {
    auto plans = PlanDropIn(containerd, request, registration, originals);
    if (plans) return plans;
    if (request.wants_drop_in) {
      return Error{plans.error().message +
                   " (containerd before 2 takes a plugin's settings from one file only: without "
                   "--drop-in, the main file is changed)"};
    }
  }
  return PlanInPlace(containerd, request, registration, originals);
}

std::string PathsOf(const std::vector<Planned>& plans) {
  std::string paths;
  for (const Planned& plan : plans) {
    if (plan.change.is_needed() || !IsNeeded(plans)) {
      paths += (paths.empty() ? "" : ", ") + plan.change.before.path;
    }
  }
  return paths;
}

Status CheckContainerdsEntry(const Containerd& containerd, const Request& request,
                             const Originals& originals) {
  for (const std::string& path : {containerd.main, DropInOf(containerd, request.name).path,
                                  TemplateOf(containerd), K0sDropIn(containerd, request.name)}) {
    const auto known = originals.Read(path);
    if (!known) return known.error();
    if (*known) return {};
  }
  const std::string program = ContainerdProgram(containerd.effective, request.name);
  if (program.empty()) return {};
  return CheckEntry(containerd.main, "the runtime " + request.name + " is " + program, program,
                    request);
}

// After everything is written: by containerd itself, for its files as they are.
Status CheckWritten(const Containerd& containerd, const Request& request,
                    const Registration& registration) {
  if (containerd.program.empty() || containerd.kind != ContainerdKind::kPlain) return {};
  Request again = request;
  again.config = containerd.main;
  const auto now = FindContainerd(again);
  if (!now) return now.error();
  return CheckEffect(containerd, now->effective, registration);
}

}  // namespace

Result<Report> RegisterContainerd(const Request& request) {
  const auto containerd = FindContainerd(request);
  if (!containerd) return containerd.error();
  const Registration registration = {request.name, request.program, request.is_default};
  const Originals originals(request.state_directory, request.engine, request.name);
  if (auto status = CheckContainerdsEntry(*containerd, request, originals); !status) {
    return status.error();
  }
  const auto plans = PlanAny(*containerd, request, registration, originals);
  if (!plans) return plans.error();
  if (request.is_dry_run) return Report{DiffOf(*plans)};
  std::string older;
  if (request.is_default) {
    const auto uses = FindContainerdUses(*containerd, request);
    if (!uses) return uses.error();
    older = OlderText(uses->others);
  }
  if (!IsNeeded(*plans)) return Report{PathsOf(*plans) + " has it already\n" + older};
  const auto committed = Commit(
      *plans, originals, [&] { return CheckWritten(*containerd, request, registration); }, [] {});
  if (!committed) return committed.error();
  return WithRestart(containerd->daemon, "containerd", request,
                     PathsOf(*plans) + ": " + Sentence(registration) + older);
}

Result<Report> UnregisterContainerd(const Request& request) {
  const auto containerd = FindContainerd(request);
  if (!containerd) return containerd.error();
  const auto uses = FindContainerdUses(*containerd, request);
  if (!uses) return uses.error();
  std::vector<Use> all = uses->of_name;
  all.insert(all.end(), uses->of_program.begin(), uses->of_program.end());
  if (request.is_final && !all.empty()) return RefusedText(request.name, all);
  Registration lower = {request.name, "", false};
  if (!uses->of_name.empty()) {
    const auto program = LowerRuntime(request);
    if (!program) return program.error();
    lower.program = *program;
  }
  const Originals originals(request.state_directory, request.engine, request.name);

  std::vector<std::pair<std::string, Owned>> files;
  if (containerd->kind == ContainerdKind::kK0s) {
    files.emplace_back(K0sDropIn(*containerd, request.name), OwnedBy(request, true));
  } else if (containerd->kind == ContainerdKind::kRancher) {
    files.emplace_back(TemplateOf(*containerd), OwnedTemplate(request));
  } else {
    files.emplace_back(DropInOf(*containerd, request.name).path, OwnedBy(request, true));
    files.emplace_back(containerd->main, OwnedBy(request, false));
  }
  std::vector<Planned> plans;
  for (const auto& [path, owned] : files) {
    auto file = ReadFile(path);
    if (!file) return file.error();
    auto plan =
        lower.program.empty()
            ? PlanToUnset(*std::move(file), owned, {}, originals)
            : PlanToChange(
                  *std::move(file), owned,
                  [&](const Document& tree) { return ContainerdKept(lower, tree); }, originals);
    if (!plan) return plan.error();
    plans.push_back(std::move(*plan));
  }
  if (request.is_dry_run) return Report{DiffOf(plans)};
  std::string text = NothingText(containerd->main, lower, uses->of_name);
  std::string by_program;
  if (!uses->of_program.empty()) {
    by_program = "these call " + request.program +
                 " until they are made again; do not remove it before:\n" +
                 ListOf(uses->of_program);
  }
  if (!IsNeeded(plans)) return Report{text + by_program};
  const auto verify = [&]() -> Status {
    if (containerd->program.empty()) return {};
    Request again = request;
    again.config = containerd->main;
    const auto now = FindContainerd(again);
    return now ? Status() : Status(now.error());
  };
  const auto committed = Commit(plans, originals, verify, [] {});
  if (!committed) return committed.error();
  text = BackText(PathsOf(plans), lower, uses->of_name) + by_program;
  return WithRestart(containerd->daemon, "containerd", request, text);
}

}  // namespace runclad::configure
