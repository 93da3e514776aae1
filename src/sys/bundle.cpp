#include "runclad/sys/bundle.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "runclad/sys/file.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::sys {
namespace {

constexpr const char* kConfig = "config.json";
constexpr mode_t kPermissions = 07777;
constexpr mode_t kOthersWrite = S_IWGRP | S_IWOTH;

}  // namespace

Result<Bundle> Bundle::Open(const std::string& path, std::size_t max_bytes,
                            const FindMappedRoot& mapped_root, Faults faults) {
  Bundle bundle;
  auto directory = OpenDirectory(path);
  if (!directory) return directory.error().In("bundle");
  bundle.directory_ = *std::move(directory);
  std::array<char, PATH_MAX> real{};
  const std::string link = "/proc/self/fd/" + std::to_string(bundle.directory_.get());
  const ssize_t length = ::readlink(link.c_str(), real.data(), real.size());
  if (length <= 0) return SystemError("bundle " + path + " has no name", errno);
  bundle.path_.assign(real.data(), static_cast<std::size_t>(length));

  struct stat directory_status {};
  if (::fstat(bundle.directory_.get(), &directory_status) != 0) {
    return SystemError("bundle " + path, errno);
  }
  // The first fault is reported.
  const auto is_over = [&](Error fault) {
    if (!bundle.fault_) bundle.fault_ = std::move(fault);
    return faults == Faults::kFail;
  };
  const std::string why_untrusted = WhyUntrusted(directory_status);
  const bool can_others_write = (directory_status.st_mode & kOthersWrite) != 0;
  if (!why_untrusted.empty() && (!mapped_root || can_others_write)) {
    if (is_over({"bundle " + path + " is " + why_untrusted})) return *bundle.fault_;
  }
  struct stat& status = bundle.config_status_;
  // O_NONBLOCK: opening a FIFO must not block.
  constexpr int kFlags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
  auto file = OpenWithoutLinks(bundle.directory_.get(), kConfig, kFlags);
  if (!file) {
    if (is_over(file.error().In("bundle " + path))) return *bundle.fault_;
    UniqueFd linked(::openat(bundle.directory_.get(), kConfig, kFlags | O_CLOEXEC));
    if (!linked) return *bundle.fault_;
    file = std::move(linked);
  }
  if (::fstat(file->get(), &status) != 0) return SystemError("bundle " + path, errno);
  if (const std::string why = WhyUntrusted(status); !why.empty()) {
    if (is_over({"bundle " + path + ": config.json is " + why})) return *bundle.fault_;
  }
  auto bytes = ReadRegularFile(file->get(), max_bytes);
  if (!bytes) return bytes.error().In("bundle " + path + ": config.json");
  bundle.config_ = *std::move(bytes);
  if (why_untrusted.empty() || bundle.fault_) return bundle;
  // config.json belongs to root: the owner of the directory may have moved it there but did not
  // write it.
  const std::string above = bundle.path_.substr(0, bundle.path_.rfind('/'));
  bundle.belongs_to_mapped_root_ =
      mapped_root(bundle.config_) == directory_status.st_uid && OnlyRootCouldReplace(above);
  if (!bundle.belongs_to_mapped_root_) {
    if (is_over({"bundle " + path + " is " + why_untrusted})) return *bundle.fault_;
  }
  return bundle;
}

// The owner first: after that, the previous owner can no longer change the mode or an ACL.
Status Bundle::TakeOwnership() const {
  if (!belongs_to_mapped_root_) return {};
  constexpr gid_t kKeepGroup = static_cast<gid_t>(-1);
  struct stat status {};
  if (::fchown(directory_.get(), ::geteuid(), kKeepGroup) != 0 ||
      ::fstat(directory_.get(), &status) != 0) {
    return SystemError("bundle " + path_ + " cannot be taken back from the container's root user",
                       errno);
  }
  const mode_t mode = ((status.st_mode & kPermissions) | S_IXGRP) & ~(kOthersWrite | S_IRGRP);
  if (::fchmod(directory_.get(), mode) != 0) {
    return SystemError("bundle " + path_ + " cannot be made inaccessible to others", errno);
  }
  return {};
}

Status Bundle::ReplaceConfig(std::string_view bytes) const {
  return ReplaceFile(directory_.get(), kConfig, bytes, config_status_.st_mode & kPermissions,
                     config_status_.st_uid, config_status_.st_gid);
}

}  // namespace runclad::sys
