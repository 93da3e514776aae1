#include "policy_tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <utility>
#include <vector>

#include "runclad/base/sha256.hpp"
#include "runclad/base/spelling.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/policy/revision_layout.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::ctl {
namespace {

constexpr std::string_view kPolicyFile = "policy.json";
constexpr std::string_view kFolders[] = {"policy.d", "images", "digests", "pods"};
// Kubernetes mounts a ConfigMap as links into this one, which it replaces in one step.
constexpr const char* kConfigMapData = "..data";
constexpr std::size_t kMaxPathBytes = 1024;
constexpr mode_t kDirectoryMode = 0755;
constexpr mode_t kFileMode = 0644;

std::vector<std::string> Split(std::string_view text, std::string_view separator) {
  std::vector<std::string> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + separator.size());
  }
}

class TreeReader {
 public:
  explicit TreeReader(std::string directory) : directory_(std::move(directory)) {}

  Result<PolicyTree> Read() {
    UniqueFd fd(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd) return SystemError("the policy " + directory_ + " cannot be opened", errno);
    UniqueFd data(::openat(fd.get(), kConfigMapData, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (data) fd = std::move(data);
    if (auto read = ReadTop(fd.get()); !read) return read.error();
    return std::move(tree_);
  }

 private:
  static std::vector<std::string> NamesIn(int directory) {
    std::vector<std::string> names;
    sys::VisitEntries(directory, [&](const dirent& entry) {
      const std::string_view name = static_cast<const char*>(entry.d_name);
      if (!name.starts_with('.')) names.emplace_back(name);
      return names.size() <= kMaxPolicyFiles;
    });
    return names;
  }

  Status ReadTop(int directory) {
    for (const std::string& name : NamesIn(directory)) {
      if (name == policy::kAppliedLink) continue;
      const bool is_folder = std::ranges::find(kFolders, name) != std::end(kFolders);
      std::string path = name;
      if (const auto meant = TreePath(name); meant && !is_folder) {
        path = *meant;
      } else if (name != kPolicyFile && !is_folder) {
        const std::string_view near = Nearest(name, kPolicyNames);
        if (near.empty()) continue;
        return Error{directory_ + "/" + name + " is not read; did you mean " + Quoted(near) + "?"};
      }
      if (auto read = ReadEntry(directory, name, path); !read) return read;
    }
    return {};
  }

  Status ReadFolder(int directory, const std::string& folder) {
    for (const std::string& name : NamesIn(directory)) {
      if (name.starts_with("README")) continue;
      if (auto read = ReadEntry(directory, name, folder + "/" + name); !read) return read;
    }
    return {};
  }

  // The entry `name`, which belongs at `path` in the policy.
  Status ReadEntry(int directory, const std::string& name, const std::string& path) {
    const std::string title = directory_ + "/" + path;
    if (path.size() > kMaxPathBytes) return Error{title + " has too long a path"};
    const UniqueFd entry(::openat(directory, name.c_str(),
                                  O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!entry && errno == ELOOP) {
      return Error{title + " is a link; a policy consists of files and directories"};
    }
    struct stat status {};
    if (!entry || ::fstat(entry.get(), &status) != 0) {
      return SystemError(title + " cannot be read", errno);
    }
    if (S_ISDIR(status.st_mode)) return ReadFolder(entry.get(), path);
    auto text = sys::ReadRegularFile(entry.get(), kMaxPolicyFileBytes);
    if (!text) return text.error().In(title);
    bytes_ += text->size();
    if (tree_.size() == kMaxPolicyFiles || bytes_ > kMaxPolicyBytes) {
      return Error{directory_ + " has more than 200,000 files or 64 MiB"};
    }
    if (!tree_.emplace(path, *std::move(text)).second) {
      return Error{title + " is there twice, once under its name in a ConfigMap"};
    }
    return {};
  }

  std::string directory_;
  PolicyTree tree_;
  std::size_t bytes_ = 0;
};

Status WriteFile(const std::string& path, std::string_view text) {
  const UniqueFd file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, kFileMode));
  if (!file || ::fchmod(file.get(), kFileMode) != 0) {
    return SystemError(path + " cannot be created", errno);
  }
  while (!text.empty()) {
    const ssize_t written = ::write(file.get(), text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return SystemError(path + " cannot be written", errno);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

}  // namespace

Result<PolicyTree> ReadPolicyTree(const std::string& directory) {
  return TreeReader(directory).Read();
}

std::string WhyNoPolicyPath(std::string_view path) {
  if (path == kPolicyFile) return {};
  const std::vector<std::string> parts = Split(path, "/");
  const bool is_below_folder =
      parts.size() > 1 && std::ranges::find(kFolders, parts.front()) != std::end(kFolders);
  if (!is_below_folder || path.size() > kMaxPathBytes) {
    return Quoted(path) + " is not the path of a policy's file";
  }
  for (const std::string& part : parts) {
    const bool is_name =
        !part.empty() && part.size() <= NAME_MAX && !part.starts_with('.') &&
        std::ranges::none_of(part, [](char c) { return static_cast<unsigned char>(c) < 0x20; });
    if (!is_name) return Quoted(path) + " has an empty, hidden or overlong component";
  }
  return {};
}

std::optional<std::string> TreePath(std::string_view name) {
  std::vector<std::string> parts = Split(name, "..");
  if (parts.size() < 2) return std::nullopt;
  if (parts.front() == "images" && parts.size() > 2) std::ranges::replace(parts[1], '_', ':');
  std::string path;
  for (const std::string& part : parts) {
    if (part.empty() || part.ends_with('.')) return std::nullopt;
    path += (path.empty() ? "" : "/") + part;
  }
  if (!path.ends_with(".json") || !WhyNoPolicyPath(path).empty()) return std::nullopt;
  return path;
}

std::string DigestOf(const PolicyTree& tree) {
  constexpr std::size_t kPrefix = sizeof "sha256:" - 1;
  std::string list;
  for (const auto& [path, text] : tree) {
    list += Sha256(text).substr(kPrefix).append("  ").append(path).append("\n");
  }
  return Sha256(list);
}

Status WritePolicyTree(const PolicyTree& tree, const std::string& directory) {
  const auto make = [](const std::string& path) -> Status {
    if (::mkdir(path.c_str(), kDirectoryMode) == 0) {
      if (::chmod(path.c_str(), kDirectoryMode) == 0) return {};
    } else if (errno == EEXIST) {
      return {};
    }
    return SystemError(path + " cannot be created", errno);
  };
  if (auto made = make(directory); !made) return made;
  for (const auto& [path, text] : tree) {
    for (std::size_t slash = path.find('/'); slash != std::string::npos;
         slash = path.find('/', slash + 1)) {
      if (auto made = make(directory + "/" + path.substr(0, slash)); !made) return made;
    }
    if (auto written = WriteFile(directory + "/" + path, text); !written) return written;
  }
  return {};
}

}  // namespace runclad::ctl
