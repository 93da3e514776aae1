#include "runclad/doctor/probe_inside.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <functional>
#include <utility>

#include <nlohmann/json.hpp>
#include <sched.h>

#include "runclad/base/unique_fd.hpp"
#include "runclad/json/value.hpp"

namespace runclad::doctor {
namespace {

using json::Document;

// In a child, which keeps what it changes to itself.
bool Succeeds(const std::function<bool()>& attempt) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(attempt() ? 0 : 1);
  int status = 1;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) &&
         WEXITSTATUS(status) == 0;
}

bool CanMount() {
  return ::mount("none", "/proc", "tmpfs", 0, "size=4k") == 0 && ::umount("/proc") == 0;
}

bool CanMakeUserNamespace() { return ::unshare(CLONE_NEWUSER) == 0; }

bool CanChroot() { return ::chroot("/") == 0; }

bool CanOpenSocket(int family, int type) {
  const UniqueFd socket(::socket(family, type | SOCK_CLOEXEC, 0));
  return static_cast<bool>(socket);
}

bool CanMakeDevice() {
  constexpr const char* kPath = "/dev/shm/.runclad-probe";
  if (::mknod(kPath, S_IFBLK | 0600, makedev(7, 0)) != 0) return false;
  ::unlink(kPath);
  return true;
}

bool CanWriteTo(const char* path) {
  const UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
  return static_cast<bool>(file);
}

bool CanCreate(const char* path) {
  const UniqueFd file(::open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file) ::unlink(path);
  return static_cast<bool>(file);
}

bool CanRead(const char* path) {
  const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  char byte = 0;
  return file && ::read(file.get(), &byte, 1) == 1;
}

Document Attempts() {
  const std::pair<const char*, std::function<bool()>> attempts[] = {
      {"mount", CanMount},
      {"user-namespace", CanMakeUserNamespace},
      {"chroot", CanChroot},
      {"raw-socket", [] { return CanOpenSocket(AF_INET, SOCK_RAW); }},
      {"af-alg", [] { return CanOpenSocket(AF_ALG, SOCK_SEQPACKET); }},
      {"mknod", CanMakeDevice},
  };
  Document names = Document::array();
  for (const auto& [name, attempt] : attempts) {
    if (Succeeds(attempt)) names.push_back(name);
  }
  return names;
}

template <typename Can>
Document PathsThat(Can can, std::initializer_list<const char*> paths) {
  Document found = Document::array();
  for (const char* path : paths) {
    if (can(path)) found.push_back(path);
  }
  return found;
}

Document SharedNamespaces(const std::string& host_namespaces) {
  Document shared = Document::array();
  for (const char* name : {"pid", "net", "ipc", "uts", "mnt"}) {
    std::array<char, 64> link{};
    const ssize_t size =
        ::readlink((std::string("/proc/self/ns/") + name).c_str(), link.data(), link.size() - 1);
    if (size > 0 && ("," + host_namespaces + ",").find("," + std::string(link.data()) + ",") !=
                        std::string::npos) {
      shared.push_back(name);
    }
  }
  return shared;
}

}  // namespace

std::string ProbeFromInside(const std::string& host_namespaces) {
  Document answer = {{"probe", 1}};
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    const std::size_t colon = line.find(":\t");
    if (colon == std::string::npos) continue;
    const std::string name = line.substr(0, colon);
    for (const char* wanted : {"CapBnd", "CapEff", "NoNewPrivs", "Seccomp"}) {
      if (name == wanted) answer[name] = line.substr(colon + 2);
    }
  }
  answer["writable"] =
      PathsThat(CanWriteTo, {"/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger",
                             "/sys/kernel/uevent_helper", "/sys/kernel/profiling"});
  if (CanCreate("/.runclad-probe")) answer["writable"].push_back("/");
  answer["readable"] = PathsThat(CanRead, {"/proc/kcore", "/proc/keys", "/proc/timer_list"});
  answer["shared"] = SharedNamespaces(host_namespaces);
  answer["succeeded"] = Attempts();
  return answer.dump() + "\n";
}

}  // namespace runclad::doctor
