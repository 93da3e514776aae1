#include "runclad/host/host_sys.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::host {
namespace {

constexpr const char* kSys = "/sys";

// The topmost points below `directory`: a mask over one hides what is mounted further below.
std::vector<std::string> MountsBelow(const sys::MountTable& table, const std::string& directory) {
  std::set<std::string> points;
  for (const sys::Mount& mount : table.mounts()) {
    const auto rest = sys::Below(mount.point, directory);
    if (rest && !rest->empty()) points.emplace(mount.point);
  }
  std::vector<std::string> topmost;
  for (const std::string& point : points) {
    const bool is_hidden = std::ranges::any_of(
        topmost, [&](const std::string& above) { return sys::Below(point, above).has_value(); });
    if (!is_hidden) topmost.push_back(point);
  }
  return topmost;
}

// A sysfs file system shows the devices of the network namespace in which it was mounted, in these
// classes and where their links lead: devices/pci0000:00/…/net/eth0.
std::vector<std::string> NetworkDirectories(const std::string& directory) {
  std::set<std::string> found;
  for (const char* name : {"/class/ieee80211", "/class/net"}) {
    const std::string devices = directory + name;
    const UniqueFd entries(::open(devices.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!entries) continue;
    found.insert(devices);
    sys::VisitEntries(entries.get(), [&](const dirent& entry) {
      if (entry.d_type != DT_LNK) return true;
      const std::string link = devices + '/' + static_cast<const char*>(entry.d_name);
      const std::unique_ptr<char, void (*)(void*)> real(::realpath(link.c_str(), nullptr), ::free);
      if (!real) return true;
      const std::string_view device = real.get();
      const std::string_view above = device.substr(0, device.rfind('/'));
      if (sys::Below(above, directory)) found.emplace(above);
      return true;
    });
  }
  return {found.begin(), found.end()};
}

bool BindsSys(const oci::Spec& spec) {
  return std::ranges::any_of(spec.mounts(), [](const oci::Mount& mount) {
    return mount.is_bind() && mount.source == kSys && mount.destination == kSys;
  });
}

}  // namespace

HostSysFacts DescribeHostSys(const sys::MountTable& table, std::uint64_t mount,
                             const std::string& directory) {
  const sys::Mount* const found = table.Find(mount);
  const bool is_sysfs = found != nullptr && found->type() == "sysfs" && found->root == "/" &&
                        found->point == directory;
  if (!is_sysfs) return {.fault = "is not a sysfs file system on this host"};
  return {.mounts = MountsBelow(table, directory), .network = NetworkDirectories(directory)};
}

std::optional<HostSysFacts> FindHostSys(const oci::Spec& spec, const engine::Layout& layout) {
  if (layout.engine != engine::Engine::kPodman || !BindsSys(spec)) return std::nullopt;
  if (!sys::OnlyRootCouldReplace(layout.bundle.substr(0, layout.bundle.rfind('/')))) {
    return std::nullopt;
  }
  const auto located = sys::Locate(kSys);
  const auto table = sys::MountTable::Read();
  if (!located || !table) return HostSysFacts{.fault = "cannot be examined on this host"};
  return DescribeHostSys(*table, located->mount_id, kSys);
}

}  // namespace runclad::host
