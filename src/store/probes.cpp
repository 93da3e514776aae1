#include "runclad/store/probes.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <utility>
#include <vector>

#include "runclad/store/kept_directory.hpp"
#include "runclad/sys/directory.hpp"

namespace runclad::store {
namespace {

constexpr const char* kDirectory = "probes";

bool IsName(const std::string& id) {
  return !id.empty() && id != "." && id != ".." && id.find('/') == std::string::npos;
}

void ForgetOldest(int directory) {
  std::vector<std::pair<time_t, std::string>> probes;
  sys::VisitEntries(directory, [&](const dirent& entry) {
    const char* name = static_cast<const char*>(entry.d_name);
    struct stat status {};
    if (::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
      probes.emplace_back(status.st_mtim.tv_sec, name);
    }
    return true;
  });
  if (probes.size() <= kMostProbes) return;
  std::ranges::sort(probes);
  for (std::size_t i = 0; i < probes.size() - kMostProbes; ++i) {
    ::unlinkat(directory, probes[i].second.c_str(), 0);
  }
}

}  // namespace

Status AddProbe(const std::string& id, const std::string& state_directory) {
  if (!IsName(id)) return Error{"a probe has no such id"};
  const auto directory = OpenKeptDirectory(state_directory, kDirectory, /*create=*/true);
  if (!directory) return directory.error();
  sys::RemoveEmptyDirectories("/proc/self/fd/" + std::to_string(directory->get()) + '/' + id);
  const UniqueFd file(::openat(directory->get(), id.c_str(),
                               O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!file) return SystemError(state_directory + "/" + kDirectory + "/" + id, errno);
  ::futimens(file.get(), nullptr);  // of an id that was used before
  ForgetOldest(directory->get());
  return {};
}

Probes Probes::Open(const std::string& state_directory) {
  auto directory = OpenKeptDirectory(state_directory, kDirectory, /*create=*/false);
  return Probes(directory ? *std::move(directory) : UniqueFd());
}

bool Probes::Contains(std::string_view verb, const std::string& id) const {
  constexpr std::string_view kMaking[] = {"create", "run", "start"};
  struct stat status {};
  // A directory says nothing: a user of dockerd could hide a container's decisions behind one.
  return directory_ && std::ranges::find(kMaking, verb) != std::end(kMaking) && IsName(id) &&
         ::fstatat(directory_.get(), id.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         S_ISREG(status.st_mode);
}

}  // namespace runclad::store
