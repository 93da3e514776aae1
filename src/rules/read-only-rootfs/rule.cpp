// read-only-rootfs: the image is read-only; directories that must be writable are tmpfs (CIS 5.13).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "runclad/base/path.hpp"
#include "runclad/rules/catalog.hpp"
#include "runclad/rules/meaning.hpp"
#include "runclad/rules/parameters.hpp"

#include "rules/binding.hpp"
#include "rules/mount-options/parameters.hpp"
#include "rules/read-only-rootfs/facts.hpp"
#include "rules/read-only-rootfs/parameters.hpp"

namespace runclad::rules {
namespace {

using read_only_rootfs::ImageWrites;
using read_only_rootfs::WrittenDirectory;

using Known = Reading<engine::Identity, Destinations, ImageDirectories, Program, ExecDirectories>;

constexpr Code kWritableRoot{"writable-root", "the container could change the image's files",
                             Symptom::kReadOnly};
constexpr Code kTmpfs{"tmpfs", "a directory becomes a tmpfs"};
constexpr Code kTmpfsWithoutPrograms{"tmpfs-without-programs",
                                     "a directory becomes a tmpfs from which programs cannot run",
                                     Symptom::kPermissionDenied};
constexpr Code kWritten{"written", "the image writes to a directory that becomes read-only"};
constexpr Code kBuild{"build", "a build step writes to its root filesystem"};
constexpr Code kSpecialFile{"special-file",
                            "a special file in the image cannot be copied to a tmpfs"};
constexpr Code kMemory{"memory",
                       "the memory limit is too low for a tmpfs that holds the image's files"};
constexpr Code kFile{"file", "the policy lists a file of the image as a writable directory"};
constexpr Code kUnmakeable{
    "unmakeable", "the image lacks a listed directory, and the container's root may not create it"};
constexpr Code kProgram{"program",
                        "the program would be on a tmpfs from which programs cannot run"};
constexpr Code kCodes[] = {
    kWritableRoot, kTmpfs, kTmpfsWithoutPrograms, kWritten, kBuild, kSpecialFile,
    kMemory,       kFile,  kUnmakeable,           kProgram};

constexpr std::uint32_t kForEveryone = 01777;

struct Target {
  std::string path;
  std::uint64_t bytes;  // beyond what the image has there
  std::uint32_t mode_when_absent;
  bool is_listed = false;  // by the policy
};

bool IsCovered(std::string_view path, policy::StringList destinations) {
  return std::ranges::any_of(destinations, [&](const std::string& mounted) {
    return mounted != "/" && IsAtOrBelow(path, mounted);
  });
}

std::string Octal(std::uint32_t mode) {
  char digits[12];
  const auto [end, fault] = std::to_chars(std::begin(digits), std::end(digits), mode, 8);
  return {std::begin(digits), fault == std::errc() ? end : std::begin(digits)};
}

std::vector<Target> Targets(const read_only_rootfs::Parameters& parameters) {
  const auto tmp_bytes = static_cast<std::uint64_t>(parameters.tmp_bytes);
  const auto run_bytes = static_cast<std::uint64_t>(parameters.run_bytes);
  std::vector<Target> targets = {{"/tmp", tmp_bytes, kForEveryone},
                                 {"/var/tmp", tmp_bytes, kForEveryone},
                                 {"/run", run_bytes, 0755}};
  for (const std::string& path : parameters.writable) {
    targets.push_back({path, tmp_bytes, 0755, true});
  }
  // Outer directories first: a tmpfs that covers an inner one takes its content along.
  std::ranges::stable_sort(targets, {}, [](const Target& target) { return target.path.size(); });
  return targets;
}

// Whether a runtime made it as a mount point when the container started for the first time: it was
// absent from the image, and is there at the second start. An image that has such a directory
// itself has an empty /tmp that only root can write to, which is of no use.
bool IsMadeByRuntime(const DirectoryFacts& directory) {
  constexpr std::uint32_t kMode = 0755;
  return directory.kind == DirectoryFacts::Kind::kDirectory && directory.mode == kMode &&
         directory.uid == 0 && directory.gid == 0 && directory.content_bytes == 0;
}

oci::Mount Tmpfs(const Target& target, bool is_exec, std::uint64_t size,
                 const DirectoryFacts& image, const oci::User& user) {
  oci::Mount mount{target.path, "tmpfs", "tmpfs", {"nosuid", "nodev"}};
  if (!is_exec) mount.options.emplace_back("noexec");
  const bool is_remade = target.mode_when_absent == kForEveryone && IsMadeByRuntime(image);
  if (image.kind == DirectoryFacts::Kind::kDirectory && !is_remade) {
    // runc copies the content but makes the top directory 0:0.
    mount.options.insert(mount.options.end(),
                         {"tmpcopyup", "mode=" + Octal(image.mode),
                          "uid=" + std::to_string(image.uid), "gid=" + std::to_string(image.gid)});
  } else {
    mount.options.push_back("mode=" + Octal(target.mode_when_absent));
    // runc 1.1 gives the tmpfs the mode of the mount point, whatever the option says.
    if (is_remade && user.uid != 0) {
      mount.options.insert(mount.options.end(),
                           {"uid=" + std::to_string(user.uid), "gid=" + std::to_string(user.gid)});
    }
  }
  mount.options.push_back("size=" + std::to_string(size));
  return mount;
}

std::string InsteadOfFile(const std::string& path) {
  const std::string directory = path.substr(0, path.rfind('/'));
  return directory.empty() ? "mount a volume at " + path
                           : "list its directory, " + directory + ", or mount a volume at " + path;
}

// Which programs may run on the tmpfs is for mount-options to say.
Remedy AllowPrograms(const std::string& resolved) {
  Remedy remedy =
      AddTo(mount_options::kParameters[&mount_options::Parameters::exec_paths], {resolved});
  remedy.settings.front().rule = kMountOptions.id();
  return remedy;
}

// `little`: what there is to say of its size; empty: nothing.
Finding Added(std::string path, json::Value mount, const std::string& directory,
              const std::string& resolved, bool is_exec, const std::string& little) {
  std::string why = "keeps " + directory + " writable on a tmpfs" + little;
  if (is_exec) return ProposeInsert(kTmpfs, std::move(path), std::move(mount), std::move(why));
  return ProposeInsert(kTmpfsWithoutPrograms, std::move(path), std::move(mount),
                       why + ", from which programs cannot run", AllowPrograms(resolved));
}

// The container's program or the interpreter that it names, if the tmpfs takes it along: the
// runtime would fail to start it, with no more than EACCES. Empty: neither.
std::string ProgramBelow(const std::string& resolved, const Program& program) {
  if (!program) return {};
  if (IsAtOrBelow(program->resolved, resolved)) return program->resolved;
  const auto& interpreters = program->interpreters;
  const auto found = std::ranges::find_if(interpreters, [&](const std::string& interpreter) {
    return IsAtOrBelow(interpreter, resolved);
  });
  return found == interpreters.end() ? std::string() : *found;
}

// Only its users know which directories the image needs writable.
Remedy TryWritable(const std::vector<std::string>& destinations, const Context& context,
                   const ImageWrites& writes) {
  std::vector<std::string> left = writes.state_directories;
  const policy::StringList listed = read_only_rootfs::kParameters.Read(context.parameters).writable;
  std::erase_if(left, [&](const std::string& directory) {
    return IsCovered(directory, destinations) || IsCovered(directory, listed);
  });
  return left.empty()
             ? Remedy()
             : TryIn(read_only_rootfs::kParameters[&read_only_rootfs::Parameters::writable],
                     std::move(left));
}

Findings Check(const oci::Spec& spec, const Context& context, Known known,
               const ImageWrites& writes) {
  // What the request already has read-only stays so.
  if (spec.root_is_read_only() || spec.root_path().empty()) return {};
  // A build writes to its root, and a policy that is for builds leaves it writable.
  if (known.Get<engine::Identity>().engine == engine::Engine::kBuildkit) {
    return {Refuse(kBuild, "/root/readonly", false,
                   "belongs to a build step, which writes to its root filesystem",
                   AskEngine("set \"builds\": \"build\" in policy.json, so that build "
                             "steps are judged by that profile"))};
  }
  const Destinations& places = known.Get<Destinations>();
  const auto& directories = known.Get<ImageDirectories>().by_path;
  std::vector<std::string> destinations;
  for (const oci::Mount& mount : spec.mounts()) {
    destinations.push_back(places.Resolve(mount.destination));
  }
  Findings findings = {Propose(kWritableRoot, "/root/readonly", true,
                               "lets the container change its programs or add new ones",
                               TryWritable(destinations, context, writes))};
  for (const Target& target : Targets(read_only_rootfs::kParameters.Read(context.parameters))) {
    const std::string& resolved = places.Resolve(target.path);
    if (IsCovered(resolved, destinations) || resolved == "/") continue;
    const auto found = directories.find(resolved);
    const DirectoryFacts image = found == directories.end() ? DirectoryFacts{} : found->second;
    if (image.kind == DirectoryFacts::Kind::kOther) {
      if (!target.is_listed) continue;
      findings.push_back(
          image.special.empty()
              ? Refuse(kFile, "/root/readonly", target.path,
                       "is a file of this image, and read-only-rootfs.writable is for directories",
                       AskEngine(InsteadOfFile(target.path)))
              : Refuse(kUnmakeable, "/root/readonly", target.path,
                       "is not in this image, and " + image.special,
                       AskEngine("create it in the image")));
      continue;
    }
    if (!image.special.empty()) {
      findings.push_back(Refuse(kSpecialFile, "/root/readonly", false,
                                "requires a tmpfs with the image's content at " + target.path +
                                    ", but the runtime cannot copy the FIFO, socket or device " +
                                    image.special,
                                AskEngine("remove it from the image")));
    }
    std::uint64_t size = target.bytes + image.content_bytes;
    std::string little;
    const std::int64_t memory_limit = spec.memory_limit().value_or(0);
    if (memory_limit > 0) {
      const std::uint64_t half = static_cast<std::uint64_t>(memory_limit) / 2;
      if (image.content_bytes > half) {
        findings.push_back(
            Refuse(kMemory, "/linux/resources/memory/limit", memory_limit,
                   "is less than twice the size of the image's files in " + target.path +
                       ", which a tmpfs must hold",
                   AskEngine("request at least " + std::to_string(2 * image.content_bytes) +
                             " bytes (docker run --memory)")));
      } else if (size > half) {
        size = half;
        little = " with " + std::to_string(half - image.content_bytes) +
                 " bytes free, since it gets at most half the memory limit";
      }
    }
    const bool is_exec = std::ranges::any_of(
        known.Get<ExecDirectories>().paths,
        [&](const std::string& path) { return path == "/" || IsAtOrBelow(resolved, path); });
    if (!is_exec) {
      if (std::string program = ProgramBelow(resolved, known.Get<Program>()); !program.empty()) {
        findings.push_back(Refuse(kProgram, "/process/args/0", spec.arguments().front(),
                                  "runs " + program + ", and programs cannot run from " +
                                      target.path + ", which becomes a tmpfs",
                                  AllowPrograms(resolved)));
      }
    }
    // Before what is mounted inside it, which the tmpfs would hide otherwise.
    const auto inside = std::ranges::find_if(
        destinations, [&](const std::string& mounted) { return IsAtOrBelow(mounted, resolved); });
    const auto index = inside - destinations.begin();
    findings.push_back(Added("/mounts/" + std::to_string(index),
                             oci::ToJson(Tmpfs(target, is_exec, size, image, spec.user())),
                             target.path, resolved, is_exec, little));
    destinations.insert(inside, resolved);
  }
  // Reported now, before a program in the image fails.
  for (const WrittenDirectory& written : writes.written) {
    if (!IsCovered(written.resolved, destinations)) {
      findings.push_back(
          Note(kWritten, "/root/readonly", written.path, written.because,
               AddTo(read_only_rootfs::kParameters[&read_only_rootfs::Parameters::writable],
                     {written.path})));
    }
  }
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.13"};
constexpr std::string_view kPaths[] = {"/root/readonly", "/mounts", "/process/args/0"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

constexpr const Code* Listed(const Code& code) {
  return std::ranges::find_if(
      kCodes, [&](const Code& listed) { return std::string_view(listed.id) == code.id; });
}

}  // namespace

extern constinit const Code* const kImageWrites = Listed(kWritten);

extern constinit const Rule kReadOnlyRootfs{
    .schema = {.id = "read-only-rootfs",
               .actions = kActions,
               .parameters = read_only_rootfs::kParameters.schemas()},
    .title = "The image is read-only",
    .rationale =
        "If a container cannot change its programs, no implant survives a restart, and only the "
        "image's own programs run. /tmp, /var/tmp, /run and the directories in `writable` become "
        "tmpfs (nosuid, nodev and, unless mount-options.exec-paths lists them, noexec) with the "
        "image's content, owner and mode.",
    .way_out = "add the directories that the image writes to to read-only-rootfs.writable",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

extern constinit const ParameterPlace kWritablePaths{
    kReadOnlyRootfs, read_only_rootfs::kParameters[&read_only_rootfs::Parameters::writable]};

policy::StringList WritablePaths(const policy::RuleSetting& setting) {
  return read_only_rootfs::kParameters.ReadForOthers(setting).writable;
}

}  // namespace runclad::rules
