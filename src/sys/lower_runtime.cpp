#include "runclad/sys/lower_runtime.hpp"

#include <fcntl.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::sys {
namespace {

constexpr const char* kLink = "/usr/libexec/runclad/runtime";
constexpr std::string_view kRuntimes[] = {"runc", "crun"};

// Empty: what `status` describes can be the lower runtime. `self` is this program.
std::string WhyUnfit(const struct stat& status, const struct stat& self) {
  if (!S_ISREG(status.st_mode) || (status.st_mode & S_IXUSR) == 0) return "not an executable file";
  if (status.st_uid != 0) return "owned by uid " + std::to_string(status.st_uid) + ", not by root";
  if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) return "writable by users other than root";
  if (self.st_dev == status.st_dev && self.st_ino == status.st_ino) return "runclad itself";
  return {};
}

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// The closed runtime of this name; empty if there is none.
std::string Closed(std::string_view name, const struct stat& self) {
  std::string path = std::string(kClosedDirectory).append("/").append(name);
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !WhyUnfit(status, self).empty()) path.clear();
  return path;
}

Result<std::string> Named(const std::string& path, const struct stat& self) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) {
    return SystemError("the lower runtime " + path + " cannot be examined", errno);
  }
  const std::string why = WhyUnfit(status, self);
  if (why.empty()) return path;
  // The name is older than the closing.
  const bool is_self = self.st_dev == status.st_dev && self.st_ino == status.st_ino;
  std::array<char, PATH_MAX> target{};
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  for (const std::string_view name :
       {BaseName(path), BaseName({target.data(), size < 0 ? 0 : static_cast<std::size_t>(size)})}) {
    if (!is_self || std::ranges::find(kRuntimes, name) == std::end(kRuntimes)) continue;
    if (std::string closed = Closed(name, self); !closed.empty()) return closed;
  }
  return Error{"the lower runtime " + path + " is " + why};
}

// Whether every user of the host is mapped into our user namespace, as in the host's own.
bool IsInHostUserNamespace() {
  constexpr std::size_t kMaxBytes = 4096;
  const UniqueFd file(::open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC));
  if (!file) return true;  // a kernel without them
  const auto map = ReadRegularFile(file.get(), kMaxBytes);
  if (!map) return false;
  std::array<unsigned long, 3> range{};
  return std::sscanf(map->c_str(), "%lu %lu %lu", &range[0], &range[1], &range[2]) == 3 &&
         range[0] == 0 && range[1] == 0 && range[2] == UINT32_MAX;
}

// runc's own condition (shouldHonorXDGRuntimeDir); crun asks for none.
bool RuncUsesRuntimeDirectory() {
  if (::geteuid() != 0) return true;
  if (IsInHostUserNamespace()) return false;
  const char* user = ::getenv("USER");  // NOLINT(concurrency-mt-unsafe)
  return user == nullptr || std::string_view{user} != "root";
}

}  // namespace

std::string PlaceLinkOf(std::string_view name) {
  return std::string(kClosedDirectory).append("/.").append(name).append(".from");
}

std::string PlaceOf(const std::string& runtime) {
  const std::string_view name = BaseName(runtime);
  if (runtime != std::string(kClosedDirectory).append("/").append(name)) return runtime;
  std::array<char, PATH_MAX> place;
  const ssize_t size = ::readlink(PlaceLinkOf(name).c_str(), place.data(), place.size());
  return size <= 0 ? runtime : std::string(place.data(), static_cast<std::size_t>(size));
}

std::string_view CalledAs() {
  // NOLINTNEXTLINE(*-reinterpret-cast, performance-no-int-to-ptr): the kernel's own form
  const char* path = reinterpret_cast<const char*>(::getauxval(AT_EXECFN));
  return path == nullptr ? std::string_view() : path;
}

Result<std::string> FindLowerRuntime(const std::optional<std::string>& named,
                                     std::string_view called_as, const std::string& own) {
  struct stat self {};
  // Without knowing our own file, we could execute ourselves in an endless loop.
  if (::stat(own.c_str(), &self) != 0) {
    return SystemError(
        own + " cannot be examined: runclad and its lower runtime need /proc mounted", errno);
  }
  if (named) return Named(*named, self);
  const std::string_view own_name = BaseName(called_as);
  if (std::ranges::find(kRuntimes, own_name) != std::end(kRuntimes)) {
    // Containers of before are known to this one alone.
    if (std::string closed = Closed(own_name, self); !closed.empty()) return closed;
  }
  struct stat status {};
  // A user of dockerd can have a directory made there, and the author of a pod an empty file
  // (hostPath with FileOrCreate): neither names a runtime, and either would stop every call.
  const bool is_there = ::lstat(kLink, &status) == 0;
  const bool is_made =
      is_there && (S_ISDIR(status.st_mode) || (S_ISREG(status.st_mode) && status.st_size == 0));
  if (is_there && !is_made) return Named(kLink, self);
  for (const std::string_view name : kRuntimes) {
    for (const std::string_view directory : kRuntimeDirectories) {
      const std::string path = std::string(directory).append(name);
      // A diverted runc is runclad under that name: continue the search.
      if (::stat(path.c_str(), &status) == 0 && WhyUnfit(status, self).empty()) return path;
    }
    if (std::string closed = Closed(name, self); !closed.empty()) return closed;
  }
  return Error{
      "no lower runtime: neither runc nor crun is in /usr/local/sbin:/usr/local/bin:/usr/sbin:"
      "/usr/bin:/sbin:/bin; install runc, or link /usr/libexec/runclad/runtime to it"};
}

bool IsCrun(const std::string& program) {
  return program.find("crun", program.rfind('/') + 1) != std::string::npos;
}

std::string DefaultRoot(const std::string& runtime) {
  std::array<char, PATH_MAX> real{};
  const std::string path =
      ::realpath(runtime.c_str(), real.data()) != nullptr ? std::string(real.data()) : runtime;
  const std::string_view name = std::string_view{path}.substr(path.rfind('/') + 1);
  const std::string_view kind = name.starts_with("crun") ? "crun" : "runc";
  const char* directory = ::getenv("XDG_RUNTIME_DIR");  // NOLINT(concurrency-mt-unsafe)
  const bool is_used =
      directory != nullptr && *directory != '\0' && (kind == "crun" || RuncUsesRuntimeDirectory());
  return std::string(is_used ? directory : "/run") + "/" + std::string(kind);
}

}  // namespace runclad::sys
