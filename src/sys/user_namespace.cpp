#include "runclad/sys/user_namespace.hpp"

#include <fcntl.h>
#include <linux/nsfs.h>
#include <linux/openat2.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>

#include <sched.h>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::sys {
namespace {

constexpr std::size_t kMaxMapBytes = std::size_t{64} << 10;

// "/proc/42" of "/proc/42/ns/user", in exactly that spelling; empty for every other.
std::string ProcessDirectory(std::string_view path) {
  constexpr std::string_view kProc = "/proc/";
  constexpr std::string_view kUser = "/ns/user";
  if (!path.starts_with(kProc) || !path.ends_with(kUser)) return {};
  const std::string_view process = path.substr(0, path.size() - kUser.size());
  if (process.size() <= kProc.size()) return {};
  const bool is_number = std::ranges::all_of(
      process.substr(kProc.size()), [](char digit) { return digit >= '0' && digit <= '9'; });
  return is_number ? std::string(process) : std::string();
}

Result<std::vector<IdRange>> ReadIdMap(int process, const char* name) {
  const UniqueFd file(::openat(process, name, O_RDONLY | O_CLOEXEC));
  if (!file) return SystemError(std::string("its ") + name + " cannot be opened", errno);
  const auto text = ReadRegularFile(file.get(), kMaxMapBytes);
  if (!text) return text.error();
  return ParseIdMap(*text);
}

bool MapsHostRoot(const std::vector<IdRange>& map) {
  return std::ranges::any_of(
      map, [](const IdRange& range) { return range.outside == 0 && range.size > 0; });
}

// By the maps of the process whose directory this is.
Result<UserNamespace> ReadOfProcess(const std::string& directory, const std::string& path) {
  // It stays this process's directory when the number is another's by now.
  const UniqueFd process(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!process) return SystemError(directory + " cannot be opened", errno);
  struct stat before {};
  if (::fstatat(process.get(), "ns/user", &before, 0) != 0) {
    return SystemError(path + " cannot be examined", errno);
  }
  const auto uids = ReadIdMap(process.get(), "uid_map");
  if (!uids) return uids.error().In(path);
  const auto gids = ReadIdMap(process.get(), "gid_map");
  if (!gids) return gids.error().In(path);
  // A process can enter another namespace, with another map.
  struct stat after {};
  if (::fstatat(process.get(), "ns/user", &after, 0) != 0) {
    return SystemError(path + " cannot be examined", errno);
  }
  if (before.st_ino != after.st_ino) return Error{path + " changed while it was read"};
  const auto root = std::ranges::find_if(
      *uids, [](const IdRange& range) { return range.inside == 0 && range.size > 0; });
  if (root == uids->end()) return Error{path + " has no root"};
  return UserNamespace{.inode = before.st_ino,
                       .root = root->outside,
                       .has_host_ids = MapsHostRoot(*uids) || MapsHostRoot(*gids)};
}

// A child that has entered a user namespace and waits there: the kernel shows the maps of processes
// alone. It is gone with this object, or with this process.
class Visitor {
 public:
  explicit Visitor(int user_namespace) {
    std::array<int, 2> entered{};
    if (::pipe2(entered.data(), O_CLOEXEC) != 0) return;
    UniqueFd said(entered[0]);
    UniqueFd saying(entered[1]);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      // It has our memory and files, and whoever is privileged in the namespace may see it.
      ::prctl(PR_SET_DUMPABLE, 0);
      if (::setns(user_namespace, CLONE_NEWUSER) != 0) ::_exit(1);
      [[maybe_unused]] const auto written = ::write(saying.get(), "", 1);
      for (;;) ::pause();
    }
    saying = UniqueFd();
    char byte = 0;
    has_entered_ = pid_ > 0 && ::read(said.get(), &byte, 1) == 1;
  }
  ~Visitor() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Visitor(const Visitor&) = delete;
  Visitor& operator=(const Visitor&) = delete;
  Visitor(Visitor&&) = delete;
  Visitor& operator=(Visitor&&) = delete;

  [[nodiscard]] bool has_entered() const { return has_entered_; }
  [[nodiscard]] std::string directory() const { return "/proc/" + std::to_string(pid_); }

 private:
  pid_t pid_ = -1;
  bool has_entered_ = false;
};

// A namespace that is bound to a file, maybe without any process in it.
Result<UserNamespace> ReadPinned(const std::string& path) {
  if (!path.starts_with('/')) return Error{path + " is not an absolute path"};
  // In /proc, the namespace would be whoever's the path is read by. What is not a namespace is not
  // opened: a device may do something when it is.
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_NO_MAGICLINKS;
  const UniqueFd place(
      static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, path.c_str(), &how, sizeof(how))));
  if (!place) return SystemError(path + " cannot be opened", errno);
  constexpr auto kNamespaceFileSystem = 0x6e736673;  // NSFS_MAGIC
  struct statfs file_system {};
  struct stat status {};
  if (::fstatfs(place.get(), &file_system) != 0 || ::fstat(place.get(), &status) != 0) {
    return SystemError(path + " cannot be examined", errno);
  }
  if (file_system.f_type != kNamespaceFileSystem) return Error{path + " is not a user namespace"};
  const std::string link = "/proc/self/fd/" + std::to_string(place.get());
  const UniqueFd pinned(::open(link.c_str(), O_RDONLY | O_CLOEXEC));
  if (!pinned) return SystemError(path + " cannot be opened", errno);
  if (::ioctl(pinned.get(), NS_GET_NSTYPE) != CLONE_NEWUSER) {
    return Error{path + " is not a user namespace"};
  }
  // The kernel lets nobody enter the namespace that he is in.
  struct stat own {};
  if (::stat("/proc/self/ns/user", &own) == 0 && own.st_ino == status.st_ino) {
    return ReadOfProcess("/proc/self", path);
  }
  const Visitor visitor(pinned.get());
  if (!visitor.has_entered()) return Error{path + " cannot be entered"};
  auto found = ReadOfProcess(visitor.directory(), path);
  if (found && found->inode != status.st_ino) return Error{path + " changed while it was read"};
  return found;
}

}  // namespace

std::vector<IdRange> ParseIdMap(std::string_view text) {
  std::vector<IdRange> map;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    std::array<std::uint32_t, 3> numbers{};
    std::size_t count = 0;
    for (; count < numbers.size(); ++count) {
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      const auto [end, fault] =
          std::from_chars(line.data(), line.data() + line.size(), numbers.at(count));
      if (fault != std::errc()) break;
      line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    }
    if (count == numbers.size()) map.push_back({numbers[0], numbers[1], numbers[2]});
  }
  return map;
}

Result<UserNamespace> ReadUserNamespace(const std::string& path) {
  const std::string directory = ProcessDirectory(path);
  return directory.empty() ? ReadPinned(path) : ReadOfProcess(directory, path);
}

std::optional<uid_t> RootOfUserNamespace(const std::string& path) {
  const auto found = ReadUserNamespace(path);
  if (!found || found->root == 0) return std::nullopt;
  return found->root;
}

}  // namespace runclad::sys
