#include "state_directory.hpp"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "runclad/sys/file.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::engine {

Result<StateDirectory> StateDirectory::Open(const std::string& path) {
  auto directory = sys::OpenWithoutLinks(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  if (!directory) return directory.error();
  if (!sys::OnlyRootCouldReplace(path))
    return Error{path + " can be modified by users other than root"};
  return StateDirectory(path, *std::move(directory));
}

Result<StateDirectory> StateDirectory::Below(const std::string& path) const {
  auto directory = OpenFile(path);
  if (!directory) return directory.error();
  return StateDirectory(path_ + '/' + path, *std::move(directory));
}

Result<std::optional<UniqueFd>> StateDirectory::OpenFileIfPresent(const std::string& path) const {
  auto file = sys::OpenTrusted(directory_.get(), path);
  if (!file) return Error{path_ + '/' + file.error().message};
  return file;
}

Result<UniqueFd> StateDirectory::OpenFile(const std::string& path) const {
  auto file = OpenFileIfPresent(path);
  if (!file) return file.error();
  if (!*file) return SystemError(path_ + '/' + path + " cannot be opened", ENOENT);
  return **std::move(file);
}

Result<std::optional<std::string>> StateDirectory::ReadIfPresent(const std::string& path,
                                                                 std::size_t max_bytes) const {
  const auto file = OpenFileIfPresent(path);
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
