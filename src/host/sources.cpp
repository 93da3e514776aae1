// What a mount's source is on this host. In one file: each answer excludes those after it.
#include "runclad/host/sources.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/engine/image_volumes.hpp"
#include "runclad/oci/overlay.hpp"
#include "runclad/sys/mounts.hpp"
#include "runclad/sys/unix_socket.hpp"

#include "host_aliases.hpp"
#include "host_paths.hpp"
#include "read_only_sources.hpp"
#include "replaceable.hpp"
#include "source_places.hpp"

namespace runclad::host {
namespace {

using Access = SourceFacts::Access;

bool IsOneOf(std::string_view name, const auto& names) {
  return std::ranges::any_of(names, [&](const char* known) { return name == known; });
}

bool IsRuntimeSocketName(std::string_view name) {
  constexpr char kNames[][24] = {
      "buildkitd.sock", "containerd.sock", "containerd.sock.ttrpc", "cri-dockerd.sock",
      "crio.sock",      "docker.sock",     "dockershim.sock",       "podman.sock",
  };
  return IsOneOf(name, kNames);
}

bool IsEngineProgram(std::string_view name) {
  constexpr char kPrograms[][12] = {"buildkitd", "containerd", "cri-dockerd", "crio",
                                    "dockerd",   "k3s",        "podman"};
  return IsOneOf(name, kPrograms);
}

// File systems that a volume may be although this host knows them under no other name: in memory,
// or on another machine. Any other could be a disk of this host, or a view of its kernel.
bool MayBeVolumeOnly(std::string_view type) {
  constexpr char kTypes[][8] = {"ceph", "cifs", "nfs", "nfs4", "smb3", "tmpfs"};
  return type.starts_with("fuse.") || IsOneOf(type, kTypes);
}

SourceFacts Describe(const sys::Located& source, Verdict verdict) {
  SourceFacts facts;
  facts.access = verdict.access;
  facts.resolved = source.path;
  facts.because = std::move(verdict.because);
  facts.list = verdict.is_denied_by_list ? SourceFacts::List::kDeny : SourceFacts::List::kNone;
  facts.allow = std::move(verdict.allow);
  facts.is_credential = verdict.is_credential;
  facts.device = source.inode.device;
  facts.inode = source.inode.number;
  facts.is_device = S_ISBLK(source.mode) || S_ISCHR(source.mode);
  facts.is_file = !S_ISDIR(source.mode);
  facts.is_socket = S_ISSOCK(source.mode);
  return facts;
}

// Judges sources against the policy's lists and the host's mounts.
class Judge {
 public:
  Judge(const PathLists& lists, const engine::OwnFiles& own_files,
        const engine::ConfiguredStorage& engines, const sys::MountTable& table)
      : paths_(LocateHostPaths(lists, own_files.layout(), engines)),
        aliases_(table, paths_.policy),
        is_allow_only_(lists.allow_only),
        own_volumes_({own_files.layout().data_root + "/volumes"}),
        own_parts_(own_files.layout().data_root + "/tmp"),
        kubelet_(own_files.kubelet_directory()),
        pod_(own_files.pod_directory()),
        unclear_because_(engines.unclear_because) {
    if (own_files.layout().engine == engine::Engine::kPodman) {
      own_volumes_.insert(own_volumes_.end(), engines.volume_directories.begin(),
                          engines.volume_directories.end());
    }
  }

  // One of podman's named volumes where containers.conf keeps them elsewhere (volume_path).
  [[nodiscard]] bool IsVolume(std::string_view path) const { return VolumeOf(path) == path; }

  [[nodiscard]] Replaceable MakeReplaceable() const {
    return Replaceable({.policy = paths_.policy,
                        .is_allow_only = is_allow_only_,
                        .given = &paths_.given,
                        .aliases = &aliases_});
  }

  SourceFacts Of(const sys::Located& source, engine::Claim claim) const {
    switch (claim) {
      case engine::Claim::kVolume:
        return OfVolume(source);
      case engine::Claim::kPart:
        return OfPart(source);
      case engine::Claim::kPodVolume:
      case engine::Claim::kPodPart:
        return OfPodVolume(source, claim);
      default:
        return OfAnything(source);
    }
  }

 private:
  SourceFacts OfAnything(const sys::Located& source) const {
    const auto place = aliases_.table().PlaceOf(source);
    if (!place)
      return Describe(source, {Access::kUnknown,
                               "is on a mount that is not visible in runclad's mount namespace"});
    const Verdict by_path = paths_.policy.Judge(source.path);
    Verdict verdict = ByType(source, by_path);
    const bool is_allowed_by_name = by_path.is_listed && by_path.access == Access::kAllowed;
    verdict = Stricter(
        std::move(verdict),
        // The policy lists this directory: that it is also some container's volume does not matter.
        aliases_.Judge(*place, source.path, [&](const Alias& alias) {
          return is_allowed_by_name && alias.verdict.is_volume;
        }));
    // Our own files are no container's, whatever a waiver says.
    const bool is_ours = verdict.access == Access::kDenied && !verdict.is_denied_by_list &&
                         !verdict.is_runtime && verdict.allow.empty();
    SourceFacts facts = Describe(source, std::move(verdict));
    if (!is_ours) facts.exact = source.path;
    AddSubmounts(source, facts);
    const bool is_granted = facts.access == Access::kAllowed || facts.access == Access::kReadOnly;
    const bool is_listed = by_path.is_listed || by_path.is_data;
    if (is_allow_only_ && is_granted && !is_listed) BecomeUnlisted(facts, source.path);
    if (is_granted && !by_path.is_listed && !unclear_because_.empty()) BecomeUnclear(facts);
    return facts;
  }

  static void BecomeUnlisted(SourceFacts& facts, std::string path) {
    facts.access = Access::kDenied;
    facts.because = "is not on the list of what may be mounted";
    facts.list = SourceFacts::List::kMissing;
    facts.allow = std::move(path);
  }

  void BecomeUnclear(SourceFacts& facts) const {
    if (facts.access == Access::kDenied) return;
    facts.access = Access::kDenied;
    facts.because = "may be the storage of an engine: " + unclear_because_;
    facts.list = SourceFacts::List::kMissing;
    facts.allow = facts.resolved;
  }

  // The directory of one of the container's own named volumes: what matters is what is mounted
  // there (docker volume create -o device=/).
  SourceFacts OfVolume(const sys::Located& source) const {
    const sys::MountTable& table = aliases_.table();
    const auto place = table.PlaceOf(source);
    if (!place)
      return Describe(source, {Access::kUnknown,
                               "is on a mount that is not visible in runclad's mount namespace"});
    bool has_home = false;  // what is mounted is a directory that the host has elsewhere, too
    std::string home;       // that directory
    bool is_listed = false;
    Verdict verdict = aliases_.Judge(*place, source.path, [&](const Alias& alias) {
      // Whoever may use this volume may use the others by their names.
      if (IsInOwnVolumes(alias.path) || IsPlaceOfPart(alias.path)) return true;
      has_home = has_home || !alias.is_inside;
      if (home.empty() && !alias.is_inside) home = alias.path;
      is_listed = is_listed || alias.verdict.is_listed || alias.verdict.is_data;
      return false;
    });
    const sys::Mount& mount = *table.Find(source.mount_id);
    const bool is_mounted = mount.point == source.path;
    bool is_unlisted = false;
    if (verdict.access == Access::kAllowed && is_mounted) {
      if (!has_home && !MayBeVolumeOnly(mount.type())) {
        verdict = {Access::kDenied, "is a volume on a disk or kernel filesystem (" +
                                        std::string(mount.type()) +
                                        ") that is not mounted elsewhere on the host"};
      } else {
        is_unlisted = has_home && is_allow_only_ && !is_listed;
      }
    }
    // Whoever had it as a volume would have every device: no list is meant for that.
    const bool is_devices = is_mounted && mount.type() == "devtmpfs";
    SourceFacts facts = Describe(source, std::move(verdict));
    facts.is_volume = true;
    AddSubmounts(source, facts);
    if (is_unlisted) BecomeUnlisted(facts, home);
    if (is_devices) facts.allow.clear();
    if (facts.access == Access::kAllowed) facts.access = Access::kEngineOwn;
    return facts;
  }

  // What the engine has mounted at a place of its own: a part of a named volume, which is judged
  // like the volume.
  SourceFacts OfPart(const sys::Located& source) const {
    const auto place = aliases_.table().PlaceOf(source);
    if (!place)
      return Describe(source, {Access::kUnknown,
                               "is on a mount that is not visible in runclad's mount namespace"});
    std::string volume;
    const bool is_part = aliases_.HasAlias(*place, source.path, [&](const Alias& alias) {
      if (!alias.is_inside) volume = VolumeOf(alias.path);
      return !volume.empty();
    });
    if (!is_part) {
      return Describe(source, {Access::kDenied, "is not part of any volume on this host"});
    }
    const auto located = sys::Locate(volume);
    if (!located) return Describe(source, {Access::kUnknown, located.error().message});
    const SourceFacts whole = OfVolume(*located);
    if (whole.access != Access::kEngineOwn) {
      SourceFacts facts =
          Describe(source, {whole.access, "is part of " + volume + ", which " + whole.because});
      facts.list = whole.list;
      facts.allow = whole.allow;
      return facts;
    }
    SourceFacts facts = Describe(source, {});
    facts.is_volume = true;
    AddSubmounts(source, facts);
    if (facts.access == Access::kAllowed) facts.access = Access::kEngineOwn;
    return facts;
  }

  // Where engines mount parts of volumes for a while: of any container's, since whoever may use the
  // volume may use its parts.
  [[nodiscard]] bool IsPlaceOfPart(std::string_view path) const {
    const auto rest = sys::Below(path, own_parts_);
    if (rest && rest->starts_with("/safe-mount")) return true;
    const std::size_t at = path.find("-containers/");
    return at != std::string_view::npos && path.find("/userdata/subpath", at) != path.npos;
  }

  [[nodiscard]] bool IsInOwnVolumes(std::string_view path) const {
    return std::ranges::any_of(own_volumes_, [&](const std::string& volumes) {
      return sys::Below(path, volumes).has_value();
    });
  }

  // The directory of the named volume that `path` is in: "<volumes>/<name>/_data"; empty for none.
  [[nodiscard]] std::string VolumeOf(std::string_view path) const {
    constexpr std::string_view kData = "/_data";
    for (const std::string& volumes : own_volumes_) {
      const auto rest = sys::Below(path, volumes);
      if (!rest || rest->empty()) continue;
      const std::size_t end = rest->find('/', 1);
      if (end == std::string_view::npos || !sys::Below(rest->substr(end), kData)) continue;
      return volumes + std::string(rest->substr(0, end)) + std::string(kData);
    }
    return {};
  }

  // The directory of one of the pod's volumes, or a part of one.
  SourceFacts OfPodVolume(const sys::Located& source, engine::Claim claim) const {
    const auto place = aliases_.table().PlaceOf(source);
    if (!place)
      return Describe(source, {Access::kUnknown,
                               "is on a mount that is not visible in runclad's mount namespace"});
    const bool is_of_volume =
        claim == engine::Claim::kPodVolume ||
        aliases_.HasAlias(*place, source.path, [&](const Alias& alias) {
          return !alias.is_inside && sys::Below(alias.path, pod_ + "/volumes");
        });
    std::string home;  // the directory of the host that it is a part of
    bool is_listed = false;
    Verdict verdict = aliases_.Judge(*place, source.path, [&](const Alias& alias) {
      if (home.empty() && !alias.is_inside) home = alias.path;
      is_listed = is_listed || alias.verdict.is_listed || alias.verdict.is_data;
      return is_of_volume && IsHomeOfVolumes(alias);
    });
    const bool is_unlisted =
        verdict.access == Access::kAllowed && is_allow_only_ && !is_of_volume && !is_listed;
    SourceFacts facts = Describe(source, std::move(verdict));
    facts.is_volume = is_of_volume && !IsFilledByKubelet(*place, source.path);
    AddSubmounts(source, facts);
    if (is_unlisted) BecomeUnlisted(facts, home);
    if (facts.access == Access::kAllowed) facts.access = Access::kEngineOwn;
    return facts;
  }

  // Whether it is a volume, or a part of one, that the kubelet fills and no container writes to.
  [[nodiscard]] bool IsFilledByKubelet(const sys::Place& place, std::string_view own_path) const {
    constexpr std::string_view kPlugins[] = {"configmap", "downward-api", "projected", "secret"};
    const auto is_below_one = [&](std::string_view path) {
      return std::ranges::any_of(kPlugins, [&](std::string_view plugin) {
        return sys::Below(path, pod_ + "/volumes/kubernetes.io~" + std::string(plugin)).has_value();
      });
    };
    return is_below_one(own_path) || aliases_.HasAlias(place, own_path, [&](const Alias& alias) {
      return !alias.is_inside && is_below_one(alias.path);
    });
  }

  // Elsewhere below the kubelet's directory it is the same volume: where a driver stages it, parts
  // of it, and in other pods with the same claim.
  [[nodiscard]] bool IsHomeOfVolumes(const Alias& alias) const {
    if (sys::Below(alias.path, kubelet_ + "/plugins")) return true;
    auto rest = sys::Below(alias.path, kubelet_ + "/pods");
    if (!rest || rest->empty()) return false;
    rest->remove_prefix(std::min(rest->find('/', 1), rest->size()));
    return rest->starts_with("/volumes/") || rest->starts_with("/volume-subpaths/");
  }

  // Some kinds of file are dangerous wherever they stand, and read-only mounts protect only files
  // and directories.
  Verdict ByType(const sys::Located& source, Verdict verdict) const {
    if (S_ISDIR(source.mode)) return verdict;
    const bool is_allowed_by_name = verdict.is_listed && verdict.access == Access::kAllowed;
    for (const DeniedFile& file : paths_.files) {
      const bool is_never_lifted = file.mark < Mark::kAllow;
      if (file.inode != source.inode || (is_allowed_by_name && !is_never_lifted)) continue;
      Verdict denied{Access::kDenied, "is the same file as " + file.label};
      denied.is_denied_by_list = !is_never_lifted;
      if (!is_never_lifted) denied.allow = source.path;
      verdict = Stricter(std::move(verdict), std::move(denied));
      verdict.is_runtime = verdict.is_runtime || file.mark == Mark::kRuntime;
    }
    if (S_ISSOCK(source.mode)) return OfSocket(source, std::move(verdict), is_allowed_by_name);
    if (is_allowed_by_name) return verdict;
    if (S_ISBLK(source.mode) || S_ISCHR(source.mode)) {
      return Stricter(std::move(verdict), Liftable("is a device", source));
    }
    if (verdict.access == Access::kReadOnly && !S_ISREG(source.mode)) {
      return Liftable(
          verdict.because + " and is a kind of file that a read-only mount does not protect",
          source);
    }
    return verdict;
  }

  // Refused unless the policy allows it by its name.
  static Verdict Liftable(std::string because, const sys::Located& source) {
    Verdict verdict{Access::kDenied, std::move(because)};
    verdict.allow = source.path;
    return verdict;
  }

  static Verdict OfSocket(const sys::Located& source, Verdict verdict, bool is_allowed_by_name) {
    const std::string_view path = source.path;
    if (verdict.is_runtime || IsRuntimeSocketName(path.substr(path.rfind('/') + 1))) {
      return {Access::kRuntimeSocket, "is a container engine's API socket"};
    }
    const std::string listener = sys::ListenerOf(source);
    if (IsEngineProgram(listener)) {
      return {Access::kRuntimeSocket, "is a socket of " + listener};
    }
    // It starts engines on demand, and it obeys root in any container.
    if (listener == "systemd" && !is_allowed_by_name) {
      return Stricter(std::move(verdict), Liftable("is a socket of systemd", source));
    }
    if (verdict.access != Access::kReadOnly) return verdict;
    return Liftable(verdict.because + " and is a socket, which a read-only mount does not protect",
                    source);
  }

  // What a recursive bind of the source brings along.
  void AddSubmounts(const sys::Located& source, SourceFacts& facts) const {
    const bool is_refused = facts.access != Access::kAllowed && facts.access != Access::kReadOnly;
    if (!S_ISDIR(source.mode) || is_refused) return;
    facts.has_submounts = aliases_.HasMountsBelow(source.path);
    if (!facts.has_submounts) return;
    Verdict verdict =
        Stricter({facts.access, std::move(facts.because)}, aliases_.JudgeMountsBelow(source.path));
    facts.access = verdict.access;
    facts.because = std::move(verdict.because);
    if (verdict.is_denied_by_list) facts.list = SourceFacts::List::kDeny;
  }

  HostPaths paths_;
  HostAliases aliases_;
  bool is_allow_only_;
  std::vector<std::string> own_volumes_;
  std::string own_parts_;
  std::string kubelet_;
  std::string pod_;
  std::string unclear_because_;  // a clause: why some engine's storage may be anywhere
};

// Every host path that the mounts name; true: as nothing but a lower layer.
std::map<std::string, bool> SourcesOf(const oci::Spec& spec) {
  std::map<std::string, bool> sources;
  const auto add = [&](const std::string& source, bool is_lower_layer) {
    const auto [entry, is_new] = sources.try_emplace(source, is_lower_layer);
    entry->second = entry->second && is_lower_layer;
  };
  for (const oci::Mount& mount : spec.mounts()) {
    if (mount.is_bind()) {
      add(mount.source, false);
    } else if (mount.type == "overlay") {
      const auto layers = oci::OverlayLayers(mount);
      if (!layers) continue;
      for (const oci::OverlayLayer& layer : *layers) add(layer.path, layer.is_lower);
    }
  }
  return sources;
}

struct Open {
  std::string source;  // as written
  std::string path;    // absolute
  sys::Located located;
  engine::Claim claim = engine::Claim::kNone;
  bool is_judged = false;  // as the engine's own
};

// Whether any of these could lead into another engine's storage. A named volume is its own
// engine's, unless something is mounted there. Engines' configuration is not read without need:
// this is the way of every container with a volume.
bool MayLeadElsewhere(const std::vector<Open>& open, const sys::MountTable& table) {
  return std::ranges::any_of(open, [&](const Open& entry) {
    if (entry.claim != engine::Claim::kVolume) return !entry.is_judged;
    return std::ranges::any_of(table.mounts(), [&](const sys::Mount& mount) {
      return sys::Below(mount.point, entry.located.path).has_value();
    });
  });
}

}  // namespace

ImagesBySource GatherSources(const oci::Spec& spec, const PathLists& lists,
                             PathLists::List read_only, const std::string& bundle,
                             engine::OwnFiles& own_files,
                             std::map<std::string, SourceFacts>& sources) {
  const std::string base = bundle + '/';
  const engine::ImageVolumes image_volumes(own_files.layout(), own_files.pod());
  ImagesBySource images;
  std::vector<Open> open;
  for (const auto& [source, is_lower_layer] : SourcesOf(spec)) {
    SourceFacts& facts = sources[source];
    // Whatever will stand there.
    const auto is_unknown = [&facts](std::string because) {
      facts.because = because;
      facts.replaceable_because = because;
      facts.read_only_because = std::move(because);
    };
    if (source.empty()) {
      is_unknown("does not name a file");
      continue;
    }
    const std::string path = source.starts_with('/') ? source : base + source;
    auto located = sys::Locate(path);
    if (!located) {
      is_unknown("cannot be identified: " + located.error().message);
      continue;
    }
    const engine::Claim claim = own_files.Of(*located);
    std::optional<engine::ImageVolume> volume;
    if (claim == engine::Claim::kNone || claim == engine::Claim::kPart) {
      volume = image_volumes.Of(*located, claim, is_lower_layer);
    }
    if (volume && volume->is_known) {
      facts = Describe(*located, {Access::kReadOnly, "is an image that the engine mounts"});
    } else if (is_lower_layer && image_volumes.IsEmptyLayer(*located)) {
      facts = Describe(*located, {Access::kReadOnly, "is an empty directory of the engine"});
    } else if (claim == engine::Claim::kFile) {
      facts = Describe(*located, {Access::kEngineOwn, {}});
    } else if (engine::IsEngineInit(*located)) {
      facts = Describe(*located, {Access::kReadOnly, "is an engine's init program"});
    }
    const bool is_judged = facts.access != Access::kUnknown;
    facts.is_image = volume.has_value();
    if (volume) images.emplace(source, std::move(volume->images));
    // Only root writes where engines keep their own files, but any user may own a link to one.
    if (!is_judged || path != located->path) {
      open.push_back({source, path, *std::move(located), claim, is_judged});
    }
  }
  if (open.empty()) return images;

  const auto table = sys::MountTable::Read();
  if (!table) {
    for (const Open& entry : open) {
      SourceFacts& facts = sources[entry.source];
      facts.replaceable_because = table.error().message;
      if (entry.is_judged) continue;
      facts.because = table.error().message;
      facts.read_only_because = table.error().message;
    }
    return images;
  }
  const bool asks_engines = MayLeadElsewhere(open, *table);
  const Judge judge(lists, own_files,
                    asks_engines ? engine::FindConfiguredStorage() : engine::ConfiguredStorage(),
                    *table);
  const ReadOnlySources read_only_sources(read_only, *table);
  const bool is_podman = own_files.layout().engine == engine::Engine::kPodman;
  Replaceable replaceable = judge.MakeReplaceable();
  SourcePlaces places(*table);
  for (const Open& entry : open) {
    SourceFacts& facts = sources[entry.source];
    if (!entry.is_judged) {
      const bool is_image = facts.is_image;
      const bool is_volume =
          entry.claim == engine::Claim::kNone && is_podman && judge.IsVolume(entry.located.path);
      facts = judge.Of(entry.located, is_volume ? engine::Claim::kVolume : entry.claim);
      facts.is_image = is_image;
      facts.read_only_because = read_only_sources.Why(entry.located);
      facts.places = places.Of(entry.located);
    }
    facts.replaceable_because = replaceable.Because(entry.path);
    if (auto place = table->PlaceOf(entry.located)) {
      facts.file_system = place->file_system;
      facts.place = std::move(place->path);
    }
  }
  return images;
}

std::string ReplaceableBecause(const PathLists& lists, const engine::Layout& layout,
                               const std::string& path) {
  const HostPaths paths = LocateHostPaths(lists, layout, engine::FindConfiguredStorage());
  const auto table = sys::MountTable::Read();
  if (!table) return table.error().message;
  const HostAliases aliases(*table, paths.policy);
  return Replaceable({.policy = paths.policy,
                      .is_allow_only = lists.allow_only,
                      .given = &paths.given,
                      .aliases = &aliases})
      .Because(path);
}

}  // namespace runclad::host
