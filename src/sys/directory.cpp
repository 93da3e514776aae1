#include "runclad/sys/directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>

#include <ftw.h>

#include "runclad/base/unique_fd.hpp"

namespace runclad::sys {

bool VisitEntries(int directory, EntryVisitor visit) {
  UniqueFd own(::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!own) return false;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(own.get()), ::closedir);
  if (!stream) return false;
  (void)own.Release();                                     // the stream's now
  while (const dirent* entry = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view name = static_cast<const char*>(entry->d_name);
    if (name == "." || name == "..") continue;
    if (!visit(*entry)) return true;
  }
  return true;
}

Status MakePrivateDirectory(const std::string& path) {
  if (::mkdir(path.c_str(), S_IRWXU) == 0 || errno == EEXIST) return {};
  const int fault = errno;
  Error error = SystemError("the directory " + path + " cannot be created", fault);
  errno = fault;
  return error;
}

bool RemoveEmptyDirectories(const std::string& path) {
  if (::rmdir(path.c_str()) == 0) return true;
  if (errno != ENOTEMPTY && errno != EEXIST) return false;
  constexpr int kDescriptors = 16;
  constexpr int kFlags = FTW_PHYS | FTW_MOUNT;
  const auto is_something_else = [](const char*, const struct stat*, int type, FTW*) {
    return type == FTW_D ? 0 : 1;
  };
  if (::nftw(path.c_str(), is_something_else, kDescriptors, kFlags) != 0) return false;
  const auto remove = [](const char* directory, const struct stat*, int, FTW*) {
    return ::rmdir(directory);
  };
  return ::nftw(path.c_str(), remove, kDescriptors, kFlags | FTW_DEPTH) == 0;
}

}  // namespace runclad::sys
