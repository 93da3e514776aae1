#include "runclad/look/drift.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <tuple>
#include <utility>

#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::look {
namespace {

constexpr int kMaxDepth = 200;

// overlayfs's own attributes are "trusted." or, for mounts of user namespaces, "user.".
std::string Attribute(int fd, const std::string& name) {
  std::array<char, 256> value{};
  for (const char* prefix : {"trusted.overlay.", "user.overlay."}) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    const ssize_t size =
        ::getxattr(path.c_str(), (prefix + name).c_str(), value.data(), value.size());
    if (size >= 0) return "+" + std::string(value.data(), static_cast<std::size_t>(size));
  }
  return {};
}

bool IsWhiteout(const struct stat& status) {
  return S_ISCHR(status.st_mode) && status.st_rdev == makedev(0, 0);
}

std::vector<std::string> LowerDirectories(const Container& container) {
  // "a:b:c", with \: for a colon in a name; "::data" layers have content alone.
  std::vector<std::string> lowers(1);
  const std::string& text = container.lower_directories;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      lowers.back() += text[++i];
    } else if (text[i] == ':') {
      lowers.emplace_back();
    } else {
      lowers.back() += text[i];
    }
  }
  std::erase_if(lowers, [](const std::string& lower) { return lower.empty(); });
  return lowers;
}

bool IsSameContent(int left, int right) {
  std::array<char, 65536> one{};
  std::array<char, 65536> other{};
  for (off_t at = 0;;) {
    const ssize_t size = ::pread(left, one.data(), one.size(), at);
    if (size < 0) return false;
    if (size == 0) return ::pread(right, other.data(), 1, at) == 0;
    ssize_t got = 0;
    while (got < size) {
      const ssize_t more =
          ::pread(right, other.data() + got, static_cast<std::size_t>(size - got), at + got);
      if (more <= 0) return false;
      got += more;
    }
    if (!std::equal(one.begin(), one.begin() + size, other.begin())) return false;
    at += size;
  }
}

class Walk {
 public:
  Walk(std::vector<UniqueFd> lowers, const std::vector<MountState>& mounts, Drift& drift)
      : lowers_(std::move(lowers)), drift_(drift) {
    for (const MountState& mount : mounts) {
      covered_.insert(mount.point);
      for (std::size_t end = mount.point.rfind('/'); end > 0 && end != std::string::npos;
           end = mount.point.rfind('/', end - 1)) {
        above_.insert(mount.point.substr(0, end));
      }
    }
  }

  // `is_new`: the image has no directory here.
  void Into(int directory, const std::string& path, bool is_new, int depth) {
    if (depth > kMaxDepth) {
      drift_.is_cut = true;
      return;
    }
    sys::VisitEntries(directory, [&](const dirent& entry) {
      if (drift_.changes.size() >= kMaxChanges) {
        drift_.is_cut = true;
        return false;
      }
      Entry(directory, static_cast<const char*>(entry.d_name), path, is_new, depth);
      return true;
    });
  }

 private:
  struct Lower {
    int layer = -1;  // a descriptor; -1: the image has no such file
    struct stat status {};
  };

  // As the image had it: the first layer that has the file or hides it.
  [[nodiscard]] Lower Find(const std::string& path) const {
    for (const UniqueFd& layer : lowers_) {
      Lower found;
      // Links in the directories of a layer lead nowhere of the host's.
      const auto opened = sys::OpenWithoutLinks(layer.get(), path.substr(1), O_PATH | O_NOFOLLOW);
      if (!opened || ::fstat(opened->get(), &found.status) != 0) {
        if (IsHiddenIn(layer.get(), path)) return {};
        continue;
      }
      if (IsWhiteout(found.status)) return {};
      found.layer = layer.get();
      return found;
    }
    return {};
  }

  // Whether a directory above is opaque in this layer: those below do not count then.
  [[nodiscard]] static bool IsHiddenIn(int layer, const std::string& path) {
    for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1)) {
      const auto above = sys::OpenWithoutLinks(layer, path.substr(1, at - 1), O_PATH | O_NOFOLLOW);
      struct stat status {};
      if (!above || ::fstat(above->get(), &status) != 0) return false;
      if (!S_ISDIR(status.st_mode) || Attribute(above->get(), "opaque") == "+y") return true;
    }
    return false;
  }

  void Entry(int directory, const std::string& name, const std::string& above, bool is_new,
             int depth) {
    const std::string path = (above == "/" ? "/" : above + "/") + name;
    // What engines and runtimes make to mount something there.
    if (covered_.contains(path)) return;
    const UniqueFd file(::openat(directory, name.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    struct stat status {};
    if (!file || ::fstat(file.get(), &status) != 0) return;
    const Lower lower = is_new ? Lower() : Find(path);
    if (IsWhiteout(status)) {
      if (lower.layer < 0) return;
      Change removed;
      removed.path = path;
      removed.kind = ChangeKind::kRemoved;
      drift_.changes.push_back(std::move(removed));
      return;
    }
    const bool is_directory = S_ISDIR(status.st_mode);
    const bool is_opaque = is_directory && Attribute(file.get(), "opaque") == "+y";
    // A runtime that makes a mount point makes the directories above it, too. What else is in one
    // of them is a change of its own.
    const bool leads_to_mount = is_directory && lower.layer < 0 && above_.contains(path);
    const auto kind =
        leads_to_mount ? std::nullopt : KindOf(directory, name, path, status, lower, is_opaque);
    if (kind) {
      Add(path, *kind, status, file.get());
    }
    if (!is_directory) return;
    const UniqueFd below(
        ::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    const bool has_no_image = lower.layer < 0 || !S_ISDIR(lower.status.st_mode);
    if (below) Into(below.get(), path, has_no_image, depth + 1);
  }

  [[nodiscard]] std::optional<ChangeKind> KindOf(int directory, const std::string& name,
                                                 const std::string& path, const struct stat& status,
                                                 const Lower& lower, bool is_opaque) const {
    if (lower.layer < 0) return ChangeKind::kAdded;
    const bool is_same_type = (status.st_mode & S_IFMT) == (lower.status.st_mode & S_IFMT);
    if (!is_same_type || is_opaque) return ChangeKind::kReplaced;
    const bool is_same_owner = status.st_mode == lower.status.st_mode &&
                               status.st_uid == lower.status.st_uid &&
                               status.st_gid == lower.status.st_gid;
    if (S_ISDIR(status.st_mode)) {
      return is_same_owner ? std::nullopt : std::optional(ChangeKind::kMode);
    }
    if (!S_ISREG(status.st_mode)) return ChangeKind::kContent;
    const UniqueFd now(::openat(directory, name.c_str(),
                                O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOATIME | O_CLOEXEC));
    const auto before = sys::OpenWithoutLinks(lower.layer, path.substr(1), O_RDONLY | O_NOFOLLOW);
    // Of a file whose attributes alone were copied up, the content is still in the image.
    const bool is_metadata = now && !Attribute(now.get(), "metacopy").empty();
    const bool is_same = is_metadata || (now && before && status.st_size == lower.status.st_size &&
                                         IsSameContent(now.get(), before->get()));
    if (!is_same) return ChangeKind::kContent;
    // Opened for writing, and written as it was.
    return is_same_owner ? std::nullopt : std::optional(ChangeKind::kMode);
  }

  void Add(const std::string& path, ChangeKind kind, const struct stat& status, int file) {
    Change change;
    change.path = path;
    change.kind = kind;
    change.mode = status.st_mode;
    change.uid = status.st_uid;
    const bool is_file = S_ISREG(status.st_mode);
    change.size = is_file ? static_cast<std::uint64_t>(status.st_size) : 0;
    change.is_program = is_file && (status.st_mode & 0111U) != 0;
    change.sets_id = is_file && (status.st_mode & (S_ISUID | S_ISGID)) != 0;
    const std::string through = "/proc/self/fd/" + std::to_string(file);
    change.has_capabilities =
        is_file && ::getxattr(through.c_str(), "security.capability", nullptr, 0) > 0;
    drift_.changes.push_back(std::move(change));
  }

  std::vector<UniqueFd> lowers_;
  std::set<std::string> covered_;  // the points of other mounts
  std::set<std::string> above_;    // the directories that lead to them
  Drift& drift_;
};

}  // namespace

Result<Drift> DriftOf(const Container& container) {
  if (container.upper_directory.empty()) {
    return Error{"its root filesystem is not an overlay with a directory for changes"};
  }
  const auto upper = sys::OpenDirectory(container.upper_directory);
  if (!upper) {
    return upper.error().In("the directory of its changes, " + container.upper_directory);
  }
  std::vector<UniqueFd> lowers;
  for (const std::string& path : LowerDirectories(container)) {
    auto lower = sys::OpenDirectory(path);
    if (!lower) return lower.error().In("the layer " + path + " of its image");
    lowers.push_back(*std::move(lower));
  }
  Drift drift;
  Walk(std::move(lowers), container.mounts, drift).Into(upper->get(), "/", /*is_new=*/false, 0);
  std::ranges::sort(drift.changes, {}, [](const Change& change) {
    const bool has_power = change.sets_id || change.has_capabilities;
    return std::tuple(!has_power, !change.is_program, change.path);
  });
  return drift;
}

}  // namespace runclad::look
