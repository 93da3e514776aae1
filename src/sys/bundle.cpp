#include "runclad/sys/bundle.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>

#include "runclad/sys/file.hpp"

namespace runclad::sys {
namespace {

constexpr const char* kConfig = "config.json";
constexpr mode_t kPermissions = 07777;

}  // namespace

Result<Bundle> Bundle::Open(const std::string& path, std::size_t max_bytes) {
  Bundle bundle;
  auto directory = OpenDirectory(path);
  if (!directory) return directory.error().In("bundle");
  bundle.directory_ = *std::move(directory);
  std::array<char, PATH_MAX> real{};
  const std::string link = "/proc/self/fd/" + std::to_string(bundle.directory_.get());
  const ssize_t length = ::readlink(link.c_str(), real.data(), real.size());
  if (length <= 0) return SystemError("bundle " + path + " has no name", errno);
  bundle.path_.assign(real.data(), static_cast<std::size_t>(length));

  struct stat& status = bundle.config_status_;
  if (::fstat(bundle.directory_.get(), &status) != 0) return SystemError("bundle " + path, errno);
  if (const std::string why = WhyUntrusted(status); !why.empty()) {
    return Error{"bundle " + path + " is " + why};
  }
  // O_NONBLOCK: a FIFO must not hold us up.
  const auto file =
      OpenWithoutLinks(bundle.directory_.get(), kConfig, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return file.error().In("bundle " + path);
  if (::fstat(file->get(), &status) != 0) return SystemError("bundle " + path, errno);
  if (const std::string why = WhyUntrusted(status); !why.empty()) {
    return Error{"bundle " + path + ": config.json is " + why};
  }
  auto bytes = ReadRegularFile(file->get(), max_bytes);
  if (!bytes) return bytes.error().In("bundle " + path + ": config.json");
  bundle.config_ = *std::move(bytes);
  return bundle;
}

Status Bundle::ReplaceConfig(std::string_view bytes) const {
  return ReplaceFile(directory_.get(), kConfig, bytes, config_status_.st_mode & kPermissions,
                     config_status_.st_uid, config_status_.st_gid);
}

}  // namespace runclad::sys
