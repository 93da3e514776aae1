#include "state_directory.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <utility>

#include "runclad/sys/file.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::engine {

Result<StateDirectory> StateDirectory::Open(const std::string& path) {
  auto directory = sys::OpenWithoutLinks(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  if (!directory) return directory.error();
  if (!sys::OnlyRootCouldReplace(path)) return Error{path + " is not root's alone"};
  return StateDirectory(path, *std::move(directory));
}

// No value where a component does not exist.
Result<std::optional<UniqueFd>> StateDirectory::Find(const std::string& path) const {
  const std::string title = path_ + '/' + path;
  UniqueFd at;
  for (std::size_t start = 0; start < path.size();) {
    const std::size_t slash = path.find('/', start);
    const bool is_last = slash == std::string::npos;
    const std::string name = path.substr(start, is_last ? slash : slash - start);
    // O_NONBLOCK: a FIFO in the file's place must not hold us up.
    const int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (is_last ? 0 : O_DIRECTORY);
    if (name.empty() || name == "." || name == "..") return Error{title + " is no path below it"};
    UniqueFd next(::openat(at ? at.get() : directory_.get(), name.c_str(), flags));
    if (!next && errno == ENOENT) return std::optional<UniqueFd>();
    if (!next) return SystemError(title + " cannot be opened", errno);
    struct stat status {};
    if (::fstat(next.get(), &status) != 0) return SystemError(title, errno);
    if (const std::string why = sys::WhyUntrusted(status); !why.empty()) {
      return Error{title + ": " + name + " is " + why};
    }
    at = std::move(next);
    start = is_last ? path.size() : slash + 1;
  }
  if (!at) return Error{title + " is no file"};
  return std::optional<UniqueFd>(std::move(at));
}

Result<UniqueFd> StateDirectory::OpenFile(const std::string& path) const {
  auto file = Find(path);
  if (!file) return file.error();
  if (!*file) return SystemError(path_ + '/' + path + " cannot be opened", ENOENT);
  return **std::move(file);
}

Result<std::optional<std::string>> StateDirectory::ReadIfPresent(const std::string& path,
                                                                 std::size_t max_bytes) const {
  const auto file = Find(path);
  if (!file) return file.error();
  if (!*file) return std::optional<std::string>();
  auto bytes = sys::ReadRegularFile((*file)->get(), max_bytes);
  if (!bytes) return bytes.error().In(path_ + '/' + path);
  return std::optional<std::string>(*std::move(bytes));
}

Result<std::string> StateDirectory::Read(const std::string& path, std::size_t max_bytes) const {
  auto bytes = ReadIfPresent(path, max_bytes);
  if (!bytes) return bytes.error();
  if (!*bytes) return SystemError(path_ + '/' + path + " cannot be opened", ENOENT);
  return **std::move(bytes);
}

}  // namespace runclad::engine
