#include "files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::configure {
namespace {

namespace fs = std::filesystem;

std::string WithoutLinks(const std::string& path) {
  std::array<char, PATH_MAX> real{};
  if (::realpath(path.c_str(), real.data()) != nullptr) return real.data();
  // What does not exist yet may be in a directory that is reached by a link.
  const fs::path parent = fs::path(path).parent_path();
  if (::realpath(parent.c_str(), real.data()) == nullptr) return path;
  return (fs::path(real.data()) / fs::path(path).filename()).string();
}

}  // namespace

Result<File> ReadFile(const std::string& path) {
  constexpr std::size_t kMaxBytes = std::size_t{4} << 20U;
  File file{.path = WithoutLinks(path), .bytes = std::nullopt};
  const UniqueFd open(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!open && errno == ENOENT) return file;
  if (!open) return SystemError(path + " cannot be opened", errno);
  struct stat status {};
  if (::fstat(open.get(), &status) != 0) return SystemError(path + " cannot be examined", errno);
  auto bytes = sys::ReadRegularFile(open.get(), kMaxBytes);
  if (!bytes) return bytes.error().In(path);
  constexpr mode_t kPermissions = 07777;
  file.mode = status.st_mode & kPermissions;
  file.owner = status.st_uid;
  file.group = status.st_gid;
  file.bytes = std::move(*bytes);
  return file;
}

Status WriteFile(const File& file) {
  const fs::path path = file.path;
  std::error_code fault;
  if (!file.bytes) {
    if (!fs::remove(path, fault) && fault) {
      return SystemError(file.path + " cannot be removed", fault.value());
    }
    return {};
  }
  const mode_t mask = ::umask(S_IWGRP | S_IWOTH);
  fs::create_directories(path.parent_path(), fault);
  ::umask(mask);
  if (fault) return SystemError(path.parent_path().string() + " cannot be created", fault.value());
  const auto directory = sys::OpenDirectory(path.parent_path());
  if (!directory) return directory.error();
  const auto replaced = sys::ReplaceFile(directory->get(), path.filename(), *file.bytes, file.mode,
                                         file.owner, file.group);
  if (!replaced) return replaced.error().In(path.parent_path().string());
  // An engine's configuration outlives this boot.
  const UniqueFd written(::open(file.path.c_str(), O_RDONLY | O_CLOEXEC));
  if (written) ::fsync(written.get());
  ::fsync(directory->get());
  return {};
}

Status Apply(const std::vector<Change>& changes, const std::function<Status()>& verify,
             const std::function<void()>& undone) {
  std::vector<File> written;
  const auto put_back = [&](const Error& why) -> Error {
    std::string left;
    for (auto file = written.rbegin(); file != written.rend(); ++file) {
      if (const auto restored = WriteFile(*file); !restored)
        left += "; " + restored.error().message;
    }
    if (!written.empty()) undone();
    return {why.message + (left.empty() ? "; nothing was changed" : left)};
  };
  for (const Change& change : changes) {
    if (!change.is_needed()) continue;
    File file = change.before;
    file.bytes = change.after;
    written.push_back(change.before);
    if (const auto status = WriteFile(file); !status) return put_back(status.error());
  }
  if (const auto verified = verify(); !verified) return put_back(verified.error());
  return {};
}

Status WithCandidate(const std::string& path, std::string_view text,
                     const std::function<Status(const std::string&)>& check) {
  const fs::path directory = fs::path(path).parent_path();
  std::error_code fault;
  const bool is_there = fs::is_directory(directory, fault);
  std::string name = (is_there ? directory : fs::path("/tmp")) / ".runclad-XXXXXX";
  const UniqueFd file(::mkostemp(name.data(), O_CLOEXEC));
  if (!file) return SystemError(name + " cannot be created", errno);
  Status status;
  if (::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    status = SystemError(name + " cannot be written", errno);
  } else {
    status = check(name);
  }
  ::unlink(name.c_str());
  return status;
}

}  // namespace runclad::configure
