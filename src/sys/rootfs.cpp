#include "runclad/sys/rootfs.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <memory>
#include <vector>

#include "runclad/base/spelling.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::sys {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxLookups = 500'000;  // half a second

std::string Relative(const std::string& resolved) {
  return resolved.size() <= 1 ? "." : resolved.substr(1);
}

void AddContent(int parent, const char* name, int depth, const std::string& path,
                DirectoryContent& content) {
  const UniqueFd fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd || depth > kMaxDepth) return;
  VisitEntries(fd.get(), [&](const dirent& entry) {
    const char* child = static_cast<const char*>(entry.d_name);
    struct stat status {};
    if (::fstatat(fd.get(), child, &status, AT_SYMLINK_NOFOLLOW) != 0) return true;
    content.bytes += kPage;
    if (S_ISREG(status.st_mode)) {
      content.bytes += (static_cast<std::uint64_t>(status.st_size) + kPage - 1) / kPage * kPage;
    } else if (S_ISDIR(status.st_mode)) {
      AddContent(fd.get(), child, depth + 1, path + "/" + child, content);
    } else if (!S_ISLNK(status.st_mode) && content.special.empty()) {
      content.special = path + "/" + child;
    }
    return true;
  });
}

// Text that is taken apart at its slashes, from the front.
struct Components {
  std::string text;
  std::size_t at = 0;

  // Empty at the end.
  std::string_view Next() {
    at = std::min(text.find_first_not_of('/', at), text.size());
    const std::size_t begin = at;
    at = std::min(text.find('/', begin), text.size());
    return std::string_view(text).substr(begin, at - begin);
  }
};

// A path below a root directory that grows and shrinks by one component. Some of the directories on
// the way are kept open, so that a lookup costs the same however deep it is.
class Walk {
 public:
  explicit Walk(int root) : root_(root) {}

  // Adds a component, unless it is a link: then returns what the link says.
  std::optional<std::string> Enter(std::string_view name) {
    const std::size_t parent_size = path_.size();
    path_ += '/';
    path_ += name;
    if (path_.size() > absent_size_) return std::nullopt;
    std::array<char, PATH_MAX> target;
    const ssize_t length =
        ::readlinkat(base(), path_.c_str() + base_size() + 1, target.data(), target.size());
    if (length > 0) {
      path_.resize(parent_size);
      return std::string(target.data(), static_cast<std::size_t>(length));
    }
    if (errno != EINVAL) {  // nothing is there, nor below
      absent_size_ = path_.size();
    } else if (++names_since_base_ == kNamesPerBase) {
      KeepOpen();
    }
    return std::nullopt;
  }
  // Adds a component, whatever it is.
  void EnterAsWritten(std::string_view name) {
    path_ += '/';
    path_ += name;
    absent_size_ = std::min(absent_size_, path_.size());
  }

  void LeaveOne() { Truncate(path_.empty() ? 0 : path_.rfind('/')); }
  void LeaveAll() { Truncate(0); }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  struct Base {
    UniqueFd directory;
    std::size_t size = 0;  // of the path to it
  };
  static constexpr int kNamesPerBase = 32;

  [[nodiscard]] int base() const { return bases_.empty() ? root_ : bases_.back().directory.get(); }
  [[nodiscard]] std::size_t base_size() const { return bases_.empty() ? 0 : bases_.back().size; }

  // Where that is not possible, lookups go on from the last one.
  void KeepOpen() {
    names_since_base_ = 0;
    auto directory = OpenWithoutLinks(base(), path_.substr(base_size() + 1), O_PATH | O_DIRECTORY);
    if (directory) bases_.push_back({*std::move(directory), path_.size()});
  }

  void Truncate(std::size_t size) {
    path_.resize(size);
    if (absent_size_ > size) absent_size_ = std::string::npos;
    while (base_size() > size) {
      bases_.pop_back();
      names_since_base_ = 0;
    }
  }

  int root_;
  std::string path_;
  std::vector<Base> bases_;
  int names_since_base_ = 0;
  std::size_t absent_size_ = std::string::npos;  // a path as long as this one leads nowhere
};

}  // namespace

Result<Rootfs> Rootfs::Open(const std::string& path) {
  UniqueFd directory(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!directory) return SystemError("the rootfs " + path + " cannot be opened", errno);
  return Rootfs(std::move(directory));
}

Result<std::string> Rootfs::Resolve(std::string_view path) const {
  constexpr int kMaxLinks = 255;
  const auto fault = [&](const char* why) { return Error{"the path " + Quoted(path) + " " + why}; };
  constexpr const char* kTooLong = "is longer than the 4095 bytes that a path may have";
  if (path.size() >= PATH_MAX) return fault(kTooLong);
  std::vector<Components> ahead;
  ahead.push_back({std::string(path)});
  Walk walk(directory_.get());
  int links = 0;
  while (!ahead.empty()) {
    const std::string_view component = ahead.back().Next();
    if (component.empty()) {
      ahead.pop_back();
    } else if (component == "..") {
      walk.LeaveOne();
    } else if (component != ".") {
      if (++looked_up_ > kMaxLookups) {
        return fault("and others need more than 500000 lookups in the container's files");
      }
      auto link = walk.Enter(component);
      if (link && links < kMaxLinks) {
        ++links;
        if (link->starts_with('/')) walk.LeaveAll();
        ahead.push_back({*std::move(link)});
        continue;
      }
      if (link) walk.EnterAsWritten(component);
      if (walk.path().size() >= PATH_MAX) {
        return fault("leads through links to a path of more than 4095 bytes");
      }
    }
  }
  return walk.path().empty() ? "/" : walk.path();
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
  VisitEntries(directory->get(), [&](const dirent& entry) {
    if (names.size() == max_names) return false;
    names.emplace_back(static_cast<const char*>(entry.d_name));
    return true;
  });
  std::ranges::sort(names);
  return names;
}

Result<UniqueFd> Rootfs::OpenResolved(const std::string& resolved, int flags) const {
  return OpenWithoutLinks(directory_.get(), Relative(resolved), flags);
}

DirectoryContent Rootfs::Measure(const std::string& resolved) const {
  DirectoryContent content;
  AddContent(directory_.get(), Relative(resolved).c_str(), 0, resolved, content);
  return content;
}

}  // namespace runclad::sys
