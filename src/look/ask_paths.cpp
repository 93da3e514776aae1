// Files: the mount that one is on, then the permissions of the file and of the directories above.
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "runclad/sys/cgroups.hpp"
#include "runclad/sys/mounts.hpp"
#include "runclad/sys/user_namespace.hpp"

#include "other_ways.hpp"
#include "proc.hpp"
#include "task_state.hpp"

namespace runclad::look {
namespace {

// A path of the container, links followed inside it.
UniqueFd OpenInside(int root, const std::string& path) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(static_cast<int>(::syscall(SYS_openat2, root, path.c_str(), &how, sizeof how)));
}

struct File {
  struct statx status {};
  bool has_acl = false;

  [[nodiscard]] bool is_directory() const { return S_ISDIR(status.stx_mode); }
  [[nodiscard]] bool is_device() const {
    return S_ISCHR(status.stx_mode) || S_ISBLK(status.stx_mode);
  }
};

std::optional<File> Examine(int fd) {
  File file;
  if (::statx(fd, "", AT_EMPTY_PATH | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_MNT_ID,
              &file.status) != 0) {
    return std::nullopt;
  }
  const std::string path = "/proc/self/fd/" + std::to_string(fd);
  file.has_acl = ::getxattr(path.c_str(), "system.posix_acl_access", nullptr, 0) > 0;
  return file;
}

bool IsMapped(const std::optional<std::string>& map, std::uint32_t id) {
  return map && std::ranges::any_of(sys::ParseIdMap(*map), [&](const sys::IdRange& range) {
           return id >= range.outside && id - range.outside < range.size;
         });
}

class Asked {
 public:
  Asked(const Container& container, const TaskState& task, int process)
      : container_(container), task_(task), process_(process) {}

  // Of the file itself: 4 read, 2 write, 1 execute or search.
  [[nodiscard]] Answer Permission(const File& file, unsigned bits, const std::string& path) const {
    const Credentials& credentials = task_.credentials;
    const unsigned mode = file.status.stx_mode;
    // With each of its ids: it may take the real and the saved one, too.
    unsigned granted = 0;
    const bool is_owner = Holds(credentials.uids, file.status.stx_uid);
    if (is_owner) granted |= mode >> 6U & 7U;
    const bool is_in_group = Holds(credentials.gids, file.status.stx_gid) ||
                             Holds(credentials.groups, file.status.stx_gid);
    const bool is_only_owner = std::ranges::all_of(
        credentials.uids, [&](uid_t uid) { return uid == file.status.stx_uid; });
    if (!is_only_owner && !file.has_acl) granted |= is_in_group ? mode >> 3U & 7U : mode & 7U;
    if ((granted & bits) == bits) return Yes();
    if (Overrides(file, bits)) return Yes();
    if (file.has_acl && !is_only_owner) {
      return Unknown("permissions", path + " has an access control list, which is not read");
    }
    const std::string is_how = path + " is " + Mode(mode) + ", of " +
                               std::to_string(file.status.stx_uid) + ":" +
                               std::to_string(file.status.stx_gid);
    if (is_owner && IsChangeable(file)) {
      Answer change = AskEveryWay(task_, "chmod");
      if (change.verdict == Verdict::kYes) {
        change.because = "after a chmod of " + path + ", which is its own";
      }
      if (change.verdict != Verdict::kNo) return change;
    }
    if (const std::string other = OtherPermission(file); !other.empty()) {
      return Unknown("permissions", is_how + "; " + other);
    }
    return No("permissions", is_how);
  }

  // Every directory on the way to `path` has to be searched.
  [[nodiscard]] Answer Search(int root, const std::string& path) const {
    for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
      const std::string above = path.substr(0, at);
      const UniqueFd directory = OpenInside(root, above);
      const auto file = directory ? Examine(directory.get()) : std::nullopt;
      if (!file) continue;  // what is not there is found out later
      if (Answer answer = Permission(*file, 1, above); answer.verdict != Verdict::kYes) {
        return answer;
      }
    }
    return Yes();
  }

  [[nodiscard]] const MountState* MountOf(const File& file) const {
    const auto found =
        std::ranges::find(container_.mounts, file.status.stx_mnt_id, &MountState::id);
    return found == container_.mounts.end() ? nullptr : &*found;
  }

  [[nodiscard]] Answer Device(const File& file, const MountState& mount,
                              const std::string& path) const {
    if (!mount.has_devices) {
      return No("mount", "devices on " + mount.point + " cannot be opened (nodev)");
    }
    const auto cgroups = ReadOf(process_, "cgroup");
    const auto host = sys::MountTable::Read();
    const auto list =
        cgroups && host
            ? sys::Cgroups(*cgroups, *host).Read("devices", "devices.list", "devices.list")
            : std::nullopt;
    if (!list) {
      return Unknown("devices", "the device rules of cgroup v2 are a program, which is not read");
    }
    const char kind = S_ISCHR(file.status.stx_mode) ? 'c' : 'b';
    const std::string number = std::to_string(file.status.stx_rdev_major) + ":" +
                               std::to_string(file.status.stx_rdev_minor);
    const std::string any = std::to_string(file.status.stx_rdev_major) + ":*";
    std::string_view rest = *list;
    while (!rest.empty()) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      if (line.size() < 2 || (line[0] != kind && line[0] != 'a')) continue;
      const std::string_view of = line.substr(2, line.find(' ', 2) - 2);
      const bool is_it = of == number || of == any || of == "*:*";
      if (is_it && line.substr(line.rfind(' ')).find('w') != std::string_view::npos) return Yes();
    }
    return No("devices", path + " is a device that its cgroup does not allow to write");
  }

 private:
  template <typename Ids>
  static bool Holds(const Ids& ids, std::uint32_t id) {
    return std::ranges::find(ids, id) != ids.end();
  }

  // Whether capabilities count for the file.
  [[nodiscard]] bool HasMappedIds(const File& file) const {
    return !container_.has_user_namespace ||
           (IsMapped(ReadOf(process_, "uid_map"), file.status.stx_uid) &&
            IsMapped(ReadOf(process_, "gid_map"), file.status.stx_gid));
  }

  // Whether an owner can change its permissions.
  [[nodiscard]] bool IsChangeable(const File& file) const {
    const MountState* const mount = MountOf(file);
    return mount != nullptr && mount->is_writable && mount->type != "proc" &&
           (file.status.stx_attributes & STATX_ATTR_IMMUTABLE) == 0;
  }

  // What the task could do first, so that it would have the permission; empty: nothing is known.
  [[nodiscard]] std::string OtherPermission(const File& file) const {
    if (HasMappedIds(file)) {
      const std::uint64_t held = task_.credentials.effective | task_.credentials.permitted;
      for (const char* capability : {"CAP_FOWNER", "CAP_CHOWN"}) {
        if (IsChangeable(file) && Has(held, capability)) {
          return std::string(capability) + " lets it change that";
        }
      }
      for (const char* capability : {"CAP_SETUID", "CAP_SETGID"}) {
        if (Has(held, capability)) {
          return std::string(capability) + " lets it take other ids";
        }
      }
      if (MayGainPrivileges(container_, task_)) {
        return "but a set-user-ID program, or one with file capabilities, could do it (its "
               "no_new_privs is off)";
      }
    }
    return {};
  }

  [[nodiscard]] bool Overrides(const File& file, unsigned bits) const {
    const std::uint64_t effective = task_.credentials.effective | task_.credentials.permitted;
    if (!HasMappedIds(file)) return false;
    const bool is_search = file.is_directory();
    if (Has(effective, "CAP_DAC_OVERRIDE")) {
      return is_search || (bits & 1U) == 0 || (file.status.stx_mode & 0111U) != 0;
    }
    return Has(effective, "CAP_DAC_READ_SEARCH") && (is_search ? (bits & 2U) == 0 : bits == 4);
  }

  static std::string Mode(unsigned mode) {
    std::string text = "0000";
    for (std::size_t i = 0; i < text.size(); ++i) {
      text[text.size() - 1 - i] = static_cast<char>('0' + (mode >> (3 * i) & 7U));
    }
    return text;
  }

  const Container& container_;
  const TaskState& task_;
  int process_;
};

// Which of the calls that open files do so for this access, and with which flags.
template <int access>
std::optional<std::vector<privilege::SeccompArgument>> ToOpen(std::string_view call) {
  using privilege::SeccompOperator;
  if (call == "creat" && access == O_RDONLY) return std::nullopt;
  // openat2 has the flags in memory.
  if (call == "creat" || call == "openat2") return std::vector<privilege::SeccompArgument>();
  const std::uint32_t index = call == "open" ? 1 : 2;
  return std::vector<privilege::SeccompArgument>{
      {index, O_ACCMODE, access, SeccompOperator::kMaskedEqual}};
}

std::string Above(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == 0 ? "/" : path.substr(0, slash);
}

std::string CaveatOf(const Container& container, const MountState* mount) {
  std::string caveat;
  if (!container.label.empty()) {
    caveat = "as far as the security module lets " + container.label;
  }
  if (mount != nullptr && (mount->type == "proc" || mount->type == "sysfs" ||
                           mount->type.starts_with("cgroup") || mount->type == "fuse")) {
    if (!caveat.empty()) caveat += ", and ";
    caveat += "as far as " + mount->type + " itself lets it";
  }
  return caveat;
}

}  // namespace

Answer AskPath(const Container& container, const TaskState& task, const std::string& path,
               Access access) {
  const Answer filter = access == Access::kExecute ? AskEveryWay(task, "execve")
                        : access == Access::kWrite ? AskEveryWay(task, "openat", ToOpen<O_WRONLY>)
                                                   : AskEveryWay(task, "openat", ToOpen<O_RDONLY>);
  if (filter.verdict != Verdict::kYes) return filter;
  const UniqueFd process = OpenProcess(container.pid, container.start_time);
  const UniqueFd root(process ? ::openat(process.get(), "root", O_PATH | O_DIRECTORY | O_CLOEXEC)
                              : -1);
  if (!root) return Unknown("mount", "its root filesystem cannot be opened");
  const Asked asked(container, task, process.get());
  if (Answer search = asked.Search(root.get(), path); search.verdict != Verdict::kYes) {
    return search;
  }
  UniqueFd opened = OpenInside(root.get(), path);
  if (!opened && errno != ENOENT) {
    return No("permissions", SystemError("the path cannot be resolved", errno).message);
  }
  const bool is_new = !opened;
  const std::string seen = is_new ? Above(path) : path;
  if (is_new) opened = OpenInside(root.get(), seen);
  const auto file = opened ? Examine(opened.get()) : std::nullopt;
  if (!file) return No("permissions", "the directory of " + path + " does not exist");
  const MountState* const mount = asked.MountOf(*file);
  if (mount == nullptr) return Unknown("mount", "the mount of " + seen + " is not known");
  if (is_new && access == Access::kRead) return No("permissions", path + " does not exist");

  const bool is_written =
      access == Access::kWrite || is_new || (access == Access::kExecute && file->is_directory());
  if (access == Access::kExecute && !mount->may_execute) {
    return No("mount", "programs on " + mount->point + " cannot be executed (noexec)");
  }
  if (is_written) {
    const bool is_special = file->is_device() || S_ISFIFO(file->status.stx_mode);
    if (!mount->is_writable && !is_special) {
      return No("mount", mount->point + " is mounted read-only");
    }
    if ((file->status.stx_attributes & STATX_ATTR_IMMUTABLE) != 0) {
      return No("permissions", seen + " is immutable");
    }
    if (file->is_device()) {
      if (Answer device = asked.Device(*file, *mount, seen); device.verdict != Verdict::kYes) {
        return device;
      }
    }
  }
  unsigned bits = access == Access::kRead ? 4 : access == Access::kExecute ? 1 : 2;
  if (file->is_directory() && is_written) bits = 3;
  Answer answer = asked.Permission(*file, bits, seen);
  if (answer.verdict == Verdict::kYes) {
    answer.caveat = CaveatOf(container, mount);
    if (is_new || (file->is_directory() && access == Access::kExecute)) {
      answer.because = "a file that it writes there";
    } else if (answer.because.empty()) {
      answer.because = filter.because;
    }
  }
  return answer;
}

}  // namespace runclad::look
