#include "engine_storage.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

#include <fnmatch.h>

#include "runclad/host/call_directories.hpp"

namespace runclad::host {
namespace {

// Programs that distributions of Kubernetes unpack beside their storage.
constexpr char kStoragePrograms[][36] = {"/var/lib/k0s/bin", "/var/lib/k0s/bin/*",
                                         "/var/lib/rancher/*/data/*/bin",
                                         "/var/lib/rancher/*/data/*/bin/*"};

// Where podman, CRI-O and users' engines keep what runs, beside the places of sockets.
constexpr char kOtherRunning[][16] = {"/run/containers", "/run/libpod", "/run/user"};

bool Matches(const char* pattern, const std::string& path) {
  return ::fnmatch(pattern, path.c_str(), FNM_PATHNAME | FNM_LEADING_DIR) == 0;
}

}  // namespace

// containerd: [containerd[/daemon]/]io.containerd.runtime.v2.task/<namespace>/<id>
// podman, CRI-O: [storage/]<driver>-containers/<id>/userdata[/<session of an exec>]
// BuildKit: <buildkit or snapshotter>/executor
bool IsNameOfCallFiles(std::string_view rest, bool is_in_storage) {
  // Nearly every call's, and cheaply.
  constexpr std::string_view kTask = "/io.containerd.runtime.v2.task/";
  if (rest.starts_with(kTask)) {
    rest.remove_prefix(kTask.size());
    const std::size_t slash = rest.find('/');
    if (slash == std::string_view::npos) return false;
    const std::string_view id = rest.substr(slash + 1);
    return !id.empty() && id.front() != '.' && rest.front() != '.' && rest.front() != '/' &&
           id.find('/') == std::string_view::npos;
  }
  constexpr std::size_t kMost = 6;
  std::array<std::string_view, kMost> names;
  std::size_t count = 0;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view name = rest.substr(0, rest.find('/'));
    if (name.empty() || name.front() == '.' || count == kMost) return false;
    names.at(count++) = name;
    rest.remove_prefix(name.size());
  }
  std::span<const std::string_view> left(names.data(), count);
  if (is_in_storage && left.size() == 2 && left.back() == "executor") return true;
  const bool is_of_session =
      left.size() > 1 && left[left.size() - 2] == "userdata" && IsSession(left.back());
  if (is_of_session) left = left.first(left.size() - 1);
  if (!left.empty() && left.front() == "storage") left = left.subspan(1);
  if (!left.empty() && left.front() == "containerd") left = left.subspan(1);
  if (!left.empty() && left.front() == "daemon") left = left.subspan(1);
  constexpr std::size_t kDepth = 3;
  return left.size() == kDepth &&
         ((left.front().ends_with("-containers") && left.back() == "userdata") ||
          left.front().starts_with("io.containerd.runtime.v"));
}

EngineStorage::EngineStorage(const engine::Layout& layout, const engine::ConfiguredStorage& engines)
    : is_named_(false), mounts_(sys::MountTable::Read()) {
  AddAll(layout, engines);
}

EngineStorage::EngineStorage(const engine::ConfiguredStorage& engines)
    : is_named_(true), mounts_(Error{"not read"}) {
  AddAll({}, engines);
}

void EngineStorage::AddAll(const engine::Layout& layout, const engine::ConfiguredStorage& engines) {
  for (const char* path : kBuilderStorage) Add(path, storage_);
  for (const char* path : kOtherStorage) Add(path, storage_);
  for (const std::string& path : layout.data_directories) Add(path, storage_);
  for (const std::string& path : engines.data_directories) Add(path, storage_);
  for (const std::string& path : engines.volume_directories) {
    Add(path, storage_);
    storage_.back().is_of_volumes = true;
  }
  for (const char* path : kRuntimePlaces) Add(path, running_);
  for (const char* path : kOtherRunning) Add(path, running_);
  for (const std::string& path : layout.run_directories) Add(path, running_);
  for (const std::string& path : engines.run_directories) Add(path, running_);
}

void EngineStorage::Add(const std::string& path, std::vector<Directory>& directories) const {
  Directory directory{.path = path, .place = {}, .is_of_volumes = false};
  if (!is_named_) {
    if (const auto located = sys::LocateIfPresent(path); located && *located) {
      directory.path = (*located)->path;
      if (mounts_) directory.place = mounts_->PlaceOf(**located);
    }
  }
  directories.push_back(std::move(directory));
}

bool EngineStorage::IsBelow(const sys::Located& located,
                            const std::vector<Directory>& directories) const {
  const auto place = mounts_ ? mounts_->PlaceOf(located) : std::nullopt;
  return std::ranges::any_of(directories, [&](const Directory& directory) {
    if (sys::Below(located.path, directory.path)) return true;
    if (directory.path.find('*') != std::string::npos) {
      return Matches(directory.path.c_str(), located.path);
    }
    return place && directory.place && place->file_system == directory.place->file_system &&
           sys::Below(place->path, directory.place->path);
  });
}

bool EngineStorage::HoldsPrograms(const sys::Located& located) {
  return std::ranges::any_of(kStoragePrograms, [&](const char* pattern) {
    return ::fnmatch(pattern, located.path.c_str(), FNM_PATHNAME) == 0;
  });
}

bool EngineStorage::Contains(const sys::Located& located) const {
  return !HoldsPrograms(located) && IsBelow(located, storage_);
}

bool EngineStorage::HoldsCallFiles(const sys::Located& located) const {
  const auto holds = [&](const std::vector<Directory>& directories, bool is_storage) {
    return std::ranges::any_of(directories, [&](const Directory& directory) {
      // In a volume, names are up to containers.
      if (directory.is_of_volumes) return false;
      const auto rest = sys::Below(located.path, directory.path);
      return rest && IsNameOfCallFiles(*rest, is_storage);
    });
  };
  return holds(storage_, true) || holds(running_, false);
}

bool EngineStorage::IsOfRunning(const sys::Located& located) const {
  return IsBelow(located, running_);
}

}  // namespace runclad::host
