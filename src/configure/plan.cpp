#include "plan.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "runclad/base/sha256.hpp"
#include "runclad/base/spelling.hpp"
#include "runclad/sys/lower_runtime.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::configure {
namespace {

bool IsBlank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

// A template is not TOML: of it, only our block is read and changed.
Result<std::string> TextWith(const Owned& owned, std::string_view text,
                             const std::vector<Setting>& settings) {
  if (owned.template_text.empty()) return Set(owned.format, text, owned.mark, settings);
  const std::string_view block = BlockOf(text, owned.mark);
  auto changed = Set(owned.format, block, owned.mark, settings);
  if (!changed) return changed;
  if (block.empty()) {
    const std::string before(text.empty() ? std::string_view(owned.template_text) : text);
    return before + (before.ends_with('\n') ? "\n" : "\n\n") + *changed;
  }
  std::string whole(text);
  const auto begin = static_cast<std::size_t>(block.data() - text.data());
  return whole.replace(begin, block.size(), *changed);
}

Result<Document> TreeOf(const Owned& owned, std::string_view text) {
  const bool is_template = !owned.template_text.empty();
  auto parsed = Parse(owned.format, is_template ? BlockOf(text, owned.mark) : text);
  if (!parsed) return parsed.error();
  return std::move(parsed->tree);
}

}  // namespace

Result<std::optional<std::string>> BaseOf(const File& file, const Owned& owned,
                                          const Originals& originals) {
  const auto known = originals.Read(file.path);
  if (!known) return known.error();
  if (!file.bytes) return std::optional<std::string>();
  if (*known && Sha256(*file.bytes) == (*known)->written) return (*known)->bytes;
  if (!owned.template_text.empty()) return std::optional(StripMarks(*file.bytes, owned.mark));
  const auto parsed = Parse(owned.format, *file.bytes);
  if (!parsed) return parsed.error().In(file.path);
  std::optional<Document> original;
  if (*known) {
    const auto before = Parse(owned.format, (*known)->bytes.value_or(""));
    if (before) original = before->tree;
  }
  Document block = Document::object();
  if (owned.format == Format::kToml) {
    auto own = ParseToml(BlockOf(*file.bytes, owned.mark));
    if (own) block = std::move(own->tree);
  }
  const std::vector<Restore> restores =
      owned.restores(parsed->tree, original ? &*original : nullptr, block);
  auto undone = Unset(owned.format, *file.bytes, owned.mark, restores);
  if (!undone) return undone.error().In(file.path);
  if (owned.is_drop_in && IsBlank(*undone)) return std::optional<std::string>();
  return std::optional(std::move(*undone));
}

Result<Planned> PlanToSet(File file, const Owned& owned, const std::vector<Setting>& settings,
                          const Originals& originals) {
  auto base = BaseOf(file, owned, originals);
  if (!base) return base.error();
  auto text = TextWith(owned, file.text(), settings);
  if (!text) return text.error().In(file.path);
  std::optional<std::string> after = std::move(*text);
  return Planned{{std::move(file), std::move(after)}, std::move(*base)};
}

Result<Planned> PlanToUnset(File file, const Owned& owned, const std::vector<Setting>& kept,
                            const Originals& originals) {
  auto base = BaseOf(file, owned, originals);
  if (!base) return base.error();
  std::optional<std::string> after = *base;
  if (!kept.empty()) {
    auto text = TextWith(owned, base->value_or(""), kept);
    if (!text) return text.error().In(file.path);
    after = std::move(*text);
  }
  return Planned{{std::move(file), std::move(after)}, std::move(*base)};
}

Result<Planned> PlanToChange(
    File file, const Owned& owned,
    const std::function<std::vector<Setting>(const Document&)>& settings_for,
    const Originals& originals) {
  const auto tree = TreeOf(owned, file.text());
  if (!tree) return tree.error().In(file.path);
  const std::vector<Setting> settings = settings_for(*tree);
  if (!settings.empty()) return PlanToSet(std::move(file), owned, settings, originals);
  std::optional<std::string> same = file.bytes;
  return Planned{{std::move(file), same}, same};
}

bool IsNeeded(const std::vector<Planned>& plans) {
  return std::ranges::any_of(plans, [](const Planned& plan) { return plan.change.is_needed(); });
}

std::string DiffOf(const std::vector<Planned>& plans) {
  std::vector<Change> changes;
  for (const Planned& plan : plans) changes.push_back(plan.change);
  return UnifiedDiff(changes);
}

Status Commit(const std::vector<Planned>& plans, const Originals& originals,
              const std::function<Status()>& verify, const std::function<void()>& undone) {
  std::vector<Change> changes;
  std::vector<std::optional<Original>> previous;
  for (const Planned& plan : plans) {
    const std::string& path = plan.change.before.path;
    auto known = originals.Read(path);
    if (!known) return known.error();
    previous.push_back(std::move(*known));
    changes.push_back(plan.change);
    // Before the file itself: whatever happens, its bytes are not lost.
    if (plan.change.after && plan.change.after != plan.base) {
      const auto kept = originals.Keep(path, plan.base, *plan.change.after);
      if (!kept) return kept.error();
    }
  }
  const auto applied = Apply(changes, verify, undone);
  for (std::size_t index = 0; index < plans.size(); ++index) {
    const Change& change = plans[index].change;
    if (!applied && previous[index]) {
      const Original& known = *previous[index];
      if (auto kept = originals.Restore(change.before.path, known); !kept) return kept.error();
    } else if (!applied || !change.after || change.after == plans[index].base) {
      originals.Forget(change.before.path);
    }
  }
  return applied;
}

Status CheckName(const std::string& name) {
  constexpr std::string_view kAllowed =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
  if (name.empty() || name.find_first_not_of(kAllowed) != std::string::npos ||
      name.front() == '.' || name.front() == '-') {
    return Error{"the runtime's name " + Quoted(name) +
                 " may only have letters, digits, \"_\", \".\" and \"-\""};
  }
  if (name == "runc" || name == "crun") {
    return Error{"the name " + Quoted(name) + " is the lower runtime's own; choose another --name"};
  }
  return {};
}

Status CheckProgram(const std::string& program) {
  struct stat status {};
  if (!program.starts_with('/') || ::stat(program.c_str(), &status) != 0) {
    return Error{"there is no program " + Quoted(program) +
                 "; install runclad or name it with --program"};
  }
  if (!S_ISREG(status.st_mode) || (status.st_mode & S_IXUSR) == 0) {
    return Error{program + " is not an executable file"};
  }
  std::error_code fault;
  const std::string real = std::filesystem::canonical(program, fault).string();
  if (fault || !sys::OnlyRootCouldReplace(real) || !sys::OnlyRootCouldRedirect(program)) {
    return Error{program +
                 " or a directory above it can be changed by users other than root: "
                 "whoever can replace it would run as root"};
  }
  return {};
}

Status CheckEntry(const std::string& file, const std::string& entry, const std::string& program,
                  const Request& request) {
  if (entry.empty()) return {};
  const bool is_ours = std::filesystem::path(program).filename() ==
                       std::filesystem::path(request.program).filename();
  const auto lower = LowerRuntime(request);
  if (is_ours || (lower && *lower == program)) return {};
  return Error{file + ": " + entry +
               ", which runclad did not write: choose another name with "
               "--name, or remove that entry first"};
}

Result<std::string> LowerRuntime(const Request& request) {
  // runclad may have been removed already.
  struct stat status {};
  const bool is_there = ::stat(request.program.c_str(), &status) == 0;
  auto runtime = is_there ? sys::FindLowerRuntime(std::nullopt, {}, request.program)
                          : sys::FindLowerRuntime(std::nullopt);
  if (!runtime) return runtime;
  // Its place stays when it is opened again.
  return sys::PlaceOf(*runtime);
}

}  // namespace runclad::configure
