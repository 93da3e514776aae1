// Removes what containers that are gone have left among the records: nobody called delete for them,
// or a runclad was killed.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>

#include "runclad/enforce/records.hpp"
#include "runclad/enforce/runtime_state.hpp"

#include "record_names.hpp"

namespace runclad::enforce {
namespace {

constexpr const char* kSwept = "swept";
constexpr std::time_t kSweepSeconds = 600;
// A create waits for the sweep: it is cut short here, and the next create goes on.
constexpr int kMaxChanges = 64;

enum class Age { kYoung, kOld, kFuture };

class Sweeper {
 public:
  Sweeper(int directory, const std::string& runtime_root)
      : directory_(directory), runtime_root_(runtime_root), now_(std::time(nullptr)) {}

  // A stamp of the future says only that the clock was ahead once.
  [[nodiscard]] bool IsDue() const { return AgeOf(kSwept) != Age::kYoung; }

  // Whether everything was looked at.
  bool Run() {
    // Its own file description: the position in the directory is this sweep's.
    const int copy = ::openat(directory_, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy), ::closedir);
    if (!stream) return false;
    int changes = 0;
    while (const dirent* entry = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
      const std::string_view name = static_cast<const char*>(entry->d_name);
      if (MayStay(name)) continue;
      switch (AgeOf(name.data())) {
        case Age::kYoung:
          continue;
        case Age::kOld:
          ::unlinkat(directory_, name.data(), 0);
          break;
        case Age::kFuture: {  // ten minutes from now on
          constexpr timespec kNow[] = {{.tv_sec = 0, .tv_nsec = UTIME_OMIT},
                                       {.tv_sec = 0, .tv_nsec = UTIME_NOW}};
          ::utimensat(directory_, name.data(), static_cast<const timespec*>(kNow),
                      AT_SYMLINK_NOFOLLOW);
          break;
        }
      }
      if (++changes == kMaxChanges) return false;
    }
    return true;
  }

  void Stamp() const {
    const UniqueFd stamp(::openat(directory_, kSwept, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC,
                                  S_IRUSR | S_IWUSR));
    if (stamp) ::futimens(stamp.get(), nullptr);
  }

 private:
  [[nodiscard]] Age AgeOf(const char* name) const {
    struct stat status {};
    if (::fstatat(directory_, name, &status, AT_SYMLINK_NOFOLLOW) != 0) return Age::kOld;
    if (status.st_mtime > now_) return Age::kFuture;
    return now_ - status.st_mtime > kSweepSeconds ? Age::kOld : Age::kYoung;
  }

  // Whatever its age. The content of nothing is read.
  [[nodiscard]] bool MayStay(std::string_view name) const {
    if (name.ends_with(kRecordSuffix)) {
      return ContainerExists(runtime_root_, name.substr(0, name.size() - kRecordSuffix.size()));
    }
    if (name.starts_with(kPidPrefix)) return LeadsToRecord(name);
    return name.find(kTemporaryMark) == std::string_view::npos;
  }

  [[nodiscard]] bool LeadsToRecord(std::string_view link) const {
    constexpr std::size_t kMaxId = 1024;
    char id[kMaxId];
    const ssize_t size = ::readlinkat(directory_, link.data(), static_cast<char*>(id), kMaxId);
    if (size <= 0 || static_cast<std::size_t>(size) == kMaxId) return false;
    const std::string record = std::string(static_cast<char*>(id), static_cast<std::size_t>(size)) +
                               std::string(kRecordSuffix);
    struct stat status {};
    return ::fstatat(directory_, record.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 ||
           errno != ENOENT;
  }

  int directory_;
  const std::string& runtime_root_;
  std::time_t now_;
};

}  // namespace

void Records::Sweep(const std::string& runtime_root) const {
  if (!directory_) return;
  Sweeper sweeper(directory_.get(), runtime_root);
  if (sweeper.IsDue() && sweeper.Run()) sweeper.Stamp();
}

}  // namespace runclad::enforce
