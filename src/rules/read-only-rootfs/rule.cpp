// read-only-rootfs: the image cannot be changed; what must be written goes to tmpfs (CIS 5.13).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace runclad::rules::read_only_rootfs {
Status Gather(const Asked& asked, Facts& facts);  // gather.cpp
}

namespace runclad::rules {
namespace {

constexpr Code kWritableRoot{"writable-root", "the container could change the image's files"};
constexpr Code kTmpfs{"tmpfs", "a directory becomes a tmpfs"};
constexpr Code kTmpfsWithoutPrograms{"tmpfs-without-programs",
                                     "a directory becomes a tmpfs from which no program runs"};
constexpr Code kWritten{"written", "the image writes a directory that is read-only"};
constexpr Code kBuild{"build", "a step of a build writes to its root"};
constexpr Code kSpecialFile{"special-file", "a file of the image cannot be copied to a tmpfs"};
constexpr Code kMemory{"memory", "the memory limit is too low for a tmpfs with the image's files"};
constexpr Code kCodes[] = {kWritableRoot, kTmpfs, kTmpfsWithoutPrograms, kWritten, kBuild,
                           kSpecialFile,  kMemory};

struct Target {
  std::string path;
  std::uint64_t bytes;
  std::uint32_t mode_when_absent;
};

bool IsAtOrBelow(std::string_view path, std::string_view directory) {
  return path.starts_with(directory) &&
         (path.size() == directory.size() || path[directory.size()] == '/');
}

bool IsCovered(std::string_view path, const std::vector<std::string>& destinations) {
  return std::ranges::any_of(destinations, [&](const std::string& mounted) {
    return mounted != "/" && IsAtOrBelow(path, mounted);
  });
}

std::string Octal(std::uint32_t mode) {
  char digits[12];
  const auto [end, fault] = std::to_chars(std::begin(digits), std::end(digits), mode, 8);
  return {std::begin(digits), fault == std::errc() ? end : std::begin(digits)};
}

std::vector<Target> Targets(const policy::Parameters& parameters) {
  const auto tmp_bytes = static_cast<std::uint64_t>(parameters.integer("tmp-bytes"));
  const auto run_bytes = static_cast<std::uint64_t>(parameters.integer("run-bytes"));
  std::vector<Target> targets = {
      {"/tmp", tmp_bytes, 01777}, {"/var/tmp", tmp_bytes, 01777}, {"/run", run_bytes, 0755}};
  for (const std::string& path : parameters.strings("writable")) {
    targets.push_back({path, tmp_bytes, 0755});
  }
  // Outer directories first: a tmpfs that covers an inner one takes its content along.
  std::ranges::stable_sort(targets, {}, [](const Target& target) { return target.path.size(); });
  return targets;
}

oci::Mount Tmpfs(const Target& target, bool is_exec, std::uint64_t size,
                 const DirectoryFacts& image) {
  oci::Mount mount{target.path, "tmpfs", "tmpfs", {"nosuid", "nodev"}};
  if (!is_exec) mount.options.emplace_back("noexec");
  if (image.kind == DirectoryFacts::Kind::kDirectory) {
    // runc copies the content but makes the top directory 0:0.
    mount.options.insert(mount.options.end(),
                         {"tmpcopyup", "mode=" + Octal(image.mode),
                          "uid=" + std::to_string(image.uid), "gid=" + std::to_string(image.gid)});
  } else {
    mount.options.push_back("mode=" + Octal(target.mode_when_absent));
  }
  mount.options.push_back("size=" + std::to_string(size));
  return mount;
}

// The tmpfs is this rule's, and what may run on it mount-options'.
Finding Added(std::string path, json::Value mount, const std::string& directory,
              const std::string& resolved, bool is_exec) {
  std::string why = "keeps " + directory + " writable on a tmpfs";
  if (is_exec) return ProposeInsert(kTmpfs, std::move(path), std::move(mount), std::move(why));
  Remedy remedy = AddTo("exec-paths", {resolved});
  remedy.settings.front().rule = "mount-options";
  return ProposeInsert(kTmpfsWithoutPrograms, std::move(path), std::move(mount),
                       why + ", where no program runs", std::move(remedy));
}

Findings Check(const oci::Spec& spec, const Context& context) {
  // Nothing is made writable that the request had read-only already.
  if (spec.root_is_read_only() || spec.root_path().empty()) return {};
  // A build writes to its root, and a policy that is for builds leaves it writable.
  if (context.facts.identity.engine == engine::Engine::kBuildkit) {
    return {Refuse(kBuild, "/root/readonly", false,
                   "is for a step of an image's build, which writes to its root",
                   AskEngine("say \"builds\": \"build\" in policy.json to judge BuildKit's "
                             "containers by that profile"))};
  }
  // Which directories the image needs writable, only its users know.
  Findings findings = {Propose(kWritableRoot, "/root/readonly", true,
                               "lets programs be changed or added in the container")};

  std::vector<std::string> destinations;
  for (const oci::Mount& mount : spec.mounts()) {
    destinations.push_back(context.facts.Resolve(mount.destination));
  }
  for (const Target& target : Targets(context.parameters)) {
    const std::string resolved = context.facts.Resolve(target.path);
    if (IsCovered(resolved, destinations) || resolved == "/") continue;
    const auto found = context.facts.directories.find(resolved);
    const DirectoryFacts image =
        found == context.facts.directories.end() ? DirectoryFacts{} : found->second;
    if (image.kind == DirectoryFacts::Kind::kOther) continue;

    if (!image.special.empty()) {
      return {Refuse(kSpecialFile, "/root/readonly", false,
                     "needs a tmpfs with the image's content at " + target.path +
                         ", to which the runtime cannot copy the FIFO, socket or device " +
                         image.special,
                     AskEngine("remove it from the image"))};
    }
    std::uint64_t size = std::max(target.bytes, image.content_bytes);
    const std::int64_t memory_limit = spec.memory_limit().value_or(0);
    if (memory_limit > 0) {
      const std::uint64_t half = static_cast<std::uint64_t>(memory_limit) / 2;
      if (image.content_bytes > half) {
        return {Refuse(kMemory, "/linux/resources/memory/limit", memory_limit,
                       "is less than twice what the image has in " + target.path +
                           ", which a tmpfs would have to hold",
                       AskEngine("ask for at least " + std::to_string(2 * image.content_bytes) +
                                 " bytes (docker run --memory)"))};
      }
      size = std::min(size, half);
    }
    const bool is_exec = std::ranges::any_of(
        context.facts.exec_paths,
        [&](const std::string& path) { return path == "/" || IsAtOrBelow(resolved, path); });
    // Before what is mounted inside, which the tmpfs would hide otherwise.
    const auto inside = std::ranges::find_if(
        destinations, [&](const std::string& mounted) { return IsAtOrBelow(mounted, resolved); });
    const auto index = inside - destinations.begin();
    findings.push_back(Added("/mounts/" + std::to_string(index),
                             oci::ToJson(Tmpfs(target, is_exec, size, image)), target.path,
                             resolved, is_exec));
    destinations.insert(inside, resolved);
  }
  // Told now, before a program of the image's finds out.
  for (const WrittenDirectory& written : context.facts.written) {
    const std::string resolved = context.facts.Resolve(written.path);
    if (!IsCovered(resolved, destinations)) {
      findings.push_back(Note(kWritten, "/root/readonly", written.path, written.because,
                              AddTo("writable", {written.path})));
    }
  }
  return findings;
}

constexpr policy::ParameterSchema kParameters[] = {
    {.name = "writable",
     .type = policy::ParameterType::kStrings,
     .merge = policy::Merge::kReplace,
     .vocabulary = policy::Vocabulary::kAbsolutePath,
     .choices = {},
     .description = "directories beside /tmp, /var/tmp and /run that get a tmpfs",
     .order = policy::Order::kMoreIsLooser,
     .docker_default = policy::Anything{}},
    {.name = "tmp-bytes",
     .type = policy::ParameterType::kInteger,
     .merge = policy::Merge::kReplace,
     .vocabulary = policy::Vocabulary::kAny,
     .choices = {},
     .description = "size of the tmpfs on /tmp, /var/tmp and each writable directory",
     .order = policy::Order::kMoreIsLooser,
     .docker_default = policy::Anything{}},
    {.name = "run-bytes",
     .type = policy::ParameterType::kInteger,
     .merge = policy::Merge::kReplace,
     .vocabulary = policy::Vocabulary::kAny,
     .choices = {},
     .description = "size of the tmpfs on /run",
     .order = policy::Order::kMoreIsLooser,
     .docker_default = policy::Anything{}},
};
constexpr std::string_view kBenchmarks[] = {"CIS 5.13"};
constexpr std::string_view kPaths[] = {"/root/readonly", "/mounts"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kReadOnlyRootfs{
    .schema = {.id = "read-only-rootfs", .actions = kActions, .parameters = kParameters},
    .title = "The image is read-only",
    .rationale =
        "A container that cannot change its own programs keeps no implant over a restart and runs "
        "nothing that was not shipped. /tmp, /var/tmp, /run and the image's writable directories "
        "become tmpfs (nosuid, nodev and, but for mount-options.exec-paths, noexec) with the "
        "image's content, owner and mode.",
    .way_out = "list the directories that the image writes in read-only-rootfs.writable",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .gather = read_only_rootfs::Gather,
    .check = Check,
};

}  // namespace runclad::rules
