// mount-options: files that a container can write cannot be executed, nor used as devices.
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "runclad/base/path.hpp"
#include "runclad/oci/overlay.hpp"
#include "runclad/rules/parameters.hpp"

#include "rules/binding.hpp"
#include "rules/mount-options/facts.hpp"
#include "rules/mount-options/parameters.hpp"
#include "rules/writable_content.hpp"

namespace runclad::rules {
namespace {

using mount_options::S6Overlay;

constexpr Code kPrograms{"programs", "files that containers can write could be executed",
                         Symptom::kPermissionDenied};
constexpr Code kFlags{"flags", "the mount lacks nosuid, nodev or another option of such mounts"};
constexpr Code kS6Overlay{"s6-overlay",
                          "the image's s6-overlay could not run its programs in /run"};
constexpr Code kProgram{"program", "the container's program is on a mount that becomes noexec"};
constexpr Code kCodes[] = {kPrograms, kFlags, kS6Overlay, kProgram};

using Known = Reading<KernelFacts, LowerRuntime, Sources, Destinations, Program, ExecDirectories>;

bool Has(const std::vector<std::string>& options, std::string_view option) {
  return std::ranges::find(options, option) != options.end();
}

// How the lower runtime sets the flags of a mount.
//
// What is mounted below a bind needs the recursive flags. In a user namespace crun (at least up to
// 1.29) moves a bind into place and sets no plain flags on it, except all of them with `ro`; it
// does set recursive ones, before 1.14.4 only on directories. runc always sets all of them.
class FlagForms {
 public:
  FlagForms(const oci::Spec& spec, Known known) : known_(known) {
    // mount_setattr(2), which recursive flags need, came with Linux 5.12.
    constexpr std::pair kSince = {5, 12};
    const KernelFacts& kernel = known.Get<KernelFacts>();
    has_recursive_ = std::pair(kernel.major, kernel.minor) >= kSince;
    const std::vector<oci::Namespace> namespaces = spec.namespaces();
    has_user_namespace_ =
        std::ranges::find(namespaces, "user", &oci::Namespace::type) != namespaces.end();
  }

  [[nodiscard]] bool TakesRecursive(const oci::Mount& mount) const {
    if (!has_recursive_ || !mount.is_bind()) return false;
    const SourceFacts* source = SourceOf(mount);
    if (source == nullptr || !source->is_file) {
      return mount.may_be_recursive() || has_user_namespace_;
    }
    return LosesFlags(mount) && source->access != SourceFacts::Access::kEngineOwn;
  }

  // A file of the engine (/etc/hosts) that gets the other flags only with `ro`: podman, too, makes
  // it read-only in read-only containers. A user's volume stays writable.
  [[nodiscard]] bool NeedsReadOnly(const oci::Mount& mount) const {
    const SourceFacts* source = SourceOf(mount);
    return mount.is_bind() && source != nullptr && source->is_file &&
           source->access == SourceFacts::Access::kEngineOwn && LosesFlags(mount);
  }

 private:
  [[nodiscard]] bool LosesFlags(const oci::Mount& mount) const {
    return known_.Get<LowerRuntime>().is_crun && has_user_namespace_ &&
           !IsSet(kReadOnly, mount.options);
  }
  [[nodiscard]] const SourceFacts* SourceOf(const oci::Mount& mount) const {
    const Sources& sources = known_.Get<Sources>();
    const auto found = sources.find(mount.source);
    return found == sources.end() ? nullptr : &found->second;
  }

  Known known_;
  bool has_recursive_ = false;
  bool has_user_namespace_ = false;
};

// Whether the mount shows an image that the engine mounts as a volume.
bool ShowsImage(const oci::Mount& mount, const Sources& sources) {
  const auto is_image = [&](const std::string& source) {
    const auto found = sources.find(source);
    return found != sources.end() && found->second.is_image;
  };
  if (mount.is_bind()) return is_image(mount.source);
  if (mount.type != "overlay") return false;
  const auto layers = oci::OverlayLayers(mount);
  return layers && std::ranges::any_of(*layers, [&](const oci::OverlayLayer& layer) {
           return is_image(layer.path);
         });
}

// The options of a mount while they are completed.
class Options {
 public:
  Options(std::vector<std::string> options, bool recursive)
      : options_(std::move(options)), recursive_(recursive) {}

  // Whether this changed anything.
  bool Require(const Flag& flag) {
    const std::size_t faults = had_.size() + lacked_.size();
    std::erase_if(options_, [&](const std::string& option) {
      const bool contradicts = option == flag.clear || option == flag.recursive_clear;
      if (contradicts) had_ += ' ' + option;
      return contradicts;
    });
    // The plain one too: runc before 1.1 does not know the recursive ones and drops them for binds.
    Add(flag.set);
    if (recursive_) Add(flag.recursive_set);
    return had_.size() + lacked_.size() != faults;
  }
  void Add(std::string_view option) {
    if (Has(options_, option)) return;
    options_.emplace_back(option);
    lacked_ += ' ';
    lacked_ += option;
  }

  [[nodiscard]] const std::vector<std::string>& options() const { return options_; }
  // "lack nosuid", "have exec and lack noexec"; empty when nothing changed.
  [[nodiscard]] std::string Fault() const {
    std::string fault;
    if (!had_.empty()) fault += "have" + had_;
    if (!lacked_.empty()) fault += (fault.empty() ? "lack" : " and lack") + lacked_;
    return fault;
  }

 private:
  std::vector<std::string> options_;
  bool recursive_;
  std::string had_;
  std::string lacked_;
};

// Where devices must work: with nodev on /dev, no container starts.
bool HoldsDevices(const oci::Mount& mount, const std::string& destination, const Sources& sources) {
  if (mount.type == "devpts" || destination == "/dev" || destination == "/dev/pts") return true;
  const auto source = sources.find(mount.source);
  return mount.is_bind() && source != sources.end() && source->second.is_device;
}

struct Improvement {
  Options options;
  bool loses_programs = false;  // noexec is new
};

Improvement Improved(const oci::Mount& mount, const std::string& destination, bool runs_programs,
                     bool shows_image, const FlagForms& forms, const Sources& sources) {
  const bool is_recursive = forms.TakesRecursive(mount);
  Improvement improvement{Options(mount.options, is_recursive)};
  Options& options = improvement.options;
  const bool is_writable = IsWritable(mount);
  if (shows_image && !is_writable) options.Require(kReadOnly);
  if (is_writable || mount.is_bind() || mount.type == "overlay") {
    options.Require(kNoSuid);
    if (!HoldsDevices(mount, destination, sources)) options.Require(kNoDev);
  }
  if (!runs_programs) improvement.loses_programs = options.Require(kNoExec);
  if (forms.NeedsReadOnly(mount)) options.Require(kReadOnly);
  if (!is_writable && is_recursive) options.Add(kReadOnly.recursive_set);
  return improvement;
}

// A socket, or a file that the engine binds (/etc/hosts): no list makes it a program.
bool NeverRuns(const oci::Mount& mount, const Sources& sources) {
  const auto source = sources.find(mount.source);
  if (!mount.is_bind() || source == sources.end()) return false;
  const SourceFacts& bound = source->second;
  return bound.is_socket || (bound.is_file && bound.access == SourceFacts::Access::kEngineOwn);
}

bool IsForPrograms(const oci::Mount& mount, const std::string& destination,
                   const Sources& sources) {
  return !IsAtOrBelow(destination, "/dev") && !NeverRuns(mount, sources);
}

Finding Fault(std::string path, const oci::Mount& mount, const std::string& destination,
              const Improvement& improvement, std::string why, const Sources& sources) {
  const std::vector<std::string>& options = improvement.options.options();
  if (!improvement.loses_programs) {
    return Propose(kFlags, std::move(path), options, std::move(why),
                   NoRemedy("every mount of this kind must have these options"));
  }
  if (!IsForPrograms(mount, destination, sources)) {
    return Propose(kFlags, std::move(path), options, std::move(why),
                   NoRemedy("programs never run from devices, sockets or the engine's own files"));
  }
  return Propose(
      kPrograms, std::move(path), options, std::move(why),
      AddTo(mount_options::kParameters[&mount_options::Parameters::exec_paths], {destination}));
}

// The mount that the container's program is on, by its index; none: it is on the image's.
std::optional<std::size_t> MountOfProgram(const std::vector<oci::Mount>& mounts, Known known) {
  const Program& program = known.Get<Program>();
  std::optional<std::size_t> uppermost;
  if (!program || program->on_mount.empty()) return uppermost;
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const std::string& destination = known.Get<Destinations>().Resolve(mounts[i].destination);
    if (IsAtOrBelow(program->on_mount, destination)) uppermost = i;
  }
  return uppermost;
}

Findings Check(const oci::Spec& spec, const Context& context, Known known,
               const S6Overlay& s6_overlay) {
  const Sources& sources = known.Get<Sources>();
  const std::vector<std::string>& exec_paths = known.Get<ExecDirectories>().paths;
  const bool noexec = mount_options::kParameters.Read(context.parameters).noexec;
  Findings findings;
  bool run_is_noexec = false;
  const FlagForms forms(spec, known);
  const std::vector<oci::Mount>& mounts = spec.mounts();
  std::optional<WritableContent> writable;  // made when some mount may need it
  const std::optional<std::size_t> mount_of_program = MountOfProgram(mounts, known);
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const std::string& destination = known.Get<Destinations>().Resolve(mounts[i].destination);
    const bool is_listed = !NeverRuns(mounts[i], sources) &&
                           std::ranges::any_of(exec_paths, [&](const std::string& path) {
                             return path == "/" || IsAtOrBelow(destination, path);
                           });
    const bool shows_image = ShowsImage(mounts[i], sources);
    const bool may_run = is_listed || (!noexec && !shows_image);
    std::string written;
    if (shows_image && !may_run) {
      written = "shows another image's files";
    } else if (!may_run && !IsWritable(mounts[i])) {
      if (!writable) writable.emplace(spec, sources);
      written = writable->WhyWritten(mounts[i]);
    }
    const bool runs_programs = may_run || (!IsWritable(mounts[i]) && written.empty());
    const Improvement improvement =
        Improved(mounts[i], destination, runs_programs, shows_image, forms, sources);
    if (destination == "/" || IsAtOrBelow("/run", destination)) {
      run_is_noexec = IsSet(kNoExec, improvement.options.options());
    }
    // The runtime would fail to start it, with no more than EACCES.
    if (improvement.loses_programs && mount_of_program == i) {
      findings.push_back(
          Refuse(kProgram, "/process/args/0", spec.arguments().front(),
                 "runs " + known.Get<Program>()->on_mount + ", and programs cannot run from " +
                     mounts[i].destination + ", which can be written",
                 AddTo(mount_options::kParameters[&mount_options::Parameters::exec_paths],
                       {destination})));
    }
    const std::string fault = improvement.options.Fault();
    if (fault.empty()) continue;
    std::string because = "of " + mounts[i].destination + " " + fault;
    if (!written.empty()) because += "; the mount " + written;
    if (forms.NeedsReadOnly(mounts[i])) {
      because +=
          "; in a user namespace, crun sets the other options of a file only together with ro";
    }
    findings.push_back(Fault("/mounts/" + std::to_string(i) + "/options", mounts[i], destination,
                             improvement, std::move(because), sources));
  }
  if (s6_overlay.is_init && run_is_noexec) {
    findings.push_back(Refuse(
        kS6Overlay, "/process/args/0", spec.arguments().front(),
        "is s6-overlay's, which writes programs to /run and runs them, but "
        "files in /run cannot be executed",
        s6_overlay.run_is_noexec
            ? AskEngine("mount /run without noexec")
            : AddTo(mount_options::kParameters[&mount_options::Parameters::exec_paths], {"/run"})));
  }
  return findings;
}

constexpr std::string_view kPaths[] = {"/mounts/*/options", "/process/args/0"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kMountOptions{
    .schema = {.id = "mount-options",
               .actions = kActions,
               .parameters = mount_options::kParameters.schemas()},
    .title = "Files that can be written cannot be executed",
    .rationale =
        "An intruder stores tools in /tmp, /dev or a volume. With nosuid, nodev and noexec they "
        "cannot be executed; together with a read-only root filesystem, only the image's own "
        "programs run. The same applies to a read-only mount that shows a volume, or something "
        "that the same container also mounts writable; programs in other read-only host "
        "directories can be executed. A recursive bind includes the mounts below it, which need "
        "the recursive options. An image that is mounted as a volume is never executable, even if "
        "noexec is off. Interpreters in the image still run scripts, and memfd_create(2) creates "
        "programs without a file.",
    .way_out =
        "add the directory to mount-options.exec-paths for an image that runs programs from it",
    .codes = kCodes,
    .benchmarks = {},
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

extern constinit const ParameterPlace kExecPaths{
    kMountOptions, mount_options::kParameters[&mount_options::Parameters::exec_paths]};
extern constinit const ParameterPlace kNoexec{
    kMountOptions, mount_options::kParameters[&mount_options::Parameters::noexec]};

policy::StringList ExecPaths(const policy::RuleSetting& setting) {
  return mount_options::kParameters.ReadForOthers(setting).exec_paths;
}

}  // namespace runclad::rules
