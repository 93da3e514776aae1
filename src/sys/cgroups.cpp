#include "runclad/sys/cgroups.hpp"

#include <fcntl.h>

#include <algorithm>
#include <charconv>

#include "runclad/sys/file.hpp"

namespace runclad::sys {
namespace {

bool HasWord(std::string_view list, std::string_view word) {
  while (!list.empty()) {
    const std::string_view next = list.substr(0, list.find(','));
    list.remove_prefix(std::min(list.size(), next.size() + 1));
    if (next == word) return true;
  }
  return false;
}

// Controllers and path of each line of hierarchy:controllers:path; version 2 has no controllers
// (cgroups(7)).
std::vector<std::pair<std::string_view, std::string_view>> LinesOf(std::string_view text) {
  std::vector<std::pair<std::string_view, std::string_view>> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    lines.emplace_back(line.substr(first + 1, second - first - 1), line.substr(second + 1));
  }
  return lines;
}

}  // namespace

Cgroups::Cgroups(std::string_view text, const MountTable& host)
    : host_(host), lines_(LinesOf(text)) {}

std::vector<std::string> CgroupPaths(std::string_view text) {
  std::vector<std::string> paths;
  for (const auto& [controllers, path] : LinesOf(text)) {
    if (path != "/" && std::ranges::find(paths, path) == paths.end()) paths.emplace_back(path);
  }
  return paths;
}

std::string_view CgroupPathOf(std::string_view text, std::string_view controller) {
  for (const auto& [controllers, path] : LinesOf(text)) {
    if (HasWord(controllers, controller)) return path;
  }
  return {};
}

std::optional<std::string> Cgroups::Read(std::string_view controller, const char* v1,
                                         const char* v2) const {
  for (const auto& [controllers, path] : lines_) {
    if (!HasWord(controllers, controller)) continue;
    if (auto text = ReadIn("cgroup", controller, path, v1)) return text;
  }
  for (const auto& [controllers, path] : lines_) {
    if (controllers.empty()) return ReadIn("cgroup2", {}, path, v2);
  }
  return std::nullopt;
}

std::optional<std::string> Cgroups::ReadIn(std::string_view type, std::string_view controller,
                                           std::string_view path, const char* name) const {
  constexpr std::size_t kMaxBytes = 4096;
  for (const Mount& mount : host_.mounts()) {
    if (mount.type() != type) continue;
    const std::string_view options = mount.tail.substr(mount.tail.rfind(' ') + 1);
    if (!controller.empty() && !HasWord(options, controller)) continue;
    const auto rest = Below(path, mount.root);
    if (!rest) continue;
    const std::string file =
        std::string(mount.point) + (*rest == "/" ? "" : std::string(*rest)) + "/" + name;
    const auto opened = OpenWithoutLinks(AT_FDCWD, file, O_RDONLY | O_NONBLOCK);
    if (!opened) continue;
    if (auto text = ReadRegularFile(opened->get(), kMaxBytes)) return *std::move(text);
  }
  return std::nullopt;
}

std::int64_t LimitIn(std::string_view text) {
  std::int64_t limit = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), limit);
  return fault == std::errc() && limit >= 0 ? limit : kNoLimit;
}

}  // namespace runclad::sys
