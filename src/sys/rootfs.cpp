#include "runclad/sys/rootfs.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>
#include <vector>

#include "runclad/sys/file.hpp"

namespace runclad::sys {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr int kMaxDepth = 32;

// Splits at slashes; the components go onto `stack` so that the first one is on top.
void PushComponents(std::string_view path, std::vector<std::string>& stack) {
  const std::size_t bottom = stack.size();
  std::size_t begin = 0;
  while (begin < path.size()) {
    const std::size_t end = std::min(path.find('/', begin), path.size());
    if (end > begin) {
      stack.emplace(stack.begin() + static_cast<std::ptrdiff_t>(bottom),
                    path.substr(begin, end - begin));
    }
    begin = end + 1;
  }
}

std::string Relative(const std::string& resolved) {
  return resolved.size() <= 1 ? "." : resolved.substr(1);
}

std::uint64_t Measure(int parent, const char* name, int depth) {
  const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(fd), ::closedir);
  if (!stream || depth > kMaxDepth) return 0;
  std::uint64_t bytes = 0;
  while (const dirent* entry = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view child = static_cast<const char*>(entry->d_name);
    if (child == "." || child == "..") continue;
    struct stat status {};
    if (::fstatat(fd, child.data(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    bytes += kPage;
    if (S_ISREG(status.st_mode)) {
      bytes += (static_cast<std::uint64_t>(status.st_size) + kPage - 1) / kPage * kPage;
    } else if (S_ISDIR(status.st_mode)) {
      bytes += Measure(fd, child.data(), depth + 1);
    }
  }
  return bytes;
}

}  // namespace

Result<Rootfs> Rootfs::Open(const std::string& path) {
  UniqueFd directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return SystemError("the rootfs " + path + " cannot be opened", errno);
  return Rootfs(std::move(directory));
}

std::string Rootfs::Resolve(std::string_view path) const {
  constexpr int kMaxLinks = 40;  // as the kernel
  std::vector<std::string> ahead;
  PushComponents(path, ahead);
  std::string resolved;
  int links = 0;
  while (!ahead.empty()) {
    const std::string component = std::move(ahead.back());
    ahead.pop_back();
    if (component == ".") continue;
    if (component == "..") {
      resolved.resize(resolved.empty() ? 0 : resolved.rfind('/'));
      continue;
    }
    const std::string next = resolved + "/" + component;
    std::array<char, PATH_MAX> target{};
    const ssize_t length =
        ::readlinkat(directory_.get(), Relative(next).c_str(), target.data(), target.size());
    if (length <= 0 || ++links > kMaxLinks) {
      resolved = next;
      continue;
    }
    const std::string_view link(target.data(), static_cast<std::size_t>(length));
    if (link.starts_with('/')) resolved.clear();
    PushComponents(link, ahead);
  }
  return resolved.empty() ? "/" : resolved;
}

std::optional<struct stat> Rootfs::Examine(const std::string& resolved) const {
  struct stat status {};
  if (::fstatat(directory_.get(), Relative(resolved).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
    return std::nullopt;
  }
  return status;
}

Result<std::string> Rootfs::Read(const std::string& resolved, std::size_t max_bytes) const {
  // Not waiting for the writer of a FIFO.
  const auto file =
      OpenWithoutLinks(directory_.get(), Relative(resolved), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return file.error();
  return ReadRegularFile(file->get(), max_bytes);
}

std::vector<std::string> Rootfs::List(const std::string& resolved, std::size_t max_names) const {
  std::vector<std::string> names;
  auto directory =
      OpenWithoutLinks(directory_.get(), Relative(resolved), O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  if (!directory) return names;
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(directory->get()), ::closedir);
  if (!stream) return names;
  (void)directory->Release();                              // the stream's now
  while (const dirent* entry = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string_view name = static_cast<const char*>(entry->d_name);
    if (name == "." || name == "..") continue;
    if (names.size() == max_names) break;
    names.emplace_back(name);
  }
  std::ranges::sort(names);
  return names;
}

Result<UniqueFd> Rootfs::OpenResolved(const std::string& resolved, int flags) const {
  return OpenWithoutLinks(directory_.get(), Relative(resolved), flags);
}

std::uint64_t Rootfs::ContentBytes(const std::string& resolved) const {
  return Measure(directory_.get(), Relative(resolved).c_str(), 0);
}

}  // namespace runclad::sys
