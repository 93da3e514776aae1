#include "candidates.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>
#include <utility>

#include "runclad/base/path.hpp"
#include "runclad/privilege/capabilities.hpp"

namespace runclad::learn {
namespace {

using look::Change;
using look::ChangeKind;

std::string ParentOf(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

bool IsIn(const std::string& path, std::span<const std::string> directories) {
  return std::any_of(directories.begin(), directories.end(), [&](const std::string& directory) {
    return directory != "/" && IsAtOrBelow(path, directory);
  });
}

// The directory of the image that must be writable for this change; "/": only the root would do.
std::string DirectoryOf(const Change& change, const std::set<std::string>& added) {
  const bool is_directory = S_ISDIR(change.mode);
  // A directory of the image whose permissions changed.
  if (is_directory && change.kind == ChangeKind::kMode) return change.path;
  std::string directory = ParentOf(change.path);
  while (directory != "/" && added.contains(directory)) directory = ParentOf(directory);
  if (directory != "/") return directory;
  // A directory that the image does not have can become a tmpfs itself.
  std::string top = change.path.substr(0, change.path.find('/', 1));
  const bool is_made = added.contains(top);
  return is_made ? top : "/";
}

// Docker grants these by default, but services rarely need them.
constexpr std::array<std::string_view, 7> kOftenNeeded = {
    "CAP_KILL",  "CAP_FOWNER", "CAP_DAC_OVERRIDE", "CAP_NET_BIND_SERVICE",
    "CAP_CHOWN", "CAP_SETGID", "CAP_SETUID"};

}  // namespace

Places PlacesOf(std::span<const look::Drift> drifts, std::span<const std::string> mounts) {
  std::vector<std::string> covered(mounts.begin(), mounts.end());
  covered.insert(covered.end(), std::begin(kAlwaysWritable), std::end(kAlwaysWritable));
  std::set<std::string> writable;
  std::set<std::string> programs;
  Places places;
  for (const look::Drift& drift : drifts) {
    std::set<std::string> added;
    for (const Change& change : drift.changes) {
      if (change.kind == ChangeKind::kAdded && S_ISDIR(change.mode)) added.insert(change.path);
    }
    if (drift.is_cut) places.notes.emplace_back("not all of its changes were examined");
    for (const Change& change : drift.changes) {
      const bool is_at_mount = std::find(mounts.begin(), mounts.end(), change.path) != mounts.end();
      if (is_at_mount) continue;
      const std::string directory = DirectoryOf(change, added);
      const bool is_program = change.is_program && change.kind != ChangeKind::kMode;
      if (IsIn(change.path, covered)) {
        const auto* always =
            std::find_if(std::begin(kAlwaysWritable), std::end(kAlwaysWritable),
                         [&](const char* path) { return IsAtOrBelow(change.path, path); });
        if (is_program && always != std::end(kAlwaysWritable)) programs.insert(*always);
        continue;
      }
      if (directory == "/") {
        places.notes.push_back(change.path + " was changed, and no grant makes / writable");
        continue;
      }
      writable.insert(directory);
      if (is_program) programs.insert(directory);
    }
  }
  const auto outermost = [](const std::set<std::string>& paths) {
    std::vector<std::string> kept;
    for (const std::string& path : paths) {
      if (!IsIn(path, kept)) kept.push_back(path);
    }
    return kept;
  };
  places.writable = outermost(writable);
  places.programs = outermost(programs);
  std::sort(places.notes.begin(), places.notes.end());
  places.notes.erase(std::unique(places.notes.begin(), places.notes.end()), places.notes.end());
  return places;
}

void AddTouched(const std::string& upper, look::Drift& drift) {
  namespace fs = std::filesystem;
  std::set<std::string> known;
  for (const Change& change : drift.changes) known.insert(change.path);
  std::error_code fault;
  const auto options = fs::directory_options::skip_permission_denied;
  for (fs::recursive_directory_iterator at(upper, options, fault), end; !fault && at != end;
       at.increment(fault)) {
    if (drift.changes.size() >= look::kMaxChanges) return;
    std::error_code unknown;
    const bool is_directory = at->symlink_status(unknown).type() == fs::file_type::directory;
    if (!is_directory || !fs::is_empty(at->path(), unknown) || unknown) continue;
    const std::string path = "/" + at->path().lexically_relative(upper).string();
    // As if its permissions had changed: it must be writable itself.
    if (known.contains(path)) continue;
    Change change;
    change.path = path;
    change.kind = ChangeKind::kMode;
    change.mode = S_IFDIR;
    drift.changes.push_back(std::move(change));
  }
}

std::vector<Grants> GroupsOf(const Places& places, std::uint64_t mask,
                             const std::optional<std::uint64_t>& used) {
  const auto is_likely = [&](std::size_t number, std::string_view name) {
    if (used) return (*used >> number & 1U) != 0;
    return std::find(kOftenNeeded.begin(), kOftenNeeded.end(), name) != kOftenNeeded.end();
  };
  std::vector<Grants> groups;
  Grants programs;
  for (const std::string& path : places.programs) {
    programs.push_back({GrantKind::kPrograms, path});
  }
  groups.push_back(std::move(programs));
  Grants rare;
  std::vector<Grants> others;
  const auto& names = privilege::AllCapabilities();
  for (std::size_t number = 0; number < names.size(); ++number) {
    if ((mask >> number & 1U) == 0) continue;
    if (!is_likely(number, names[number])) {
      rare.push_back({GrantKind::kCapability, names[number]});
    } else if (std::find(kOftenNeeded.begin(), kOftenNeeded.end(), names[number]) ==
               kOftenNeeded.end()) {
      others.push_back({{GrantKind::kCapability, names[number]}});
    }
  }
  groups.push_back(std::move(rare));
  groups.insert(groups.end(), others.begin(), others.end());
  for (const std::string_view name : kOftenNeeded) {
    const auto number = static_cast<std::size_t>(*privilege::CapabilityNumber(name));
    if ((mask >> number & 1U) != 0 && is_likely(number, name)) {
      groups.push_back({{GrantKind::kCapability, std::string(name)}});
    }
  }
  for (const std::string& path : places.writable) {
    groups.push_back({{GrantKind::kWritable, path}});
  }
  return groups;
}

}  // namespace runclad::learn
