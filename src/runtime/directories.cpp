// Long: every directory that a call names is judged here, by the same few functions.
#include "directories.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/enforce/host_policy.hpp"
#include "runclad/host/call_directories.hpp"
#include "runclad/sys/lower_runtime.hpp"
#include "runclad/sys/mounts.hpp"

#include "machine.hpp"
#include "report.hpp"

namespace runclad::runtime {
namespace {

constexpr std::string_view kFilePrefix = "file:";

std::string DirectoryOf(std::string path) {
  if (!path.starts_with('/')) {
    char* current = ::get_current_dir_name();
    if (current == nullptr) return {};
    path = std::string(current) + '/' + path;
    std::free(current);  // NOLINT(cppcoreguidelines-no-malloc): of get_current_dir_name
  }
  return path.substr(0, std::max<std::size_t>(path.rfind('/'), 1));
}

Error RootError(const std::string& root, const std::string& because) {
  return Error{"refused: the runtime's state directory " + root + " (--root) " + because +
               ", and whoever writes there gets root on the host; use a directory below /run, or "
               "add this one to host-mounts.deny in the policy so that no container can mount it"};
}

Error FileError(const char* flag, const std::string& directory, const std::string& because) {
  return Error{std::string("refused: the directory ") + directory + " of " + flag + ' ' + because +
               ", and the runtime writes there as root; use a directory that only root can "
               "change and that the policy lets no container mount"};
}

Error BundleError(const std::string& bundle, const std::string& because) {
  return Error{"refused: the bundle " + bundle + ' ' + because +
               ", and the runtime reads config.json there again; use a directory that only root "
               "can change and that the policy lets no container mount"};
}

Error PolicyError(const std::string& directory, const std::string& because) {
  return Error{"refused: the policy directory " + directory + " (--runclad-config) " + because +
               ", and whoever writes there decides what containers may do; use a directory below "
               "/etc/runclad"};
}

Error ProgramError(const char* flag, const std::string& path, const std::string& because) {
  return Error{"refused: the program " + path + " (" + flag + ") " + because +
               ", and it would run as root on the host; name a program that only root can change, "
               "in a directory that no container can mount"};
}

bool IsInOwnDirectory(std::string_view directory) {
  constexpr std::string_view kPlace = policy::kDefaultConfigDirectory;
  return sys::Below(directory, kPlace) && directory.find("/.") == std::string_view::npos;
}

bool IsInRuntimeDirectory(std::string_view path) {
  const std::string_view directory = path.substr(0, path.rfind('/') + 1);
  return std::ranges::find(sys::kRuntimeDirectories, directory) != sys::kRuntimeDirectories.end() ||
         directory == std::string(sys::kClosedDirectory) + '/';
}

// By their names, unless root has mounted or linked something there: no engine keeps anything
// there.
bool IsUsualPolicy(Machine& machine, const std::string& directory) {
  return IsInOwnDirectory(directory) && (machine.IsPlainlyOnSystem(directory) ||
                                         IsInOwnDirectory(machine.PlaceOnSystem(directory)));
}

bool IsUsualProgram(Machine& machine, const std::string& path) {
  return IsInRuntimeDirectory(path) &&
         (machine.IsPlainlyOnSystem(path) || IsInRuntimeDirectory(machine.PlaceOnSystem(path)));
}

// Where no policy lets a container write, unless it gives the host away.
bool IsOfSystem(Machine& machine, const std::string& path) {
  constexpr char kPlaces[][8] = {"/etc", "/run", "/usr"};
  const auto is_below = [&kPlaces](const std::string& of) {
    return std::ranges::any_of(
        kPlaces, [&](const char* place) { return sys::Below(of, place).has_value(); });
  };
  return is_below(path) && is_below(machine.PlaceOnSystem(path));
}

// Independently of the policy that the call names: by what the host's own lets containers mount.
// Where it lets them mount anything, they have the host without such a flag.
std::string SuppliedBecause(Machine& machine, const std::string& path) {
  const auto policy = machine.LoadLoosestPolicy(std::nullopt);
  if (!policy) {
    // A container may have been given the place before the policy broke.
    if (IsOfSystem(machine, path)) return machine.SuppliedBecause(path, nullptr);
    return "cannot be judged without the host's policy: " + policy.error().message;
  }
  const auto lists = enforce::WritableLists(*policy);
  return machine.SuppliedBecause(path, lists ? &*lists : nullptr);
}

// In the host's own log, since the policy that the call names is not to be believed. It is refused
// in every mode, and so the line says enforce.
Error Logged(const Call& call, Error refusal) {
  if (auto policy = call.machine.LoadPolicy(std::nullopt, {})) {
    policy->mode = policy::Mode::kEnforce;
    policy->break_glass.clear();
    static_cast<void>(LogRefusal(call, *policy, {}, refusal));
  } else {
    LogWithoutPolicy(call, {}, {}, refusal);
  }
  return refusal;
}

Status CheckProgram(Machine& machine, const char* flag, const std::string& path) {
  if (IsUsualProgram(machine, path)) return {};
  const std::string because = SuppliedBecause(machine, path);
  return because.empty() ? Status() : ProgramError(flag, path, because);
}

Status CheckPolicy(Machine& machine, const std::string& directory) {
  if (!machine.IsRoot() || IsUsualPolicy(machine, directory)) return {};
  const std::string because = SuppliedBecause(machine, directory);
  return because.empty() ? Status() : PolicyError(directory, because);
}

// Where the engine is known by its own files, which the policy denies to containers.
bool IsUsualBundle(const std::string& bundle, const engine::Layout& layout) {
  if (layout.engine == engine::Engine::kUnknown) return false;
  // buildah has its bundles where other programs have temporary files.
  const bool is_buildah = layout.data_root == bundle;
  constexpr char kPlaces[][20] = {"/run", "/var/lib/docker", "/var/lib/containers",
                                  "/var/lib/containerd", "/var/lib/buildkit"};
  return is_buildah || std::ranges::any_of(kPlaces, [&](const char* place) {
           return sys::Below(bundle, place).has_value();
         });
}

enum class Part { kLog, kPidFile, kRoot, kBundle, kPolicy, kProgram };

struct Directory {
  Part part;
  std::string path;
};

// Where engines have such files, or no file.
bool IsUsualFile(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return path.empty() ||
         (slash != std::string_view::npos && host::IsUsualForFiles(path.substr(0, slash)));
}

// The directories of the files that the runtime writes for the call, but for those where engines
// have such files.
std::vector<Directory> FilesOf(const oci::CommandLine& line) {
  std::vector<Directory> directories;
  const auto add = [&](Part part, std::optional<std::string_view> path) {
    if (!path || IsUsualFile(*path)) return;
    directories.push_back({part, DirectoryOf(std::string(*path))});
  };
  const auto log = line.global("log");
  add(Part::kLog, log);
  // crun's spelling; to runc it is a path.
  if (log && log->starts_with(kFilePrefix)) add(Part::kLog, log->substr(kFilePrefix.size()));
  add(Part::kPidFile, line.option("pid-file"));
  return directories;
}

// Those that are not known to be root's alone by where they are.
std::vector<Directory> DirectoriesOf(const Call& call, const std::string& bundle,
                                     const engine::Layout& layout) {
  std::vector<Directory> directories;
  for (Directory& directory : FilesOf(call.line)) {
    // Whoever could change a directory above the bundle could change that.
    if (!sys::Below(bundle, directory.path)) directories.push_back(std::move(directory));
  }
  if (std::string root = call.root(); !host::IsUsualRuntimeRoot(root)) {
    directories.push_back({Part::kRoot, std::move(root)});
  }
  const auto add_own = [&](Part part, std::string directory) {
    if (!IsOfSystem(call.machine, directory)) directories.push_back({part, std::move(directory)});
  };
  if (call.line.config_directory) add_own(Part::kPolicy, *call.line.config_directory);
  if (call.line.runtime_path) add_own(Part::kProgram, DirectoryOf(call.lower_runtime));
  if (!IsUsualBundle(bundle, layout)) directories.push_back({Part::kBundle, bundle});
  return directories;
}

host::Holds HoldsOf(Part part) {
  switch (part) {
    case Part::kLog:
    case Part::kPidFile:
      return host::Holds::kFiles;
    case Part::kRoot:
    case Part::kPolicy:
      return host::Holds::kTree;
    case Part::kBundle:
    case Part::kProgram:
      break;
  }
  return host::Holds::kEntries;
}

Error ErrorOf(const Directory& directory, const std::string& because) {
  switch (directory.part) {
    case Part::kLog:
      return FileError("--log", directory.path, because);
    case Part::kPidFile:
      return FileError("--pid-file", directory.path, because);
    case Part::kBundle:
      return BundleError(directory.path, because);
    case Part::kPolicy:
      return PolicyError(directory.path, because);
    case Part::kProgram:
      return ProgramError("--runclad-runtime", directory.path + "/…", because);
    case Part::kRoot:
      break;
  }
  return RootError(directory.path, because);
}

// By the permissions, and by what containers may mount under this policy.
Status CheckUnder(const Call& call, const policy::Effective& policy, const engine::Layout& layout,
                  const std::vector<Directory>& directories) {
  std::vector<Machine::Named> paths;
  for (const Directory& directory : directories) {
    paths.push_back({directory.path, HoldsOf(directory.part)});
  }
  const auto lists = enforce::WritableLists(policy);
  const auto found = call.machine.FindChangeable(paths, lists ? &*lists : nullptr, layout);
  return found ? Status(ErrorOf(directories.at(found->index), found->because)) : Status();
}

// Under the policy in `directory`, by what any container gets there.
Status Check(const Call& call, const std::optional<std::string>& directory,
             const engine::Layout& layout, const std::vector<Directory>& directories) {
  const auto policy = call.machine.LoadLoosestPolicy(directory);
  if (!policy) return policy.error();
  return CheckUnder(call, *policy, layout, directories);
}

// The flags of pass-through verbs are not read: the id is one of the last two arguments (kill ID
// SIGNAL).
struct Ids {
  std::array<std::string_view, 2> list;
  std::size_t count = 0;

  [[nodiscard]] std::span<const std::string_view> all() const {
    return std::span(list).first(count);
  }
};

Ids IdsOf(const oci::CommandLine& line) {
  if (line.kind != oci::VerbKind::kPassThrough) return {.list = {line.id()}, .count = 1};
  Ids ids;
  for (std::size_t back = ids.list.size(); back > 0; --back) {
    if (back >= line.verbatim.size()) continue;
    const std::string& argument = line.verbatim[line.verbatim.size() - back];
    if (oci::IsValidId(argument)) ids.list.at(ids.count++) = argument;
  }
  return ids;
}

// The bundle of the container, or of a session of an exec below it, is the engine's.
bool IsOfBundle(const std::string& directory, const std::string& bundle) {
  if (bundle.empty()) return false;
  const std::string above = directory.substr(0, directory.rfind('/'));
  const bool is_session = above == bundle && host::IsSession(directory.substr(above.size() + 1));
  return is_session || sys::Below(bundle, directory).has_value();
}

// As far as the state says so, which the call may name as well.
bool IsOfContainer(const Call& call, const std::string& directory) {
  const Ids ids = IdsOf(call.line);
  const std::string root = call.root();
  if (!host::IsUsualRuntimeRoot(root) &&
      !Check(call, call.line.config_directory, {}, {{Part::kRoot, root}})) {
    return false;
  }
  return std::ranges::any_of(ids.all(), [&](std::string_view id) {
    const auto state = call.machine.StateOf(root, id);
    return state && IsOfBundle(directory, state->bundle);
  });
}

// CRI-O makes a directory for the pid file of each exec, which is root's alone: what containers may
// mount does not count there.
bool IsTemporary(const Directory& directory) {
  if (directory.part != Part::kPidFile) return false;
  const std::string above = directory.path.substr(0, directory.path.rfind('/'));
  return above == "/tmp" || above == "/var/tmp";
}

}  // namespace

bool ActsOnState(const oci::CommandLine& line) {
  if (line.kind != oci::VerbKind::kPassThrough) return true;
  const std::string& verb = line.verb;
  return verb == "checkpoint" || verb == "kill" || verb == "pause" || verb == "resume";
}

Status CheckPrograms(const Call& call) {
  if (!call.machine.IsRoot()) return {};
  if (call.line.runtime_path) {
    auto checked = CheckProgram(call.machine, "--runclad-runtime", call.lower_runtime);
    if (!checked) return Logged(call, checked.error());
  }
  // A name alone is looked for in the engine's PATH.
  const std::string criu(call.line.global("criu").value_or(""));
  if (criu.find('/') == std::string::npos) return {};
  const auto checked = CheckProgram(call.machine, "--criu", criu);
  return checked ? checked : Status(Logged(call, checked.error()));
}

Result<policy::Effective> LoadNamedPolicy(const Call& call,
                                          const std::optional<std::string>& directory,
                                          const engine::Identity& identity,
                                          const std::string& bundle) {
  if (directory) {
    if (auto checked = CheckPolicy(call.machine, *directory); !checked) {
      return Logged(call, checked.error());
    }
  }
  auto policy = call.machine.LoadPolicy(directory, identity);
  if (!policy) LogWithoutPolicy(call, bundle, identity, policy.error());
  return policy;
}

Status CheckDirectories(const Call& call, const std::string& bundle,
                        const policy::Effective& policy, const engine::Layout& layout) {
  if (!call.machine.IsRoot()) return {};
  const std::vector<Directory> directories = DirectoriesOf(call, bundle, layout);
  if (directories.empty()) {
    LogIsJudged();
    return {};
  }
  // The same files, although another policy may be in force by now.
  const auto checked = Check(
      call, policy.directory.empty() ? call.line.config_directory : std::optional(policy.directory),
      layout, directories);
  if (checked) {
    LogIsJudged();
    return {};
  }
  if (auto logged = LogRefusal(call, policy, bundle, checked.error()); !logged) return logged;
  return policy.is_enforced() ? checked : Status();
}

bool NamesUnusualFile(const oci::CommandLine& line) { return !FilesOf(line).empty(); }

Status CheckFiles(const Call& call) {
  if (!call.machine.IsRoot()) return {};
  std::vector<Directory> directories = FilesOf(call.line);
  std::erase_if(directories, [&](const Directory& directory) {
    const bool is_private =
        IsTemporary(directory) &&
        !call.machine.FindChangeable(std::array{Machine::Named{directory.path}}, nullptr, {});
    return is_private || IsOfContainer(call, directory.path);
  });
  if (directories.empty()) {
    LogIsJudged();
    return {};
  }
  const auto policy = LoadNamedPolicy(call, call.line.config_directory, {});
  if (!policy) return policy.error();
  const auto checked = Check(call, call.line.config_directory, {}, directories);
  if (checked) {
    LogIsJudged();
    return {};
  }
  if (auto logged = LogRefusal(call, *policy, {}, checked.error()); !logged) return logged;
  return policy->is_enforced() ? checked : Status();
}

bool MayWriteLog(std::string_view path) {
  const std::string directory = DirectoryOf(std::string(path));
  if (host::IsUsualForFiles(directory)) return true;
  const std::unique_ptr<Machine> machine = ThisMachine();
  if (!machine->IsRoot()) return true;
  const auto policy = machine->LoadLoosestPolicy(std::nullopt);
  // A container may have been given the place before the policy broke.
  if (!policy && !IsOfSystem(*machine, directory)) return false;
  const host::PathLists nothing = {.allow_only = true};
  const auto lists = policy ? enforce::WritableLists(*policy) : std::optional(nothing);
  return !machine->FindChangeable(std::array{Machine::Named{directory, host::Holds::kFiles}},
                                  lists ? &*lists : nullptr, {});
}

Status CheckRuntimeRoot(const Call& call) {
  const auto named = call.line.global("root");
  if (!named || named->empty() || !ActsOnState(call.line) || !call.machine.IsRoot()) return {};
  if (host::IsUsualRuntimeRoot(*named)) return {};
  const std::string root(*named);
  const Ids ids = IdsOf(call.line);
  if (call.machine.IsRecorded(root, ids.all())) return {};
  const auto policy = LoadNamedPolicy(call, call.line.config_directory, {});
  if (!policy) return policy.error();
  if (!policy->is_enforced()) return {};
  return Check(call, call.line.config_directory, {}, {{Part::kRoot, root}});
}

}  // namespace runclad::runtime
