// host-mounts: refuses mounts that give power over the host (CIS 5.6, 5.32). In one file, since a
// rule owns its codes, remedies and texts, and this one has the most.
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "runclad/json/pointer.hpp"
#include "runclad/oci/overlay.hpp"
#include "runclad/oci/secret_options.hpp"
#include "runclad/oci/user_namespace.hpp"
#include "runclad/policy/table.hpp"
#include "runclad/rules/engine_sys.hpp"
#include "runclad/rules/parameters.hpp"

#include "rules/bind_options.hpp"
#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

struct Parameters {
  policy::StringList deny;
  policy::StringList credentials;
  policy::StringList allow;
  policy::StringList allow_read_only;
  policy::StringList data_directories;
  bool allow_only = false;
  std::string_view below;
  std::string_view id_maps;
  policy::StringList exactly;
};

constexpr std::string_view kBelow[] = {"refuse", "read-only"};
constexpr std::string_view kIdMaps[] = {"own", "any"};
constexpr policy::ParameterSchema PathList(std::string_view name, policy::Merge merge,
                                           std::string_view description) {
  return {.name = name,
          .merge = merge,
          .vocabulary = policy::Vocabulary::kAbsolutePath,
          .description = description,
          .counts_while_off = true};
}
constexpr policy::ParameterSchema GrantList(std::string_view name, std::string_view description) {
  policy::ParameterSchema list = PathList(name, policy::Merge::kReplace, description);
  list.futile = {
      "/",
      "does not allow the host's root: list the directories, set allow-only to false to allow "
      "everything that is not denied, or name / in a waiver's exactly"};
  return list;
}
constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::deny, PathList("deny", policy::Merge::kAccumulate,
                                 "host paths that must not be mounted; nor may anything above or "
                                 "below them, or an alias of "
                                 "them; * ? [] match within a component")},
    {&Parameters::credentials,
     PathList("credentials", policy::Merge::kAccumulate,
              "like deny, but what is below them is refused even if `below` is read-only")},
    {&Parameters::allow,
     GrantList(
         "allow",
         "host paths that may be mounted, with everything below them, although a path above them "
         "is denied; denied paths below them stay denied")},
    {&Parameters::allow_read_only, GrantList("allow-read-only", "like allow, but read-only")},
    {&Parameters::data_directories,
     GrantList(
         "data-directories",
         "host paths that may be mounted, with everything below them, even if allow-only is set; "
         "deny and credentials take precedence")},
    {&Parameters::allow_only,
     {.name = "allow-only",
      .description =
          "refuse every host path that is not in allow, allow-read-only or data-directories",
      .order = policy::Order::kFalseIsLooser,
      .docker_default = true,
      .counts_while_off = true}},
    {&Parameters::below,
     {.name = "below",
      .choices = kBelow,
      .description =
          "what happens to a mount from below a path in deny: it is refused, or made read-only",
      .docker_default = std::string_view("refuse"),
      .counts_while_off = true}},
    {&Parameters::id_maps,
     {.name = "id-maps",
      .choices = kIdMaps,
      .description =
          "which mapping an idmapped mount may use: that of its own user namespace, or any",
      .docker_default = std::string_view("own")}},
    {&Parameters::exactly,
     {.name = "exactly",
      .vocabulary = policy::Vocabulary::kMount,
      .description =
          "mounts that are allowed regardless of the other lists, each as type, source without "
          "links "
          "and mode: bind /var/log ro; for a network filesystem, the options as requested: nfs4 "
          "server:/export vers=4.2",
      .only_in_waivers = true,
      .counts_while_off = true}},
});

using Access = SourceFacts::Access;

const SourceFacts& FactsOf(const std::string& source, const Sources& sources) {
  static const SourceFacts unknown{
      .access = Access::kUnknown, .resolved = {}, .because = "was not examined"};
  const auto found = sources.find(source);
  return found == sources.end() ? unknown : found->second;
}

bool MayBeWritten(const SourceFacts& facts) {
  return facts.access == Access::kAllowed || facts.access == Access::kEngineOwn;
}

// A predicate with the source as its subject.
std::string Why(const std::string& source, const SourceFacts& facts) {
  const bool is_itself = facts.resolved.empty() || facts.resolved == source;
  const bool is_denied = facts.list == SourceFacts::List::kDeny;
  // The entry of the list is the path that it leads to.
  if (!is_itself && is_denied && facts.because.ends_with(" " + facts.resolved)) {
    return "leads to " + facts.resolved + ", which is on the deny list";
  }
  std::string why =
      is_itself ? facts.because : "leads to " + facts.resolved + ", which " + facts.because;
  if (is_denied) why += ", which is on the deny list";
  return why;
}

constexpr Code kHostRoot{"host-root", "the source is the host's root filesystem or an alias of it",
                         Symptom::kNone, Grant::kHostRoot};
constexpr Code kRuntimeSocket{"runtime-socket", "the source is a container engine's API socket",
                              Symptom::kNone, Grant::kHostRoot};
// What it is worth depends on the source and the mode: WhyHostRoot().
constexpr Code kDenied{"denied", "the source, or something above or below it, is on a deny list"};
constexpr Code kUnlisted{"unlisted",
                         "no list contains the source, and allow-only is set or an engine's "
                         "configuration cannot be read"};
constexpr Code kUnknown{"unknown", "the source could not be identified"};
constexpr Code kReadOnly{"read-only", "the source may only be mounted read-only",
                         Symptom::kReadOnly};
constexpr Code kAmbiguousLayers{"ambiguous-layers", "an overlay's options can be read in two ways"};
constexpr Code kReplaceableLayer{
    "replaceable-layer", "a user other than root could replace an overlay's upperdir or workdir"};
constexpr Code kRemount{"remount", "the mount changes the options of another mount"};
constexpr Code kKind{"kind", "the filesystem type could expose a disk or the kernel of the host"};
constexpr Code kForeignIdMap{"foreign-id-map",
                             "an idmapped mount does not use the container's own mapping"};
constexpr Code kEngineSys{"engine-sys",
                          "podman binds the host's /sys, which must be read-only and masked"};
constexpr Code kNamed{"named",
                      "a waiver allows the mount, but not what is mounted below its source"};
constexpr Code kLaterMounts{
    "later-mounts", "the host's later mounts would appear, writable, below a read-only bind"};
constexpr Code kCodes[] = {kHostRoot, kRuntimeSocket, kDenied,          kUnlisted,
                           kUnknown,  kReadOnly,      kAmbiguousLayers, kReplaceableLayer,
                           kRemount,  kKind,          kForeignIdMap,    kEngineSys,
                           kNamed,    kLaterMounts};

const Code& CodeOf(const SourceFacts& facts) {
  switch (facts.access) {
    case Access::kHostRoot:
      return kHostRoot;
    case Access::kRuntimeSocket:
      return kRuntimeSocket;
    case Access::kUnknown:
      return kUnknown;
    default:
      return facts.list == SourceFacts::List::kMissing ? kUnlisted : kDenied;
  }
}

bool IsReadOnly(const oci::Mount& mount) {
  return (mount.has_option("ro") || mount.has_option("rro")) && !mount.has_option("rw") &&
         !mount.has_option("rrw");
}

bool IsOneWord(std::string_view text) {
  return !text.empty() && text.find_first_of(" \t\n") == std::string_view::npos;
}

// As `exactly` names a mount: "bind /var/log ro". Empty: no entry can.
std::string EntryOf(const oci::Mount& mount, const SourceFacts& facts) {
  if (facts.access == Access::kUnknown || !IsOneWord(facts.exact)) return {};
  return "bind " + facts.exact + (IsReadOnly(mount) ? " ro" : " rw");
}

// "nfs4 server:/export vers=4.2". Where the source is a path of this host, a user could have put
// something else there.
std::string EntryOfKind(const oci::Mount& mount) {
  constexpr std::string_view kNetworkKinds[] = {"ceph", "cifs", "nfs", "nfs4", "smb3"};
  if (std::ranges::find(kNetworkKinds, mount.type) == std::ranges::end(kNetworkKinds)) return {};
  std::string options;
  for (const std::string& option : mount.options) {
    if (!IsOneWord(option) || option.find(',') != std::string::npos) return {};
    // A policy is not a place for a password, nor is the advice that is made of this.
    if (oci::FindSecret(option)) return {};
    options += (options.empty() ? "" : ",") + option;
  }
  if (options.empty()) options = "defaults";
  return IsOneWord(mount.source) ? mount.type + " " + mount.source + " " + options : std::string();
}

bool IsNamedExactly(const std::string& entry, policy::StringList exactly) {
  return !entry.empty() && std::ranges::find(exactly, entry) != exactly.end();
}

Remedy NameExactly(std::string entry) {
  return WaiveIn(kParameters[&Parameters::exactly], {std::move(entry)});
}

// Never more than was requested: a denied source is allowed by name and mode only, and a source
// that is only read is allowed read-only.
Remedy RemedyOf(const SourceFacts& facts, bool is_read_only, std::string entry) {
  const bool is_unlisted = facts.list == SourceFacts::List::kMissing;
  if (!entry.empty() && !is_unlisted) return NameExactly(std::move(entry));
  // An entry of allow-read-only does not win over one of credentials for the same path.
  if (!facts.allow.empty() && !(is_read_only && facts.is_credential)) {
    return AddTo(kParameters[is_read_only ? &Parameters::allow_read_only : &Parameters::allow],
                 {facts.allow});
  }
  return NoRemedy("no entry in host-mounts.allow could allow this mount");
}

Finding RefuseSource(std::string path, json::Value value, std::string why, const SourceFacts& facts,
                     bool is_read_only, std::string entry = {}) {
  return Refuse(CodeOf(facts), std::move(path), std::move(value), std::move(why),
                RemedyOf(facts, is_read_only, std::move(entry)));
}

// Of a bind that is read-only: later mounts of the host would be writable.
void CheckLaterMounts(const oci::Mount& mount, const std::string& path, const SourceFacts& facts,
                      Findings& findings) {
  // The engine's own init program (docker run --init).
  if (facts.is_file && facts.exact.empty()) return;
  oci::Mount closed = mount;
  KeepLaterMountsOut(closed);
  if (closed.options == mount.options) return;
  Finding finding = Propose(kLaterMounts, path + "/options", closed.options,
                            "would show the host's later mounts below it, writable",
                            AskEngine("mount it again after the host has mounted something there"));
  // Only some engines write the propagation; that is not a fault of the request.
  finding.is_default = std::ranges::none_of(mount.options, ReceivesMounts);
  findings.push_back(std::move(finding));
}

// Of what may only be read.
Remedy WriteTo(const oci::Mount& mount, const SourceFacts& facts) {
  if (facts.exact.empty()) return NoRemedy("the engine's own mounts stay read-only");
  return AddTo(kParameters[&Parameters::allow],
               {facts.resolved.empty() ? mount.source : facts.resolved});
}

// Mounts below the source have names of their own, which the waiver does not name.
void CheckNamed(const oci::Mount& mount, const std::string& path, const SourceFacts& facts,
                const KernelFacts& kernel, Findings& findings) {
  oci::Mount named = mount;
  if (IsReadOnly(mount)) {
    named.options = ReadOnlyOptions(mount, /*may_have_submounts=*/false, kernel);
  }
  if (!facts.is_file) oci::MakeFlat(named.options);
  if (named.options == mount.options) return CheckLaterMounts(mount, path, facts, findings);
  KeepLaterMountsOut(named);
  findings.push_back(Propose(kNamed, path + "/options", named.options,
                             "would also mount what is mounted below the source",
                             NoRemedy("a waiver allows one mount, without those below it")));
}

void CheckBind(const oci::Mount& mount, const std::string& path, const Sources& sources,
               const KernelFacts& kernel, policy::StringList exactly, Findings& findings) {
  const SourceFacts& facts = FactsOf(mount.source, sources);
  if (facts.access == Access::kAllowed && IsReadOnly(mount)) {
    return CheckLaterMounts(mount, path, facts, findings);
  }
  if (MayBeWritten(facts)) return;
  const std::string entry = EntryOf(mount, facts);
  if (IsNamedExactly(entry, exactly)) return CheckNamed(mount, path, facts, kernel, findings);
  if (facts.access != Access::kReadOnly) {
    findings.push_back(RefuseSource(path + "/source", mount.source, Why(mount.source, facts), facts,
                                    mount.has_option("ro") || mount.has_option("rro"), entry));
    return;
  }
  oci::Mount read_only = mount;
  read_only.options = ReadOnlyOptions(mount, facts.has_submounts, kernel);
  if (read_only.options == mount.options) return CheckLaterMounts(mount, path, facts, findings);
  KeepLaterMountsOut(read_only);
  findings.push_back(Propose(kReadOnly, path + "/options", read_only.options,
                             mount.source + " " + Why(mount.source, facts), WriteTo(mount, facts)));
}

// The masks first: where they were not applied, neither is the bind.
void CheckEngineSys(const oci::Spec& spec, const oci::Mount& mount, const std::string& path,
                    EngineSysFacts facts, Findings& findings) {
  if (std::string why = WhyNoEngineSys(spec, mount, facts); !why.empty()) {
    findings.push_back(Refuse(kEngineSys, path + "/source", mount.source, std::move(why),
                              AskEngine("give the container its own network, so that it gets its "
                                        "own sysfs")));
    return;
  }
  const Remedy remedy = NoRemedy("the host's mounts below /sys give power over the host");
  std::vector<std::string> masks = MasksOverSys(spec, facts);
  if (masks != spec.masked_paths()) {
    findings.push_back(Propose(kEngineSys, "/linux/maskedPaths", std::move(masks),
                               "lacks masks for what the host's /sys shows beyond a plain sysfs",
                               remedy));
  }
  std::vector<std::string> options = HardenedSysOptions(mount);
  if (options == mount.options) return;
  findings.push_back(Propose(kEngineSys, path + "/options", std::move(options),
                             "leaves the host's mounts below /sys writable or executable", remedy));
}

void CheckOverlay(const oci::Mount& mount, const std::string& path, const Sources& sources,
                  Findings& findings) {
  const auto layers = oci::OverlayLayers(mount);
  if (!layers) {
    findings.push_back(
        Refuse(kAmbiguousLayers, path + "/options", mount.options,
               "name host directories in a way that can be read differently "
               "(escapes, relative paths)",
               AskEngine("name each layer by an absolute path without \\, : and ,")));
    return;
  }
  for (const oci::OverlayLayer& layer : *layers) {
    const SourceFacts& facts = FactsOf(layer.path, sources);
    const bool may_be_read = layer.is_lower && facts.access == Access::kReadOnly;
    if (!MayBeWritten(facts) && !may_be_read) {
      findings.push_back(RefuseSource(path + "/options", mount.options,
                                      "name " + layer.path + ", which " + Why(layer.path, facts),
                                      facts, layer.is_lower));
    } else if (!layer.is_lower && !facts.replaceable_because.empty()) {
      // The kernel's mount table has only the names of layers, so nothing can be compared at start.
      // Lower layers are bound in a place of ours first (enforce::StageSources); these two must be
      // on one mount, which two binds are not.
      findings.push_back(Refuse(
          kReplaceableLayer, path + "/options", mount.options,
          "name " + layer.path + ", which " + facts.replaceable_because + " before it is mounted",
          AskEngine("let the engine choose upperdir and workdir, or name "
                    "directories that only root can replace")));
    }
  }
}

// A mapping that names the host's 0 as the container's 1000 makes that user root on the mount.
void CheckIdMaps(const oci::Spec& spec, Findings& findings) {
  for (std::string& pointer : oci::ForeignIdMaps(spec)) {
    json::Value value = json::Get(spec.document(), pointer);
    findings.push_back(Refuse(kForeignIdMap, std::move(pointer), std::move(value),
                              "lets the container act as other users of the host on the files of "
                              "this mount",
                              SetTo(kParameters[&Parameters::id_maps], std::string("any"))));
  }
}

Findings Check(const oci::Spec& spec, const Context& context, EngineSysFacts facts) {
  // What the kernel makes anew for each container. Every other kind could be a disk of the host
  // (ext4 of /dev/sda1) or a view of its kernel (devtmpfs, debugfs).
  constexpr std::string_view kOwnKinds[] = {"cgroup", "cgroup2", "devpts", "mqueue",
                                            "proc",   "sysfs",   "tmpfs"};
  const Parameters parameters = kParameters.Read(context.parameters);
  const Sources& sources = facts.Get<Sources>();
  Findings findings;
  const std::vector<oci::Mount>& mounts = spec.mounts();
  for (std::size_t i = 0; i < mounts.size(); ++i) {
    const oci::Mount& mount = mounts[i];
    const std::string path = "/mounts/" + std::to_string(i);
    // The source of a remount is not looked at by the kernel: it would lift the ro that another
    // mount was given, here or by the engine.
    if (mount.has_option("remount")) {
      findings.push_back(Refuse(kRemount, path + "/options", mount.options,
                                "changes the options of a mount that was judged separately",
                                AskEngine("set the options on the mount itself")));
    } else if (IsEngineSys(mount, facts)) {
      CheckEngineSys(spec, mount, path, facts, findings);
    } else if (mount.is_bind()) {
      CheckBind(mount, path, sources, facts.Get<KernelFacts>(), parameters.exactly, findings);
    } else if (mount.type == "overlay") {
      CheckOverlay(mount, path, sources, findings);
    } else if (std::ranges::find(kOwnKinds, mount.type) == std::ranges::end(kOwnKinds)) {
      const std::string entry = EntryOfKind(mount);
      if (IsNamedExactly(entry, parameters.exactly)) continue;
      findings.push_back(
          Refuse(kKind, path + "/type", mount.type,
                 "is a filesystem type that could expose a disk or the kernel of the host",
                 entry.empty() ? AskEngine("mount it on the host, and bind a directory in it")
                               : NameExactly(entry)));
    }
  }
  if (parameters.id_maps != "any") CheckIdMaps(spec, findings);
  return findings;
}

constexpr std::string_view kBenchmarks[] = {"CIS 5.6", "CIS 5.32", "PSS baseline"};
constexpr std::string_view kPaths[] = {"/mounts/*/source",      "/mounts/*/type",
                                       "/mounts/*/options",     "/mounts/*/uidMappings",
                                       "/mounts/*/gidMappings", "/linux/maskedPaths"};
constexpr policy::Action kActions[] = {policy::Action::kFix, policy::Action::kRefuse,
                                       policy::Action::kWarn, policy::Action::kOff};

}  // namespace

extern constinit const Rule kHostMounts{
    .schema = {.id = "host-mounts", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "No mounts that give power over the host",
    .rationale =
        "Whoever can write to the host's /etc or to an engine's socket is root on the host. A "
        "source "
        "is judged by what it is, not by its name: links, bind mounts, named volumes with a device "
        "option, overlay layers and /proc/PID/root all lead to the same files.",
    .way_out =
        "mount a directory below one of host-mounts.data-directories, add the directory to "
        "host-mounts.allow, or name the mount in a waiver's exactly",
    .codes = kCodes,
    .benchmarks = kBenchmarks,
    .paths = kPaths,
    .scope = Scope::kContainer,
    .check = Bind<Check>(),
};

extern constinit const ParameterPlace kExactMounts{kHostMounts, kParameters[&Parameters::exactly]};

host::PathLists PathListsOf(const policy::RuleSetting& setting) {
  const Parameters read = kParameters.ReadForOthers(setting);
  return {.deny = read.deny,
          .credentials = read.credentials,
          .allow = read.allow,
          .allow_read_only = read.allow_read_only,
          .data_directories = read.data_directories,
          .exactly = read.exactly,
          .below_is_read_only = read.below == "read-only",
          .allow_only = read.allow_only};
}

}  // namespace runclad::rules
