// Removes records of containers that no longer exist: delete was not called for them, or a runclad
// was killed.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "runclad/host/runtime_state.hpp"
#include "runclad/store/records.hpp"

#include "leftovers.hpp"
#include "record_names.hpp"
#include "records_roots.hpp"

namespace runclad::store {
namespace {

bool LeadsToRecord(int directory, const char* link) {
  constexpr std::size_t kMaxId = 1024;
  char id[kMaxId];
  const ssize_t size = ::readlinkat(directory, link, static_cast<char*>(id), kMaxId);
  if (size <= 0 || static_cast<std::size_t>(size) == kMaxId) return false;
  const std::string record = std::string(static_cast<char*>(id), static_cast<std::size_t>(size)) +
                             std::string(kRecordSuffix);
  struct stat status {};
  return ::fstatat(directory, record.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
}

// The content of nothing is read.
bool IsLeft(int directory, const std::string& runtime_root, std::string_view name) {
  for (const std::string_view suffix : {kRecordSuffix, kRepeatsSuffix}) {
    if (!name.ends_with(suffix)) continue;
    return !host::ContainerExists(runtime_root, name.substr(0, name.size() - suffix.size()));
  }
  if (name.starts_with(kPidPrefix)) return !LeadsToRecord(directory, name.data());
  return name.find(kTemporaryMark) != std::string_view::npos;
}

}  // namespace

void Records::Sweep(const std::string& runtime_root) const {
  if (!directory_) return;
  int left_to_change = kMaxSweptAtOnce;
  SweepWhenDue(directory_.get(), [&] {
    return RemoveLeftovers(
        directory_.get(),
        [&](const char* name, std::time_t) { return IsLeft(directory_.get(), runtime_root, name); },
        left_to_change);
  });
  SweepRootsThatAreGone(left_to_change);
}

}  // namespace runclad::store
