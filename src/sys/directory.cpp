#include "runclad/sys/directory.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
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
  (void)own.Release();  // the stream's now
  while (true) {
    errno = 0;
    const dirent* entry = ::readdir(stream.get());  // NOLINT(concurrency-mt-unsafe)
    if (entry == nullptr) return errno == 0;
    const std::string_view name = static_cast<const char*>(entry->d_name);
    if (name == "." || name == "..") continue;
    if (!visit(*entry)) return true;
  }
}

std::optional<std::vector<std::string>> ReadNames(const std::string& path) {
  const UniqueFd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  std::vector<std::string> names;
  const bool is_read = directory && VisitEntries(directory.get(), [&](const dirent& entry) {
                         names.emplace_back(static_cast<const char*>(entry.d_name));
                         return true;
                       });
  if (!is_read) return std::nullopt;
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> NamesIn(const std::string& path) {
  return ReadNames(path).value_or(std::vector<std::string>());
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
