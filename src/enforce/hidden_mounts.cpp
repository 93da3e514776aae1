#include "hidden_mounts.hpp"

namespace runclad::enforce {

HiddenMounts::HiddenMounts(const Promise& promise, const Points& masked) : masked_(masked) {
  for (const PromisedMount& bind : promise.mounts) {
    if (!bind.hides_submounts) continue;
    for (const PromisedMount& mount : promise.mounts) {
      const bool is_cgroup = mount.type == "cgroup" || mount.type == "cgroup2";
      if (is_cgroup && sys::Below(mount.point, bind.point)) covers_.insert(mount.point);
    }
  }
}

bool HiddenMounts::IsCovered(const sys::Mount& mount, const PromisedMount* below) const {
  return below != nullptr && below->hides_submounts && covered_.contains(mount.id);
}

bool HiddenMounts::IsHidden(std::string_view path) const {
  for (; !path.empty(); path = path.substr(0, path.rfind('/'))) {
    if (masked_.contains(path) || covers_.contains(path)) return true;
  }
  return false;
}

}  // namespace runclad::enforce
