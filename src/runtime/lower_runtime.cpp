#include "lower_runtime.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <string_view>

#include "runclad/sys/file.hpp"

namespace runclad::runtime {
namespace {

constexpr const char* kLink = "/usr/libexec/runclad/runtime";
constexpr std::array<const char*, 6> kDirectories = {
    "/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"};

bool IsThisProgram(const struct stat& status) {
  struct stat self {};
  return ::stat("/proc/self/exe", &self) == 0 && self.st_dev == status.st_dev &&
         self.st_ino == status.st_ino;
}

// Empty: `path` can be the lower runtime.
std::string WhyUnfit(const struct stat& status) {
  if (!S_ISREG(status.st_mode) || (status.st_mode & S_IXUSR) == 0) return "not a program";
  if (status.st_uid != 0) return "owned by uid " + std::to_string(status.st_uid) + ", not by root";
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) return "writable by others than root";
  if (IsThisProgram(status)) return "runclad itself";
  return {};
}

Status CheckNamed(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return SystemError("the lower runtime " + path + " cannot be examined", errno);
  }
  if (const std::string why = WhyUnfit(status); !why.empty()) {
    return Error{"the lower runtime " + path + " is " + why};
  }
  return {};
}

}  // namespace

Result<std::string> FindLowerRuntime(const std::optional<std::string>& named) {
  struct stat status {};
  std::string path = named.value_or("");
  if (!named && ::lstat(kLink, &status) == 0) path = kLink;
  if (!path.empty()) {
    if (auto checked = CheckNamed(path); !checked) return checked.error();
    return path;
  }
  for (const char* name : {"runc", "crun"}) {
    for (const char* directory : kDirectories) {
      path = std::string(directory) + name;
      // The diverted runc is ourselves under its name: look on.
      if (::stat(path.c_str(), &status) == 0 && WhyUnfit(status).empty()) return path;
    }
  }
  return Error{
      "no lower runtime: neither runc nor crun is in /usr/local/sbin:/usr/local/bin:/usr/sbin:"
      "/usr/bin:/sbin:/bin; install runc, or link /usr/libexec/runclad/runtime to it"};
}

std::string DefaultRoot(const std::string& runtime) {
  std::array<char, PATH_MAX> real{};
  const std::string path =
      ::realpath(runtime.c_str(), real.data()) != nullptr ? std::string(real.data()) : runtime;
  const std::string_view name = std::string_view{path}.substr(path.rfind('/') + 1);
  return name.starts_with("crun") ? "/run/crun" : "/run/runc";
}

}  // namespace runclad::runtime
