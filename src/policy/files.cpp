#include "files.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>

#include "runclad/policy/revision_layout.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::policy {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr std::string_view kMainFile = "policy.json";

}  // namespace

Result<std::optional<PolicyFiles>> PolicyFiles::Open(const std::string& directory,
                                                     FileFault* fault) {
  auto opened = sys::OpenWithoutLinks(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
  struct stat status {};
  if (!opened) {
    if (::lstat(directory.c_str(), &status) != 0 && errno == ENOENT) {
      return std::optional<PolicyFiles>();
    }
    if (fault != nullptr) *fault = {"", opened.error().message};
    return opened.error().In("policy");
  }
  if (::fstat(opened->get(), &status) != 0) return SystemError("policy " + directory, errno);
  if (const std::string why = sys::WhyUntrusted(status); !why.empty()) {
    if (fault != nullptr) *fault = {"", "the directory is " + why};
    return Error{"policy " + directory + " is " + why};
  }
  return std::optional<PolicyFiles>(PolicyFiles(directory, *std::move(opened), fault));
}

Error PolicyFiles::Unusable(const std::string& path, const Error& why) const {
  if (fault_ != nullptr) *fault_ = {path, why.message};
  return why.In("policy " + directory_);
}

Result<std::optional<PolicyFiles>> PolicyFiles::Applied() const {
  std::array<char, PATH_MAX> buffer;
  const ssize_t size = ::readlinkat(fd_.get(), kAppliedLink, buffer.data(), buffer.size());
  if (size < 0 && errno == ENOENT) return std::optional<PolicyFiles>();
  const std::string link = FullName(kAppliedLink);
  if (size < 0) {
    const int fault = errno;
    struct stat status {};
    // A directory, which a user of dockerd can have made, is nothing that was applied.
    if (::fstatat(fd_.get(), kAppliedLink, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        S_ISDIR(status.st_mode)) {
      return std::optional<PolicyFiles>();
    }
    return SystemError("policy " + link + " is not a link to a revision", fault);
  }
  const std::string target(buffer.data(), static_cast<std::size_t>(size));
  // Without the revision, the directory's own files are not what was put in force.
  const Error unusable{"policy " + link + " leads to " + target +
                       ", which does not exist or could have been made by others than root; "
                       "runcladctl policy apply puts a policy in force"};
  if (!target.starts_with('/') || !sys::OnlyRootCouldReplace(target)) return unusable;
  auto revision = Open(target);
  if (revision && !*revision) return unusable;
  return revision;
}

Result<std::optional<std::string>> PolicyFiles::Read(const std::string& path) const {
  const auto file = sys::OpenTrusted(fd_.get(), path);
  if (!file) return Unusable(path, file.error());
  struct stat status {};
  const bool is_directory =
      *file && ::fstat((*file)->get(), &status) == 0 && S_ISDIR(status.st_mode);
  // A user of dockerd can have a directory made at any path, and the repository a.json/b has one.
  // Only policy.json must not be one: whoever mounted it wrongly would get another policy.
  if (!*file || (is_directory && path != kMainFile)) return std::optional<std::string>();
  auto text = sys::ReadRegularFile((*file)->get(), kMaxBytes);
  if (!text) return Unusable(path, text.error().In(path));
  return std::optional<std::string>(*std::move(text));
}

Result<std::vector<std::string>> PolicyFiles::List(const std::string& path) const {
  return ListEntries(path, [](const dirent& entry) {
    return std::string_view(static_cast<const char*>(entry.d_name)).ends_with(".json");
  });
}

Result<std::vector<std::string>> PolicyFiles::ListDirectories(const std::string& path) const {
  return ListEntries(path, [](const dirent& entry) {
    const std::string_view name = static_cast<const char*>(entry.d_name);
    // Some file systems do not say; what turns out not to be a directory is an error then.
    return entry.d_type == DT_DIR || (entry.d_type == DT_UNKNOWN && !name.ends_with(".json"));
  });
}

Result<std::vector<std::string>> PolicyFiles::ListEntries(
    const std::string& path, bool (*is_wanted)(const dirent& entry)) const {
  auto directory = sys::OpenTrusted(fd_.get(), path);
  if (!directory) return Unusable(path, directory.error());
  std::vector<std::string> names;
  if (!*directory) return names;
  const bool is_listed = sys::VisitEntries((*directory)->get(), [&](const dirent& entry) {
    const std::string_view name = static_cast<const char*>(entry.d_name);
    if (!name.starts_with('.') && is_wanted(entry)) names.emplace_back(name);
    return true;
  });
  if (!is_listed) return Unusable(path, SystemError(path + " cannot be listed", errno));
  std::ranges::sort(names);
  return names;
}

std::string PolicyFiles::FullName(std::string_view path) const {
  std::string name = directory_;
  if (!name.ends_with('/')) name += '/';
  return name.append(path);
}

}  // namespace runclad::policy
