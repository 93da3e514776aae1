#include "own_mounts.hpp"

#include <algorithm>

#include "mount_flags.hpp"

namespace runclad::enforce {
namespace {

// `sorted` is made of `points` when it is first needed.
bool HasAtOrBelow(const OwnMounts::Points& points, std::vector<std::string_view>& sorted,
                  std::string_view place) {
  if (points.contains(place)) return true;
  if (sorted.empty()) {
    sorted.assign(points.begin(), points.end());
    std::ranges::sort(sorted);
  }
  const std::string below = std::string(place) + '/';
  const auto next = std::ranges::lower_bound(sorted, std::string_view(below));
  return next != sorted.end() && next->starts_with(below);
}

}  // namespace

std::optional<std::string_view> OwnMounts::PlaceOf(const sys::Mount& mount,
                                                   std::string_view host_path,
                                                   const sys::Mount& root) {
  if (!root_path_) root_path_ = ask_root_path_();
  if (root_path_->empty()) return std::nullopt;
  const auto inside = sys::Below(host_path, *root_path_);
  if (!inside) return std::nullopt;
  if (inside->empty()) {
    const bool is_root = mount.file_system == root.file_system && mount.root == root.root;
    return is_root ? std::optional<std::string_view>("/") : std::nullopt;
  }
  // Parents are accounted for first, and so are the container's mounts before their copies.
  const auto own = explained_.find({*inside, mount.file_system, mount.root});
  const bool is_own = own != explained_.end() && own->second.HasNoStricter(FlagsOf(mount));
  return is_own ? inside : std::nullopt;
}

bool OwnMounts::IsOpened(const sys::Mount& mount, std::string_view place) {
  if (place == "/") return false;
  const bool is_read_only = (FlagsOf(mount) & kReadOnly) != 0;
  return HasAtOrBelow(masked_, sorted_masked_, place) ||
         (!is_read_only && HasAtOrBelow(readonly_, sorted_readonly_, place));
}

}  // namespace runclad::enforce
