#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>

#include "runclad/base/unique_fd.hpp"

#include "sections.hpp"

namespace runclad::doctor {
namespace {

bool HasOpenat2() {
  struct open_how how {};
  how.flags = O_PATH | O_CLOEXEC;
  const UniqueFd fd(static_cast<int>(::syscall(SYS_openat2, AT_FDCWD, "/", &how, sizeof how)));
  return static_cast<bool>(fd);
}

bool HasPidfd() {
  const UniqueFd fd(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  return static_cast<bool>(fd);
}

bool HasSealedMemory() {
  const UniqueFd fd(
      static_cast<int>(::syscall(SYS_memfd_create, "doctor", MFD_CLOEXEC | MFD_ALLOW_SEALING)));
  return fd && ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE) == 0;
}

bool HasMountIds() {
  struct statx status {};
  constexpr unsigned kMountId = 0x1000;  // STATX_MNT_ID
  return ::statx(AT_FDCWD, "/", 0, kMountId, &status) == 0 && (status.stx_mask & kMountId) != 0;
}

bool HasMountSetattr() {
#ifdef SYS_mount_setattr
  // A bad descriptor, and a size that no kernel accepts: only its absence is ENOSYS.
  return ::syscall(SYS_mount_setattr, -1, "", 0, nullptr, 0) == 0 || errno != ENOSYS;
#else
  return true;
#endif
}

bool HasFilter(unsigned action) {
  return ::syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

std::vector<KernelFeature> Features() {
  return {
      {"seccomp filters", HasFilter(SECCOMP_RET_ERRNO),
       "no container that needs a filter can be created (CONFIG_SECCOMP_FILTER)", true},
      {"sealed memory files", HasSealedMemory(), "exec cannot be limited to the decision of create",
       true},
      {"pidfd_open", HasPidfd(),
       "a container that is not what was promised is killed by its "
       "number (Linux 5.3 has it)",
       false},
      {"openat2", HasOpenat2(), "paths are opened component by component, which is slower (5.6)",
       false},
      {"mount ids of statx", HasMountIds(),
       "fewer aliases of the host's directories are recognized (5.8)", false},
      {"mount_setattr", HasMountSetattr(),
       "noexec, nosuid and ro do not reach the mounts below a bind mount (5.12)", false},
  };
}

std::vector<std::string> WordsOf(std::istream& stream) {
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

void ReadControllers(const std::string& root, KernelFacts& facts) {
  std::ifstream file(root + "/sys/fs/cgroup/cgroup.controllers");
  if (!file) return;  // v1, with or without v2 beside it
  const std::vector<std::string> controllers = WordsOf(file);
  for (const char* name : {"cpu", "memory", "pids"}) {
    if (std::ranges::find(controllers, name) == controllers.end()) {
      facts.missing_controllers.emplace_back(name);
    }
  }
}

// "cpu,cpuacct" of the lines "4:cpu,cpuacct:/".
void ReadHierarchies(const std::string& root, KernelFacts& facts) {
  std::ifstream mounts(root + "/proc/mounts");
  std::vector<std::string> options;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string device;
    std::string point;
    std::string type;
    std::string option;
    fields >> device >> point >> type >> option;
    if (type == "cgroup") options.push_back("," + option + ",");
  }
  std::ifstream own(root + "/proc/self/cgroup");
  for (std::string line; std::getline(own, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string names = line.substr(first + 1, second - first - 1);
    if (names.empty()) continue;  // v2
    const bool is_mounted = std::ranges::any_of(options, [&](const std::string& option) {
      return option.find("," + names.substr(0, names.find(',')) + ",") != std::string::npos;
    });
    if (!is_mounted) facts.unmounted_hierarchies.push_back(names);
  }
}

}  // namespace

KernelFacts GatherKernel(const std::string& root) {
  KernelFacts facts;
  struct utsname name {};
  if (::uname(&name) == 0) facts.release = static_cast<const char*>(name.release);
  facts.features = Features();
  ReadControllers(root, facts);
  ReadHierarchies(root, facts);
  return facts;
}

}  // namespace runclad::doctor
