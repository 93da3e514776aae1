#include "engine_storage.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fnmatch.h>

namespace runclad::host {
namespace {

// Programs that distributions of Kubernetes unpack beside their storage.
constexpr char kPrograms[][36] = {"/var/lib/k0s/bin", "/var/lib/k0s/bin/*",
                                  "/var/lib/rancher/*/data/*/bin",
                                  "/var/lib/rancher/*/data/*/bin/*"};

// Where podman, CRI-O and users' engines keep what runs, beside the places of sockets.
constexpr char kOtherRunning[][16] = {"/run/containers", "/run/libpod", "/run/user"};

bool Matches(const char* pattern, const std::string& path) {
  return ::fnmatch(pattern, path.c_str(), FNM_PATHNAME | FNM_LEADING_DIR) == 0;
}

}  // namespace

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
  const std::array lists = {&layout.data_directories, &engines.data_directories,
                            &engines.volume_directories};
  for (const auto* list : lists) {
    for (const std::string& path : *list) Add(path, storage_);
  }
  for (const char* path : kRuntimePlaces) Add(path, running_);
  for (const char* path : kOtherRunning) Add(path, running_);
  for (const std::string& path : layout.run_directories) Add(path, running_);
  for (const std::string& path : engines.run_directories) Add(path, running_);
}

void EngineStorage::Add(const std::string& path, std::vector<Directory>& directories) const {
  Directory directory{.path = path, .place = {}};
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

bool EngineStorage::IsPrograms(const sys::Located& located) {
  return std::ranges::any_of(kPrograms, [&](const char* pattern) {
    return ::fnmatch(pattern, located.path.c_str(), FNM_PATHNAME) == 0;
  });
}

bool EngineStorage::Contains(const sys::Located& located) const {
  return !IsPrograms(located) && IsBelow(located, storage_);
}

bool EngineStorage::IsOfRunning(const sys::Located& located) const {
  return IsBelow(located, running_);
}

}  // namespace runclad::host
