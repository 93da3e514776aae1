// The lines of a created container's mountinfo, kind by kind, as runc and crun make them. In one
// file, since a line is of the first kind that it fits:
//
//   /                the root: its parent is outside the table. A mask of / makes a second line.
//   a destination    of the document's mounts, in their order; each has a line
//   below a bind     what was bound recursively with a recursive one
//   a masked path    a directory: an empty tmpfs, read-only, or crun's own empty directory; a
//                    file: the null device, from the container's /dev (runc) or the host's (crun,
//                    user namespaces)
//   a read-only path the same directory again, and again what is mounted below it; crun's copies
//                    lose nosuid, nodev and noexec, and those of submounts ro
//   /dev/<node>      with a user namespace: binds of the host's nodes; crun makes others on a tmpfs
//   /dev/console     a terminal of the container's own devpts
//   a controller     with cgroup v1, below the document's cgroup mount (a tmpfs, never read-only)
//   NOTIFY_SOCKET    the runtime's own directory
//
// Any other mount was not judged by a rule.
#include "mount_account.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <algorithm>
#include <deque>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "runclad/base/spelling.hpp"

#include "hidden_mounts.hpp"
#include "mount_flags.hpp"
#include "own_mounts.hpp"
#include "spot_lines.hpp"

namespace runclad::enforce {
namespace {

constexpr unsigned kKernelFlags = kNoSuid | kNoDev | kNoExec;

// nosuid, nodev and noexec mean nothing where the kernel makes all files.
bool IsKernelFilesystem(std::string_view type) {
  return type == "proc" || type == "sysfs" || type == "cgroup" || type == "cgroup2";
}

std::string Join(std::string_view directory, std::string_view rest) {
  std::string path(directory == "/" && !rest.empty() ? std::string_view() : directory);
  return path.append(rest);
}

struct Node {
  const char* path;
  unsigned major;
  unsigned minor;
};
// What every container has (runtime spec, "Default Devices").
constexpr Node kNodes[] = {{"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
                           {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0}};

bool IsNullDevice(const sys::Examined& file) {
  return S_ISCHR(file.mode) && file.device_number == makedev(1, 3);
}

// Why a line is there.
struct Explanation {
  enum class Kind { kNone, kRoot, kPromised, kCopy, kSubmount, kMask, kOther };
  Kind kind = Kind::kNone;
  const PromisedMount* promised = nullptr;  // kPromised, and what is a copy of or below one
  unsigned flags = 0;                       // that it has to have
};
using Kind = Explanation::Kind;

class Account {
 public:
  Account(const Promise& promise, const MountEvidence& evidence)
      : promise_(promise),
        evidence_(evidence),
        mounts_(evidence.container.mounts()),
        explanations_(mounts_.size()) {
    for (const sys::Mount& mount : evidence.host.mounts()) {
      host_file_systems_.insert(mount.file_system);
      if (mount.type() == "devtmpfs") host_devices_ = mount.file_system;
    }
    for (const PromisedMount& mount : promise.mounts) {
      open_[mount.point].push_back(&mount);
      if (mount.is_recursive && mount.source == "/") has_host_root_ = true;
    }
    masked_.insert(promise.masked_paths.begin(), promise.masked_paths.end());
    readonly_.insert(promise.readonly_paths.begin(), promise.readonly_paths.end());
    for (const oci::Device& device : promise.devices) devices_.emplace(device.path, &device);
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
      index_.emplace(mounts_[i].id, i);
      const bool is_devpts = mounts_[i].type() == "devpts" && mounts_[i].root == "/";
      if (is_devpts) terminals_.insert(mounts_[i].file_system);
    }
  }

  Status Close() {
    if (auto ordered = PutInOrder(); !ordered) return ordered;
    LookUpPaths();
    if (auto root = CheckRoot(); !root) return root;
    for (std::size_t i = 1; i < order_.size(); ++i) {
      if (auto explained = Explain(order_[i]); !explained) return explained;
    }
    for (const auto& [point, missing] : open_) {
      if (!missing.empty()) {
        return Error{"nothing is mounted at " + std::string(point) +
                     ", where the recorded decision has a mount"};
      }
    }
    if (auto covered = CheckCovers(); !covered) return covered;
    return CheckPaths();
  }

 private:
  // Parents before what is mounted on them, and of two on the same point the lower one first.
  Status PutInOrder() {
    std::vector<std::vector<std::size_t>> children(mounts_.size());
    for (std::size_t i = 0; i < mounts_.size(); ++i) {
      const auto parent = index_.find(mounts_[i].parent);
      if (parent != index_.end() && parent->second != i) {
        children[parent->second].push_back(i);
        if (mounts_[parent->second].point == mounts_[i].point)
          hidden_.AddCovered(mounts_[i].parent);
      } else if (order_.empty()) {
        order_.push_back(i);
      } else {
        return Error{"its mount table has two roots"};
      }
    }
    for (std::size_t next = 0; next < order_.size(); ++next) {
      const std::vector<std::size_t>& below = children[order_[next]];
      order_.insert(order_.end(), below.begin(), below.end());
    }
    if (order_.empty() || order_.size() != mounts_.size()) {
      return Error{"its mount table is not a tree"};
    }
    return {};
  }

  // A masked or read-only path may lead through links of the image: the mount that is made is where
  // they lead.
  void LookUpPaths() {
    for (const std::string& path : promise_.masked_paths)
      masked_at_.push_back(LookUp(path, masked_));
    for (const std::string& path : promise_.readonly_paths) {
      readonly_at_.push_back(LookUp(path, readonly_));
    }
  }

  std::optional<sys::Examined> LookUp(const std::string& path,
                                      std::unordered_set<std::string_view>& points) {
    auto found = evidence_.at(path);
    if (!found) return found;
    const auto mount = index_.find(found->mount_id);
    if (mount != index_.end() && found->is_mount_root) points.insert(mounts_[mount->second].point);
    return found;
  }

  Status CheckRoot() {
    const sys::Mount& root = mounts_[order_.front()];
    Explanation& explanation = explanations_[order_.front()];
    explanation.kind = Kind::kRoot;
    if (promise_.read_only_root) explanation.flags = kReadOnly;
    const auto directory = evidence_.topmost(root);
    if (root.point != "/" || !directory) return Error{"its root filesystem cannot be reached"};
    if (directory->inode.device != promise_.root_device ||
        directory->inode.number != promise_.root_inode) {
      return Error{"its root filesystem is not the one that was checked: it was swapped"};
    }
    if ((explanation.flags & ~FlagsOf(root)) != 0) {
      return Error{"its root filesystem is writable"};
    }
    Keep(order_.front());
    return {};
  }

  void Keep(std::size_t line) {
    const auto [at, is_new] = by_spot_.try_emplace(host::SpotOf(mounts_[line]), line);
    at->second.Add(FlagsOf(mounts_[line]), explanations_[line].kind == Kind::kMask);
  }

  Status Explain(std::size_t line) {
    const sys::Mount& mount = mounts_[line];
    Explanation& explanation = explanations_[line];
    const PromisedMount* const below = explanations_[index_.at(mount.parent)].promised;
    std::string fault;
    if (!hidden_.IsCovered(mount, below)) fault = ClaimPromised(mount, explanation);
    if (explanation.kind == Kind::kNone) ExplainByRight(mount, explanation, fault);
    if (explanation.kind == Kind::kNone && promise_.hooks_may_mount && fault.empty()) {
      explanation.kind = Kind::kOther;
    }
    if (explanation.kind == Kind::kNone) {
      if (!fault.empty())
        return Error{"what is mounted at " + std::string(mount.point) + " " + fault};
      return Error{"no request explains the mount at " + std::string(mount.point) + " (" +
                   std::string(mount.type()) + ", " + Quoted(mount.root) + " of its filesystem)"};
    }
    if (const unsigned lost = explanation.flags & ~FlagsOf(mount); lost != 0) {
      return Error{"the mount at " + std::string(mount.point) + " lacks the recorded options " +
                   NamesOf(lost)};
    }
    Keep(line);
    return {};
  }

  // The next entry of the document at this point. Otherwise what is wrong with it: a predicate.
  std::string ClaimPromised(const sys::Mount& mount, Explanation& explanation) {
    const auto open = open_.find(mount.point);
    if (open == open_.end() || open->second.empty()) return {};
    const PromisedMount* promised = open->second.front();
    std::string fault = Fault(*promised, mount);
    if (!fault.empty()) return fault;
    open->second.pop_front();
    explanation = {Kind::kPromised, promised, promised->flags};
    // cgroup v1: a directory for the controllers, which have the flags.
    if (promised->type == "cgroup" && mount.type() == "tmpfs") explanation.flags &= ~kReadOnly;
    return {};
  }

  std::string Fault(const PromisedMount& promised, const sys::Mount& mount) {
    return promised.type.empty() ? BindFault(promised, mount) : NewFault(promised, mount);
  }

  std::string BindFault(const PromisedMount& promised, const sys::Mount& mount) const {
    if (promised.inode == 0) return {};  // the policy judges no sources
    if (const auto file = evidence_.topmost(mount)) {
      const bool is_same =
          file->inode.device == promised.device && file->inode.number == promised.inode;
      return is_same ? "" : "is not what was checked: its source was swapped";
    }
    // Its inode is not accessible, and whoever may rename its source can give its name to another
    // file.
    if (promised.file_system == 0 || !promised.replaceable_because.empty()) {
      return "is covered by another mount and cannot be verified, because its source " +
             (promised.replaceable_because.empty() ? "could not be fully identified"
                                                   : promised.replaceable_because) +
             "; mount it after the one that covers it, without a mask above it, or from a "
             "directory that only root can replace";
    }
    const bool is_same = mount.file_system == promised.file_system && mount.root == promised.root;
    return is_same ? "" : "is not what was checked: its source was swapped";
  }

  std::string NewFault(const PromisedMount& promised, const sys::Mount& mount) const {
    const std::string_view type = mount.type();
    const bool is_cgroup = promised.type == "cgroup" || promised.type == "cgroup2";
    if (is_cgroup && type == "cgroup2") return CgroupFault(mount);
    const bool is_v1 = promised.type == "cgroup" && type == "tmpfs";
    if (type != promised.type && !is_v1) {
      return "is " + std::string(type) + ", but the record has " + promised.type;
    }
    if (mount.root != "/") return "is part of another filesystem";
    if (!MayBeHostFilesystem(promised.type) && IsHostFilesystem(mount)) {
      return "is a host filesystem, but the record has one of the container's own";
    }
    for (const std::string& layer : promised.layers) {
      const std::size_t equals = layer.find('=');
      if (mount.option(std::string_view(layer).substr(0, equals)) !=
          std::string_view(layer).substr(equals + 1)) {
        return "does not have the layers that were checked";
      }
    }
    return {};
  }

  // proc, sysfs and mqueue exist once per namespace, and are the host's if the namespace is shared.
  // Other types are refused unless the policy allows any.
  [[nodiscard]] bool MayBeHostFilesystem(std::string_view type) const {
    if (type == "proc") return !promise_.HasOwn("pid");
    if (type == "sysfs") return !promise_.HasOwn("net");
    if (type == "mqueue") return !promise_.HasOwn("ipc");
    return type != "tmpfs" && type != "devpts" && type != "overlay" && type != "cgroup";
  }
  [[nodiscard]] bool IsHostFilesystem(const sys::Mount& mount) const {
    return host_file_systems_.contains(mount.file_system);
  }

  [[nodiscard]] std::string CgroupFault(const sys::Mount& mount) const {
    const bool is_own = std::ranges::any_of(evidence_.cgroups, [&](const std::string& own) {
      return sys::Below(mount.root, own).has_value();
    });
    if (is_own || (mount.root == "/" && !promise_.HasOwn("cgroup"))) return {};
    return "is the cgroup " + std::string(mount.root) + ", which is not its own";
  }

  void ExplainByRight(const sys::Mount& mount, Explanation& explanation, std::string& fault) {
    const Explanation& parent = explanations_[index_.at(mount.parent)];
    const sys::Mount& under = mounts_[index_.at(mount.parent)];
    if (parent.kind == Kind::kCopy && ExplainCopied(mount, explanation)) return;
    if (IsMask(mount)) {
      explanation.kind = Kind::kMask;
      const bool is_new = mount.type() == "tmpfs" && mount.root == "/";
      if (is_new || IsEmptyDirectory(mount)) explanation.flags = kReadOnly;
    } else if (IsReadOnlyCopy(mount, under)) {
      explanation = {Kind::kCopy, parent.promised, WithoutIdle(mount, parent.flags) | kReadOnly};
    } else if (IsController(mount, parent)) {
      explanation = {Kind::kOther, nullptr, parent.promised->flags};
    } else if (IsNode(mount) || IsConsole(mount) || IsNotify(mount)) {
      explanation = {Kind::kOther, nullptr, 0};
    } else if (IsBelowRecursiveBind(parent)) {
      ExplainSubmount(mount, *parent.promised, explanation, fault);
    }
  }

  static unsigned WithoutIdle(const sys::Mount& mount, unsigned flags) {
    return IsKernelFilesystem(mount.type()) ? flags & ~kKernelFlags : flags;
  }

  [[nodiscard]] bool IsMask(const sys::Mount& mount) const {
    if (!masked_.contains(mount.point)) return false;
    const bool is_new = mount.root == "/" && !IsHostFilesystem(mount);
    if ((mount.type() == "tmpfs" && is_new) || IsEmptyDirectory(mount)) return true;
    if (const auto file = evidence_.topmost(mount)) return IsNullDevice(*file);
    // Under another mask: the null device of the host or of the container's own /dev.
    return mount.root == "/null" && (mount.file_system == host_devices_ ||
                                     (mount.type() == "tmpfs" && !IsHostFilesystem(mount)));
  }

  [[nodiscard]] bool IsEmptyDirectory(const sys::Mount& mount) const {
    const std::optional<sys::Place>& place = evidence_.empty_directory;
    return place && mount.file_system == place->file_system && mount.root == place->path;
  }

  // What stood there already, mounted again on itself.
  [[nodiscard]] bool IsReadOnlyCopy(const sys::Mount& mount, const sys::Mount& under) const {
    if (!readonly_.contains(mount.point) || mount.file_system != under.file_system) return false;
    const auto rest = sys::Below(mount.point, under.point);
    return rest && mount.root == Join(under.root, *rest);
  }

  // The same mount at the same point is accounted for, under the read-only path.
  bool ExplainCopied(const sys::Mount& mount, Explanation& explanation) {
    const auto found = by_spot_.find(host::SpotOf(mount));
    if (found == by_spot_.end()) return false;
    const Explanation& original = explanations_[found->second.first()];
    explanation = {Kind::kCopy, original.promised, WithoutIdle(mount, original.flags)};
    // crun's copy of a mask is writable, and is as empty; not so its directory, which other
    // containers have, too.
    if (original.kind == Kind::kMask && !IsEmptyDirectory(mount)) explanation.flags = 0;
    return true;
  }

  [[nodiscard]] bool IsController(const sys::Mount& mount, const Explanation& parent) const {
    const bool is_below_cgroup =
        parent.promised != nullptr && parent.promised->type == "cgroup" && mount.type() == "cgroup";
    return is_below_cgroup && CgroupFault(mount).empty();
  }

  [[nodiscard]] bool IsNode(const sys::Mount& mount) const {
    const auto file = evidence_.topmost(mount);
    if (!file) return false;
    const bool is_usual = std::ranges::any_of(kNodes, [&](const Node& node) {
      return mount.point == node.path && S_ISCHR(file->mode) &&
             file->device_number == makedev(node.major, node.minor);
    });
    if (is_usual) return true;
    const auto [first, last] = devices_.equal_range(mount.point);
    return std::any_of(first, last, [&](const auto& entry) {
      const oci::Device& device = *entry.second;
      if (device.type == "p") return S_ISFIFO(file->mode);
      const bool is_kind = device.type == "b" ? S_ISBLK(file->mode) : S_ISCHR(file->mode);
      return is_kind && file->device_number == makedev(static_cast<unsigned>(device.major),
                                                       static_cast<unsigned>(device.minor));
    });
  }

  // A terminal of a devpts that is accounted for.
  [[nodiscard]] bool IsConsole(const sys::Mount& mount) const {
    return mount.point == "/dev/console" && mount.type() == "devpts" && !IsHostFilesystem(mount) &&
           mount.root != "/" && terminals_.contains(mount.file_system);
  }

  [[nodiscard]] bool IsNotify(const sys::Mount& mount) const {
    if (evidence_.notify_directory.number == 0) return false;
    const auto directory = evidence_.topmost(mount);
    return directory && directory->inode == evidence_.notify_directory;
  }

  static bool IsBelowRecursiveBind(const Explanation& parent) {
    const bool is_kind = parent.kind == Kind::kPromised || parent.kind == Kind::kSubmount ||
                         parent.kind == Kind::kCopy;
    return is_kind && parent.promised != nullptr && parent.promised->is_recursive;
  }

  void ExplainSubmount(const sys::Mount& mount, const PromisedMount& bind, Explanation& explanation,
                       std::string& fault) {
    const auto rest = sys::Below(mount.point, bind.point);
    if (!rest) return;
    if (bind.hides_submounts) {
      // That it is hidden by what was promised is for CheckPaths and CheckCovers to see.
      fault.clear();
      if (!hidden_.IsHidden(mount.point)) {
        fault = "was bound recursively with " + bind.source + " and is not masked";
      }
    } else if (bind.inode != 0) {
      fault = SubmountFault(mount, bind, *rest);
    }
    if (!fault.empty()) return;
    // What the host mounts later has the host's flags. Below the container's own cgroups crun
    // mounts an empty tmpfs first.
    const bool is_crun_mask = bind.hides_submounts && mount.type() == "tmpfs" &&
                              mount.root == "/" && !IsHostFilesystem(mount);
    const bool has_other_flags = mount.receives_mounts() || is_crun_mask;
    explanation = {Kind::kSubmount, &bind, has_other_flags ? 0 : bind.submount_flags};
  }

  // The container's own cgroups are what its processes find there.
  Status CheckCovers() const {
    for (const std::string_view point : hidden_.covers()) {
      const auto file = evidence_.at(std::string(point));
      const auto mount = file ? index_.find(file->mount_id) : index_.end();
      const bool is_own = mount != index_.end() &&
                          explanations_[mount->second].kind == Kind::kPromised &&
                          explanations_[mount->second].promised->point == point;
      if (!is_own && !masked_.contains(point)) {
        return Error{std::string(point) + " is not what was promised there"};
      }
    }
    return {};
  }

  std::string SubmountFault(const sys::Mount& mount, const PromisedMount& bind,
                            std::string_view rest) {
    const std::string host_path = Join(bind.source, rest);
    const std::string because = evidence_.submount_fault(mount, host_path);
    if (because.empty()) return {};
    const std::string came = "was bound recursively with " + bind.source + " and ";
    const auto place = own_.PlaceOf(mount, host_path, mounts_[order_.front()]);
    if (!place) return came + because;
    if (has_host_root_ || !own_.IsOpened(mount, *place)) return {};
    return came + "is the container's own " + std::string(*place) +
           " without the mounts that hide or protect parts of it; bind " + bind.source +
           " non-recursively (bind, not rbind)";
  }

  // No mask was removed or redirected.
  Status CheckPaths() const {
    for (std::size_t i = 0; i < masked_at_.size(); ++i) {
      const auto& file = masked_at_[i];
      if (!file || IsNullDevice(*file)) continue;
      const auto mount = index_.find(file->mount_id);
      const bool is_masked = mount != index_.end() && IsMaskedDirectory(mount->second);
      if (!is_masked && promise_.masked_paths[i] != "/") {
        return Error{promise_.masked_paths[i] + " is not masked"};
      }
    }
    for (std::size_t i = 0; i < readonly_at_.size(); ++i) {
      const auto& file = readonly_at_[i];
      if (!file || IsNullDevice(*file)) continue;
      const auto mount = index_.find(file->mount_id);
      if (mount == index_.end()) continue;
      const bool is_copied_mask = IsMasked(mount->second);
      if ((FlagsOf(mounts_[mount->second]) & kReadOnly) == 0 && !is_copied_mask) {
        return Error{promise_.readonly_paths[i] + " is writable"};
      }
    }
    return {};
  }

  [[nodiscard]] bool IsMaskedDirectory(std::size_t line) const {
    const sys::Mount& mount = mounts_[line];
    return (mount.type() == "tmpfs" || IsEmptyDirectory(mount)) && IsMasked(line);
  }

  // A mask or a read-only path's copy of one.
  [[nodiscard]] bool IsMasked(std::size_t line) const {
    const Explanation& explanation = explanations_[line];
    if (explanation.kind == Kind::kMask) return true;
    if (explanation.kind != Kind::kCopy) return false;
    const auto found = by_spot_.find(host::SpotOf(mounts_[line]));
    return found != by_spot_.end() && found->second.has_mask();
  }

  const Promise& promise_;
  const MountEvidence& evidence_;
  std::span<const sys::Mount> mounts_;
  std::vector<Explanation> explanations_;                 // by line
  std::unordered_map<std::uint64_t, std::size_t> index_;  // a mount's id: its line
  std::vector<std::size_t> order_;                        // the root first
  SpotTable by_spot_;                                     // lines that are explained
  // By point, those that no line was found for so far.
  std::unordered_map<std::string_view, std::deque<const PromisedMount*>> open_;
  std::unordered_set<std::string_view> masked_;  // points
  std::unordered_set<std::string_view> readonly_;
  std::vector<std::optional<sys::Examined>> masked_at_;  // as promise_.masked_paths
  std::vector<std::optional<sys::Examined>> readonly_at_;
  std::unordered_multimap<std::string_view, const oci::Device*> devices_;  // by path
  std::unordered_set<std::uint64_t> terminals_;  // file systems: devpts from its root
  // A recursive bind of /: the container has the host's /proc as it is.
  bool has_host_root_ = false;
  HiddenMounts hidden_{promise_, masked_};
  OwnMounts own_{by_spot_, masked_, readonly_, evidence_.root_path};
  std::unordered_set<std::uint64_t> host_file_systems_;
  std::uint64_t host_devices_ = 0;
};

}  // namespace

Status AccountForMounts(const Promise& promise, const MountEvidence& evidence) {
  return Account(promise, evidence).Close();
}

}  // namespace runclad::enforce
