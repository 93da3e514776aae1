#include "runclad/host/hidden_files.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <climits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fnmatch.h>

#include "runclad/packages/package_files.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::host {
namespace {

// Each is a mount of the container.
constexpr std::size_t kMaxHidden = 2048;
constexpr std::size_t kMaxEntries = 65536;  // of one directory

std::string_view Name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

sys::Inode InodeOf(const struct stat& status) { return {status.st_dev, status.st_ino}; }

// A file that is to be hidden.
struct Wanted {
  std::string path;    // links on the way resolved, not one at the end
  std::string target;  // that one, too: what a mask of the path would cover
  sys::Inode inode;
  bool is_directory = false;
};

class Gatherer {
 public:
  explicit Gatherer(const sys::Rootfs& rootfs) : rootfs_(rootfs) {}

  void AddPath(const std::string& path) {
    const std::size_t wildcard = path.find_first_of("*?[");
    if (wildcard != std::string::npos) return Expand("", path);
    // What is not in the image may be mounted there.
    const std::string resolved = Resolved(path);
    if (!Add(path, true) && MayAppear(resolved)) absent_.insert(resolved);
  }

  void AddProgram(const std::string& name) {
    if (name.find('/') != std::string::npos) return;
    for (const std::string& directory : ProgramDirectories()) Add(directory + "/" + name, true);
  }

  void AddPackages(const std::vector<std::string>& names) {
    const packages::PackageFiles found = packages::FilesOf(names, rootfs_);
    for (const std::string& path : found.files) Add(path, false);
    for (const auto& [path, why] : found.unreadable) {
      AddKept(path, "is a package database that cannot be read: " + why);
      is_complete_ = false;
    }
  }

  // What is hidden in the image, while it is the file of this name in the container: no link that
  // the container makes to it takes that away.
  void AddInImage(const std::string& path) {
    if (Resolved(path) != path) return;
    if (rootfs_.Examine(path) || MayAppear(path)) in_image_.insert(path);
  }

  void AddKept(std::string path, std::string because) {
    hidden_.kept.push_back({std::move(path), std::move(because)});
  }

  [[nodiscard]] bool is_complete() const { return is_complete_; }

  Result<HiddenFacts> Take() {
    const auto others = FindOtherNames();
    std::set<std::string> paths = std::move(absent_);
    paths.merge(in_image_);
    std::vector<std::pair<const Wanted*, std::string>> left;  // and another name
    std::vector<std::pair<const Wanted*, std::string>> half;
    for (const auto& [path, wanted] : wanted_) {
      if (wanted.target == "/") {
        AddKept(path, "is the root directory");
        continue;
      }
      std::vector<std::string> links;
      std::vector<std::string> copies;  // hard links: a mask of one covers no other
      const auto found = others.find(wanted.inode);
      for (const Other& other : found == others.end() ? std::vector<Other>() : found->second) {
        if (other.target != wanted.target) {
          copies.push_back(other.path);
        } else if (!IsOwnFile(wanted, other.path)) {
          links.push_back(other.path);
        }
      }
      if (!links.empty()) {
        left.emplace_back(&wanted, Telling(links));
      } else {
        paths.insert(wanted.target);
        if (!copies.empty()) half.emplace_back(&wanted, Telling(copies));
      }
    }
    for (const auto& [wanted, name] : left) {
      if (paths.contains(wanted->target)) continue;
      AddKept(wanted->path, "is the same file as " + name + ", which must not be hidden");
    }
    for (const auto& [wanted, name] : half) {
      AddKept(name, "is the same file as " + wanted->path + ", which is hidden");
    }
    if (is_too_many_) {
      AddKept("/", "has more than " + std::to_string(kMaxHidden) + " files to hide");
    }
    if (fault_) return *fault_;
    hidden_.paths.assign(paths.begin(), paths.end());
    return std::move(hidden_);
  }

 private:
  // A program that is not to be hidden.
  struct Other {
    std::string path;
    std::string target;  // links followed
  };

  // The first path that cannot be resolved is the fault of the whole.
  std::string Resolved(const std::string& path) {
    auto resolved = rootfs_.Resolve(path);
    if (resolved) return *std::move(resolved);
    if (!fault_) fault_ = resolved.error();
    return path;
  }

  // A mask of what is below a file would keep the container from starting.
  [[nodiscard]] bool MayAppear(std::string resolved) const {
    while (!resolved.empty()) {
      resolved.resize(resolved.rfind('/'));
      const auto status = rootfs_.Examine(resolved.empty() ? "/" : resolved);
      if (status) return S_ISDIR(status->st_mode);
    }
    return false;
  }

  // False when there is no such file.
  bool Add(const std::string& path, bool directories) {
    if (path.size() >= PATH_MAX) return false;  // a line of a package's list
    const std::string parent = Resolved(path.substr(0, path.rfind('/') + 1));
    Wanted wanted;
    wanted.path = (parent == "/" ? "" : parent) + "/" + std::string(Name(path));
    wanted.target = Resolved(wanted.path);
    const auto status = rootfs_.Examine(wanted.target);
    if (!status) return false;
    if (S_ISLNK(status->st_mode)) return true;  // in a circle: nobody opens it
    wanted.inode = InodeOf(*status);
    wanted.is_directory = S_ISDIR(status->st_mode);
    if (wanted.is_directory && !directories) return true;
    if (wanted_.size() >= kMaxHidden) {
      is_too_many_ = true;
      return true;
    }
    wanted_.emplace(wanted.path, wanted);
    return true;
  }

  // `pattern` begins with a slash; what comes before it is `directory`.
  void Expand(const std::string& directory, std::string_view pattern) {
    const std::size_t begin = pattern.find_first_not_of('/');
    if (begin == std::string_view::npos) return;
    const std::size_t end = std::min(pattern.find('/', begin), pattern.size());
    const std::string name(pattern.substr(begin, end - begin));
    const std::string_view rest = pattern.substr(end);
    const bool is_last = rest.find_first_not_of('/') == std::string_view::npos;
    const auto go_on = [&](const std::string& path) {
      if (is_last) {
        Add(path, true);
      } else {
        Expand(path, rest);
      }
    };
    if (name.find_first_of("*?[") == std::string::npos) return go_on(directory + "/" + name);
    for (const std::string& entry : rootfs_.List(Resolved(directory), kMaxEntries)) {
      if (is_too_many_) return;
      if (::fnmatch(name.c_str(), entry.c_str(), FNM_PERIOD) == 0) go_on(directory + "/" + entry);
    }
  }

  // Each once, however many names it has.
  const std::set<std::string>& ProgramDirectories() {
    if (!directories_.empty()) return directories_;
    for (const char* directory :
         {"/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin"}) {
      directories_.insert(Resolved(directory));
    }
    return directories_;
  }

  // The programs that are not to be hidden, and are the same file as one that is.
  std::map<sys::Inode, std::vector<Other>> FindOtherNames() {
    std::set<sys::Inode> inodes;
    for (const auto& [path, wanted] : wanted_) {
      if (!wanted.is_directory) inodes.insert(wanted.inode);
    }
    std::map<sys::Inode, std::vector<Other>> others;
    if (inodes.empty()) return others;
    for (const std::string& directory : ProgramDirectories()) {
      for (const std::string& name : rootfs_.List(directory, kMaxEntries)) {
        Other other{directory + "/" + name, directory + "/" + name};
        auto status = rootfs_.Examine(other.path);
        if (status && S_ISLNK(status->st_mode)) {
          other.target = Resolved(other.path);
          status = rootfs_.Examine(other.target);
        }
        if (!status || !inodes.contains(InodeOf(*status)) || wanted_.contains(other.path)) continue;
        others[InodeOf(*status)].push_back(std::move(other));
      }
    }
    return others;
  }

  // The file that a link's name stands for, as nc.openbsd is what nc means.
  static bool IsOwnFile(const Wanted& wanted, const std::string& name) {
    return name == wanted.target && wanted.target != wanted.path &&
           Name(name).starts_with(Name(wanted.path));
  }

  // The shell says most.
  static const std::string& Telling(const std::vector<std::string>& names) {
    const auto shell = std::ranges::find(names, std::string_view("sh"), Name);
    return shell == names.end() ? names.front() : *shell;
  }

  const sys::Rootfs& rootfs_;
  HiddenFacts hidden_;
  std::map<std::string, Wanted> wanted_;  // by path
  std::set<std::string> absent_;
  std::set<std::string> in_image_;
  std::set<std::string> directories_;
  std::optional<Error> fault_;
  bool is_too_many_ = false;
  bool is_complete_ = true;
};

}  // namespace

HiddenSearch FindHidden(const HiddenLists& lists, const sys::Rootfs& rootfs,
                        const std::vector<std::string>& in_image) {
  Gatherer gatherer(rootfs);
  for (const std::string& path : lists.paths) gatherer.AddPath(path);
  for (const std::string& name : lists.programs) gatherer.AddProgram(name);
  gatherer.AddPackages(lists.packages);
  for (const std::string& path : in_image) gatherer.AddInImage(path);
  return {gatherer.is_complete(), gatherer.Take()};
}

}  // namespace runclad::host
