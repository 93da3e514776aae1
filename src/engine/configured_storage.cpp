#include "runclad/engine/configured_storage.hpp"

#include <fcntl.h>

#include <algorithm>
#include <optional>
#include <string_view>

#include "runclad/json/scanner.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/mounts.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::engine {
namespace {

constexpr std::string_view kDockerFile = "/docker/daemon.json";
constexpr std::string_view kTomlFiles[] = {
    "/containerd/config.toml",   // root, state; its snapshotters' root_path
    "/buildkit/buildkitd.toml",  // root
    "/containers/storage.conf",  // graphroot, runroot (podman, CRI-O)
    "/crio/crio.conf",           // root, runroot
};
constexpr std::string_view kTomlDirectories[] = {"/containerd/conf.d", "/containers/storage.conf.d",
                                                 "/crio/crio.conf.d"};
constexpr std::string_view kDataKeys[] = {"graphroot", "imagestore", "root", "root_path"};
constexpr std::string_view kRunKeys[] = {"runroot", "state"};

// Links are followed, as engines do, if only root could have made them.
std::optional<std::string> Read(const std::string& path) {
  constexpr std::size_t kMaxBytes = 1024UL * 1024;
  const auto located = sys::LocateIfPresent(path);
  if (!located || !*located) return std::nullopt;
  const std::string& resolved = (*located)->path;
  if (!sys::OnlyRootCouldReplace(resolved)) return std::nullopt;
  if (resolved != path && !sys::OnlyRootCouldRedirect(path)) return std::nullopt;
  const auto file = sys::OpenWithoutLinks(AT_FDCWD, resolved, O_RDONLY | O_NONBLOCK);
  if (!file) return std::nullopt;
  auto text = sys::ReadRegularFile(file->get(), kMaxBytes);
  return text ? std::optional(*std::move(text)) : std::nullopt;
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

std::string_view Trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
}

// One line of TOML: key = "path". The tables are not told apart: the same keys in other tables name
// directories of the engine, too.
void AddFromLine(std::string_view line, ConfiguredStorage& storage) {
  const std::size_t equals = line.find('=');
  if (equals == std::string_view::npos) return;
  std::string_view key = Trimmed(line.substr(0, equals));
  key = key.substr(key.rfind('.') + 1);
  std::string_view value = Trimmed(line.substr(equals + 1));
  if (value.empty() || (value.front() != '"' && value.front() != '\'')) return;
  const std::size_t end = value.find(value.front(), 1);
  if (end == std::string_view::npos) return;
  value = value.substr(1, end - 1);
  if (std::ranges::find(kDataKeys, key) != std::ranges::end(kDataKeys)) {
    Add(value, storage.data_directories);
  } else if (std::ranges::find(kRunKeys, key) != std::ranges::end(kRunKeys)) {
    Add(value, storage.run_directories);
  }
}

void AddFromToml(std::string_view text, ConfiguredStorage& storage) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    AddFromLine(text.substr(0, end), storage);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
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

ConfiguredStorage FindConfiguredStorage(const std::string& etc) {
  ConfiguredStorage storage;
  if (const auto text = Read(etc + std::string(kDockerFile))) AddFromDocker(*text, storage);
  const auto add = [&](const std::string& path) {
    if (const auto text = Read(path)) AddFromToml(*text, storage);
  };
  for (const std::string_view file : kTomlFiles) add(etc + std::string(file));
  for (const std::string_view directory : kTomlDirectories) {
    for (const std::string& path : FilesIn(etc + std::string(directory))) add(path);
  }
  return storage;
}

}  // namespace runclad::engine
