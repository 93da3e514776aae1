#include "runclad/engine/configured_storage.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <span>
#include <string_view>

#include "runclad/json/scanner.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/mounts.hpp"

#include "toml_strings.hpp"

namespace runclad::engine {
namespace {

constexpr std::string_view kDockerFile = "/docker/daemon.json";
// Arrays of characters: pointers would have to be relocated on each call.
using Name = char[32];
constexpr Name kTomlFiles[] = {
    "/containerd/config.toml",      // root, state; its snapshotters' root_path
    "/buildkit/buildkitd.toml",     // root
    "/containers/storage.conf",     // graphroot, runroot, other stores (podman, CRI-O)
    "/containers/containers.conf",  // volume_path, static_dir, tmp_dir,
                                    // image_copy_tmp_dir (podman)
    "/crio/crio.conf",              // root, runroot, imagestore
};
constexpr Name kTomlDirectories[] = {"/containerd/conf.d", "/containers/storage.conf.d",
                                     "/containers/containers.conf.d", "/crio/crio.conf.d"};
// podman's, where /etc has none.
constexpr Name kSharedTomlFiles[] = {"/containers/storage.conf", "/containers/containers.conf"};
// In lower case: the engines' own readers do not care.
constexpr Name kDataKeys[] = {"additionalimagestores",
                              "additionallayerstores",
                              "graphroot",
                              "imagestore",
                              "root",
                              "root_path",
                              "rootless_storage_path",
                              "static_dir",
                              "storage_option",
                              "storage_options"};
constexpr Name kRunKeys[] = {"runroot", "state", "tmp_dir"};

enum class FileRead { kAbsent, kRead, kFailed };

// Links are followed, as engines do. What is not a regular file is not a configuration.
FileRead Read(const std::string& path, std::string& text) {
  constexpr std::size_t kMaxBytes = 1024UL * 1024;
  const auto located = sys::LocateIfPresent(path);
  if (!located) return FileRead::kFailed;
  if (!*located || !S_ISREG((*located)->mode)) return FileRead::kAbsent;
  const auto file = sys::OpenWithoutLinks(AT_FDCWD, (*located)->path, O_RDONLY | O_NONBLOCK);
  if (!file) return FileRead::kFailed;
  auto bytes = sys::ReadRegularFile(file->get(), kMaxBytes);
  if (!bytes) return FileRead::kFailed;
  text = *std::move(bytes);
  return FileRead::kRead;
}

void Add(std::string_view path, std::vector<std::string>& directories) {
  if (path.starts_with('/')) directories.emplace_back(path);
}

void AddFromDocker(std::string_view text, ConfiguredStorage& storage) {
  constexpr std::string_view kMembers[] = {"data-root", "graph", "exec-root"};
  ConfiguredStorage found;
  json::Scanner scanner(text);
  scanner.Object(kMembers, [&](std::size_t member) {
    Add(scanner.String(), member < 2 ? found.data_directories : found.run_directories);
  });
  if (!scanner.Finish()) return;  // dockerd does not start with such a file
  for (const std::string& path : found.data_directories) Add(path, storage.data_directories);
  for (const std::string& path : found.run_directories) Add(path, storage.run_directories);
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

bool IsOneOf(std::span<const Name> names, std::string_view key) {
  return std::ranges::any_of(names, [&](const Name& name) { return key == name; });
}

// "/srv/$USER/storage" with a wildcard for each component that has a variable.
std::string OfEveryUser(std::string_view path) {
  std::string pattern;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/', 1), path.size());
    const std::string_view component = path.substr(0, slash);
    pattern.append(component.find('$') == std::string_view::npos ? component : "/*");
    path.remove_prefix(slash);
  }
  return pattern;
}

// The table does not count: the same keys in other tables name directories of the engine, too.
void AddString(const std::string& key, std::string_view value, ConfiguredStorage& storage) {
  // "overlay.imagestore=/srv/images"; "/srv/layers:ref"
  if (key.starts_with("storage_option")) value.remove_prefix(value.find('=') + 1);
  if (key == "additionallayerstores") value = value.substr(0, value.find(':'));
  if (key == "rootless_storage_path") {
    constexpr std::string_view kHome = "$HOME/";
    if (value.starts_with('/')) Add(OfEveryUser(value), storage.data_directories);
    if (value.starts_with(kHome)) {
      const std::string below = OfEveryUser(value.substr(kHome.size() - 1));
      for (const char* home : {"/home/*", "/root"}) Add(home + below, storage.data_directories);
    }
  } else if (IsOneOf(kDataKeys, key)) {
    Add(value, storage.data_directories);
  } else if (IsOneOf(kRunKeys, key)) {
    Add(value, storage.run_directories);
  } else if (key == "image_copy_tmp_dir") {
    // Where podman unpacks images, as root. In the usual places, others' files are, too.
    const bool is_shared = value.starts_with("/tmp") || value.starts_with("/var/tmp");
    if (!is_shared) Add(value, storage.data_directories);
  } else if (key == "volume_path") {
    Add(value, storage.volume_directories);
  }
}

void AddFromToml(const std::string& path, ConfiguredStorage& storage) {
  std::string text;
  const FileRead reading = Read(path, text);
  std::string fault;
  if (reading == FileRead::kFailed) {
    fault = path + " cannot be read or exceeds 1 MiB";
  } else if (reading == FileRead::kRead) {
    const std::size_t line =
        VisitTomlStrings(text, [&](std::string_view key, std::string_view value) {
          AddString(LowerCase(key), value, storage);
        });
    if (line != 0)
      fault = "line " + std::to_string(line) + " of " + path + " cannot be read as TOML";
  }
  if (storage.unclear_because.empty()) storage.unclear_because = std::move(fault);
}

// The names of at most 100 files, which is more than any host has.
std::vector<std::string> FilesIn(const std::string& directory) {
  constexpr std::size_t kMaxFiles = 100;
  std::vector<std::string> files;
  const auto opened = sys::OpenDirectory(directory);
  if (!opened) return files;
  sys::VisitEntries(opened->get(), [&](const dirent& entry) {
    files.push_back(directory + '/' + static_cast<const char*>(entry.d_name));
    return files.size() < kMaxFiles;
  });
  return files;
}

}  // namespace

ConfiguredStorage FindConfiguredStorage(const std::string& etc, const std::string& share) {
  ConfiguredStorage storage;
  const std::string docker = etc + std::string(kDockerFile);
  std::string text;
  const FileRead reading = Read(docker, text);
  if (reading == FileRead::kRead) AddFromDocker(text, storage);
  if (reading == FileRead::kFailed) {
    storage.unclear_because = docker + " cannot be read or exceeds 1 MiB";
  }
  for (const Name& file : kTomlFiles) AddFromToml(etc + file, storage);
  for (const Name& directory : kTomlDirectories) {
    for (const std::string& path : FilesIn(etc + directory)) {
      AddFromToml(path, storage);
    }
  }
  for (const Name& file : kSharedTomlFiles) AddFromToml(share + file, storage);
  return storage;
}

}  // namespace runclad::engine
