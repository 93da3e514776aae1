#include "runclad/host/image_content.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>
#include <vector>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/mounts.hpp"

namespace runclad::host {
namespace {

// What podman puts into a container's /etc before its first start, as places for its mounts.
constexpr std::string_view kPlaces[] = {"hostname", "hosts", "resolv.conf"};
constexpr std::size_t kManyNames = 8;

// Those of a directory, until there are many.
std::vector<std::string> Names(int directory) {
  std::vector<std::string> names;
  const bool is_read = sys::VisitEntries(directory, [&](const dirent& entry) {
    names.emplace_back(static_cast<const char*>(entry.d_name));
    return names.size() < kManyNames;
  });
  if (!is_read) return {"?"};
  return names;
}

// What is below it in the image shows through, under its own name.
bool ShowsTheImage(int directory) {
  return std::ranges::all_of(std::array{"trusted.overlay.opaque", "trusted.overlay.redirect",
                                        "user.overlay.opaque", "user.overlay.redirect"},
                             [&](const char* attribute) {
                               return ::fgetxattr(directory, attribute, nullptr, 0) < 0 &&
                                      errno == ENODATA;
                             });
}

bool IsMadeByEngine(int etc, const std::string& name) {
  struct stat status {};
  if (::fstatat(etc, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return false;
  if (name == "mtab") {
    constexpr std::string_view kMounts = "/proc/mounts";
    std::array<char, kMounts.size() + 1> target{};
    const ssize_t size = ::readlinkat(etc, "mtab", target.data(), target.size());
    return size > 0 && std::string_view(target.data(), static_cast<std::size_t>(size)) == kMounts;
  }
  return S_ISREG(status.st_mode) && std::ranges::find(kPlaces, name) != std::end(kPlaces);
}

bool HoldsNothingOfAContainer(const std::string& upper) {
  const auto directory = sys::OpenDirectory(upper);
  if (!directory || !ShowsTheImage(directory->get())) return false;
  const auto names = Names(directory->get());
  if (names.empty()) return true;
  const UniqueFd etc(
      ::openat(directory->get(), "etc", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  return names.size() == 1 && etc && ShowsTheImage(etc.get()) &&
         std::ranges::all_of(Names(etc.get()), [&](const std::string& name) {
           return IsMadeByEngine(etc.get(), name);
         });
}

}  // namespace

bool IsAsInImage(const std::string& root) {
  const auto located = sys::Locate(root);
  if (!located) return false;
  const auto table = sys::MountTable::Read();
  if (!table) return false;
  const sys::Mount* mount = table->Find(located->mount_id);
  if (mount == nullptr || mount->type() != "overlay" || mount->root != "/" ||
      mount->point != located->path) {
    return false;
  }
  // Relative to an unknown directory, or escaped: cannot be determined.
  const std::string upper(mount->option("upperdir"));
  return upper.starts_with('/') && upper.find('\\') == std::string::npos &&
         HoldsNothingOfAContainer(upper);
}

}  // namespace runclad::host
