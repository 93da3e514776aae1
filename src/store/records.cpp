#include "runclad/store/records.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <ctime>

#include "runclad/host/runtime_state.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/process.hpp"

#include "record_life.hpp"
#include "record_names.hpp"
#include "records_roots.hpp"

namespace runclad::store {
namespace {

// The file system's longest name, without the suffix.
constexpr std::size_t kMaxIdBytes = NAME_MAX - kRecordSuffix.size();

std::string FileName(std::string_view id) { return std::string(id) + std::string(kRecordSuffix); }

std::string PidName(pid_t pid) { return std::string(kPidPrefix) + std::to_string(pid); }

// Not open where nothing is there.
Result<UniqueFd> OpenIfPresent(const std::string& path) {
  auto directory = sys::OpenWithoutLinks(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
  if (directory) return directory;
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0 && errno == ENOENT) return UniqueFd();
  return directory.error();
}

// A sweep locks it for a moment. If dockerd created the directory, any user can keep it locked:
// after two seconds there is no reason to wait, since only records without a root are swept.
void Hold(int directory) {
  constexpr timespec kPause = {.tv_sec = 0, .tv_nsec = 1'000'000};
  for (int tries_left = 2000; tries_left > 0; --tries_left) {
    if (::flock(directory, LOCK_SH | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
    ::nanosleep(&kPause, nullptr);
  }
}

// Holds the directory until we are another program: what sweeps the directories of roots that are
// gone leaves it alone, or has removed it before.
Result<UniqueFd> MakeAndHold(const std::string& base, const std::string& path) {
  constexpr int kTries = 10;
  for (int tries_left = kTries; tries_left > 0; --tries_left) {
    // `base` is nearly always there: it is made only where `path` cannot be.
    Status made = sys::MakePrivateDirectory(path);
    if (!made && errno == ENOENT) {
      made = sys::MakePrivateDirectory(base);
      if (made) made = sys::MakePrivateDirectory(path);
    }
    if (!made) return made.error();
    auto directory = OpenIfPresent(path);
    if (!directory) return directory;
    if (!*directory) continue;
    struct stat status {};
    Hold(directory->get());
    if (::fstat(directory->get(), &status) != 0) return SystemError(path, errno);
    if (status.st_nlink > 0) return directory;
  }
  return Error{"the directory " + path + " keeps being removed"};
}

}  // namespace

Result<Records> Records::Open(const std::string& runtime_root, bool create) {
  struct stat status {};
  if (::stat(runtime_root.c_str(), &status) != 0) {
    if (!create && (errno == ENOENT || errno == ENOTDIR)) return Records(UniqueFd(), runtime_root);
    return SystemError("the runtime's root " + runtime_root + " cannot be examined", errno);
  }
  const sys::Inode root{.device = status.st_dev, .number = status.st_ino};
  const std::string base(kRecordsDirectory);
  const std::string path =
      base + "/" + std::to_string(status.st_dev) + "-" + std::to_string(status.st_ino);
  auto directory = create ? MakeAndHold(base, path) : OpenIfPresent(path);
  if (!directory) return directory.error();
  if (!*directory) return Records(UniqueFd(), runtime_root);
  if (::fstat(directory->get(), &status) != 0) return SystemError(path, errno);
  if (const std::string why = sys::WhyUntrusted(status); !why.empty()) {
    return Error{"the directory of records " + path + " is " + why};
  }
  if (create) NoteRoot(directory->get(), runtime_root, root);
  return Records(*std::move(directory), runtime_root);
}

Result<std::optional<std::string>> Records::Find(std::string_view id) const {
  if (!directory_ || id.size() > kMaxIdBytes) return std::optional<std::string>();
  const std::string name = FileName(id);
  struct stat status {};
  if (::fstatat(directory_.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 &&
      errno == ENOENT) {
    return std::optional<std::string>();
  }
  auto bytes = sys::ReadTrustedFile(directory_.get(), name, kMaxRecordBytes);
  if (!bytes) return bytes.error().In("the record of container " + std::string(id));
  return std::optional<std::string>(*std::move(bytes));
}

Result<std::optional<Life>> Records::FindLife(std::string_view id) const {
  const auto text = Find(id);
  if (!text) return text.error();
  if (!text->has_value()) return std::optional<Life>();
  auto life = LifeFrom(**text);
  if (!life) return life.error().In("the record of container " + std::string(id));
  if (life->id != id) {
    return Error{"the record of container " + std::string(id) + " is of " + life->id};
  }
  return std::optional<Life>(*std::move(life));
}

std::string Records::FindByPid(pid_t pid) const {
  if (!directory_) return {};
  std::string id = FindStarted(pid);
  return id.empty() ? FindRun(pid) : id;
}

std::string Records::FindRun(pid_t pid) const {
  std::string found;
  sys::VisitEntries(directory_.get(), [&](const dirent& entry) {
    std::string_view id = static_cast<const char*>(entry.d_name);
    if (!id.ends_with(kRecordSuffix)) return true;
    id.remove_suffix(kRecordSuffix.size());
    const auto life = FindLife(id);
    if (!life || !life->has_value() || (*life)->pid != 0) return true;
    const auto state = host::ReadRuntimeState(runtime_root_, id);
    // One that waits for its start has not been compared with its record.
    const bool is_it = state && !state->is_waiting && state->pid == pid &&
                       sys::StartTime(pid) == state->start_time;
    if (is_it) found = id;
    return !is_it;
  });
  return found;
}

std::string Records::FindStarted(pid_t pid) const {
  std::array<char, 1024> id{};
  const ssize_t length = ::readlinkat(directory_.get(), PidName(pid).c_str(), id.data(), id.size());
  if (length <= 0 || static_cast<std::size_t>(length) == id.size()) return {};
  const auto life = FindLife(std::string_view(id.data(), static_cast<std::size_t>(length)));
  if (!life || !life->has_value() || (*life)->pid != pid) return {};
  // Another process may have the number by now.
  if (sys::StartTime(pid) != (*life)->start_time) return {};
  return (*life)->id;
}

Status Records::Replace(std::string_view id, std::string_view text, pid_t pid) const {
  const std::string who = "the record of container " + std::string(id);
  if (text.size() > kMaxRecordBytes) {  // it could not be read at start and exec
    return Error{who + " exceeds 32 MiB: the container has too many mounts"};
  }
  auto written = sys::ReplaceFile(directory_.get(), FileName(id), text, S_IRUSR | S_IWUSR,
                                  ::geteuid(), ::getegid());
  if (!written) return written.error().In(who);
  if (pid == 0) return {};
  const std::string name = PidName(pid);
  if (::unlinkat(directory_.get(), name.c_str(), 0) != 0 && errno == EISDIR) {
    sys::RemoveEmptyDirectories("/proc/self/fd/" + std::to_string(directory_.get()) + '/' + name);
  }
  if (::symlinkat(std::string(id).c_str(), directory_.get(), name.c_str()) != 0) {
    return SystemError(who + " cannot be found by pid", errno);
  }
  return {};
}

Status Records::Write(const Life& life, std::string_view text) const {
  if (!directory_) return Error{"there is no directory for records"};
  if (life.id.size() > kMaxIdBytes) {
    return Error{"the container id has " + std::to_string(life.id.size()) +
                 " bytes; runclad supports at most " + std::to_string(kMaxIdBytes)};
  }
  return Replace(life.id, text, life.pid);
}

Status Records::Stamp(std::string_view id, pid_t pid, std::uint64_t start_time) const {
  const auto text = Find(id);
  if (!text) return text.error();
  const std::string who = "the record of container " + std::string(id);
  if (!text->has_value()) return Error{who + " is gone"};
  const auto stamped = Stamped(**text, pid, start_time);
  if (!stamped) return stamped.error().In(who);
  return Replace(id, *stamped, pid);
}

void Records::Remove(std::string_view id) const {
  if (!directory_) return;
  if (const auto life = FindLife(id); life && life->has_value() && (*life)->pid != 0) {
    ::unlinkat(directory_.get(), PidName((*life)->pid).c_str(), 0);
  }
  ::unlinkat(directory_.get(), FileName(id).c_str(), 0);
  ::unlinkat(directory_.get(), std::string(id).append(kRepeatsSuffix).c_str(), 0);
}

}  // namespace runclad::store
