#include "runclad/host/submounts.hpp"

#include <memory>
#include <string_view>
#include <unordered_set>
#include <utility>

#include "runclad/host/mount_spot.hpp"

#include "host_aliases.hpp"
#include "host_paths.hpp"

namespace runclad::host {
namespace {

using Access = SourceFacts::Access;

class SubmountJudge {
 public:
  SubmountJudge(const SubmountRule& rule, const sys::MountTable& host, const engine::Layout& layout)
      : rule_(rule),
        paths_(LocateHostPaths(rule.lists, layout, engine::FindConfiguredStorage())),
        aliases_(host, paths_.policy) {
    for (const sys::Mount& mount : host.mounts()) hosts_.insert(SpotOf(mount));
  }

  [[nodiscard]] std::string FaultOf(const sys::Mount& mount, const std::string& path) const {
    if (!hosts_.contains({path, mount.file_system, mount.root})) {
      return "is not what the host has mounted at " + path;
    }
    if (rule_.allows_all) return {};
    if (rule_.expects_none) {
      return "was not mounted there when the container was judged";
    }
    const Verdict verdict = aliases_.Judge({mount.file_system, std::string(mount.root)}, path,
                                           [](const Alias&) { return false; });
    if (verdict.access == Access::kAllowed) return {};
    const std::string_view options = mount.options();
    const bool is_read_only = options == "ro" || options.starts_with("ro,");
    return verdict.access == Access::kReadOnly && is_read_only ? std::string() : verdict.because;
  }

 private:
  SubmountRule rule_;
  HostPaths paths_;
  HostAliases aliases_;
  std::unordered_set<MountSpot, HashMountSpot> hosts_;
};

}  // namespace

std::function<std::string(const sys::Mount&, const std::string&)> JudgeSubmounts(
    SubmountRule rule, const sys::MountTable& host, std::function<engine::Layout()> layout) {
  auto judge = std::make_shared<std::unique_ptr<SubmountJudge>>();
  return [rule, &host, layout = std::move(layout), judge](const sys::Mount& mount,
                                                          const std::string& path) {
    if (!*judge) *judge = std::make_unique<SubmountJudge>(rule, host, layout());
    return (*judge)->FaultOf(mount, path);
  };
}

}  // namespace runclad::host
