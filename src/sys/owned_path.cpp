#include "runclad/sys/owned_path.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <string_view>

#include "runclad/sys/file.hpp"

namespace runclad::sys {
namespace {

// Whether nobody but root can replace what is in the directory `status` describes, as long as that
// is root's itself.
bool KeepsItsEntries(const struct stat& status) {
  if (WhyUntrusted(status).empty()) return true;
  const bool is_roots = status.st_uid == 0 || status.st_uid == ::geteuid();
  return is_roots && S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
}

std::string ReadLink(const std::string& path) {
  std::array<char, PATH_MAX> buffer;
  const ssize_t size = ::readlink(path.c_str(), buffer.data(), buffer.size());
  return size <= 0 ? std::string() : std::string(buffer.data(), static_cast<std::size_t>(size));
}

}  // namespace

bool OnlyRootCouldReplace(const std::string& path) {
  struct stat status {};
  for (std::size_t end = 0; end != std::string::npos;) {
    end = path.find('/', end + 1);
    if (::lstat(path.substr(0, end).c_str(), &status) != 0 || S_ISLNK(status.st_mode)) return false;
    if (!KeepsItsEntries(status)) return false;
  }
  return WhyUntrusted(status).empty();
}

bool OnlyRootCouldRedirect(const std::string& path) {
  constexpr int kMaxLinks = 40;  // as the kernel
  int links_left = kMaxLinks;
  std::string done;     // without links
  bool is_kept = true;  // nobody else could replace what is in `done`
  std::string rest = path;
  while (true) {
    const std::size_t begin = rest.find_first_not_of('/');
    if (begin == std::string::npos) return true;
    const std::size_t end = rest.find('/', begin);
    const std::string name = rest.substr(begin, end - begin);
    rest = end == std::string::npos ? std::string() : rest.substr(end);
    if (name == ".") continue;
    if (name == "..") {
      done.resize(done.empty() ? 0 : done.rfind('/'));
      continue;
    }
    std::string next = done;
    next.append("/").append(name);
    struct stat status {};
    if (::lstat(next.c_str(), &status) != 0) return true;  // leads nowhere
    if (!S_ISLNK(status.st_mode)) {
      is_kept = is_kept && KeepsItsEntries(status);
      done = next;
      continue;
    }
    const bool is_roots = status.st_uid == 0 || status.st_uid == ::geteuid();
    if (!is_kept || !is_roots || --links_left == 0) return false;
    std::string target = ReadLink(next);
    if (target.starts_with('/')) done.clear();
    rest = target.append(rest);
  }
}

}  // namespace runclad::sys
