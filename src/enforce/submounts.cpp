#include "submounts.hpp"

#include <memory>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "host_aliases.hpp"
#include "host_paths.hpp"
#include "mount_spot.hpp"

namespace runclad::enforce {
namespace {

using Access = rules::SourceFacts::Access;

class SubmountJudge {
 public:
  SubmountJudge(const policy::RuleSetting& host_mounts, const sys::MountTable& host,
                const engine::Layout& layout)
      : action_(host_mounts.action),
        paths_(LocateHostPaths(host_mounts.parameters, layout)),
        aliases_(host, paths_.policy) {
    for (const sys::Mount& mount : host.mounts()) hosts_.insert(SpotOf(mount));
  }

  [[nodiscard]] std::string FaultOf(const sys::Mount& mount, const std::string& path) const {
    if (!hosts_.contains({path, mount.file_system, mount.root})) {
      return "is not what the host has mounted at " + path;
    }
    if (action_ == policy::Action::kWarn) return {};
    if (action_ == policy::Action::kOff) {
      return "was not mounted there when the container was decided on";
    }
    const Verdict verdict = aliases_.Judge({mount.file_system, std::string(mount.root)}, path,
                                           [](const Alias&) { return false; });
    if (verdict.access == Access::kAllowed) return {};
    const std::string_view options = mount.options();
    const bool is_read_only = options == "ro" || options.starts_with("ro,");
    return verdict.access == Access::kReadOnly && is_read_only ? std::string() : verdict.because;
  }

 private:
  policy::Action action_;
  HostPaths paths_;
  HostAliases aliases_;
  std::unordered_set<MountSpot, HashMountSpot> hosts_;
};

}  // namespace

std::function<std::string(const sys::Mount&, const std::string&)> JudgeSubmounts(
    const policy::RuleSetting& host_mounts, const sys::MountTable& host,
    std::function<engine::Layout()> layout) {
  auto judge = std::make_shared<std::unique_ptr<SubmountJudge>>();
  return [&host_mounts, &host, layout = std::move(layout), judge](const sys::Mount& mount,
                                                                  const std::string& path) {
    if (!*judge) *judge = std::make_unique<SubmountJudge>(host_mounts, host, layout());
    return (*judge)->FaultOf(mount, path);
  };
}

}  // namespace runclad::enforce
