#include "submounts.hpp"

#include <algorithm>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "host_aliases.hpp"
#include "host_paths.hpp"

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
    for (const sys::Mount& mount : host.mounts()) hosts_.emplace(mount.point, &mount);
  }

  [[nodiscard]] std::string FaultOf(const sys::Mount& mount, const std::string& path) const {
    const auto [first, last] = hosts_.equal_range(path);
    const bool is_hosts = std::any_of(first, last, [&](const auto& entry) {
      return entry.second->file_system == mount.file_system && entry.second->root == mount.root;
    });
    if (!is_hosts) return "is not what the host has mounted at " + path;
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
  std::unordered_multimap<std::string_view, const sys::Mount*> hosts_;  // by mount point
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
