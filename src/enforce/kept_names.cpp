#include "kept_names.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>
#include <memory>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/json/reader.hpp"
#include "runclad/json/writer.hpp"
#include "runclad/sys/file.hpp"

#include "kept_directory.hpp"

namespace runclad::enforce {
namespace {

constexpr std::size_t kMaxBytes = 4096;
constexpr const char* kNames = "names";
constexpr const char* kSwept = "swept";
constexpr std::time_t kSweepSeconds = 600;
// Of containers whose engine says nowhere on disk by name that they exist.
constexpr std::time_t kMaxAgeSeconds = 30L * 24 * 3600;

struct Kept {
  std::string config_digest;
  engine::ImageName name;
  std::string container;  // the engine's directory of it; empty where there is none
};

std::string FileName(const engine::Layout& layout) { return layout.id + ".json"; }

// Gone when the container is removed, and not when it only stops.
std::string ContainerDirectory(const engine::Layout& layout) {
  switch (layout.engine) {
    case engine::Engine::kDocker:
      return layout.data_root + "/containers/" + layout.id;
    case engine::Engine::kPodman:
    case engine::Engine::kCrio:
      return layout.data_root + "/" + layout.storage_driver + "-containers/" + layout.id;
    default:
      return {};
  }
}

std::optional<Kept> Read(int directory, const std::string& file_name) {
  const auto bytes = sys::ReadTrustedFile(directory, file_name, kMaxBytes);
  if (!bytes) return std::nullopt;
  const auto document = json::Read(*bytes);
  if (!document || !document->is_object()) return std::nullopt;
  const auto text = [&](const char* member) {
    const auto found = document->find(member);
    return found != document->end() && found->is_string() ? found->get<std::string>()
                                                          : std::string();
  };
  auto reference = engine::ParseReference(text("name"));
  if (!reference) return std::nullopt;
  const engine::Tier tier = text("tier") == engine::Name(engine::Tier::kRepositoryDigest)
                                ? engine::Tier::kRepositoryDigest
                                : engine::Tier::kTag;
  return Kept{text("digest"), {*std::move(reference), tier}, text("container")};
}

// Whether the container of a kept name of that age does not exist any more.
bool IsGone(int directory, const std::string& file_name, std::time_t age) {
  const auto kept = Read(directory, file_name);
  if (!kept || kept->container.empty()) return age > kMaxAgeSeconds;
  struct stat container {};
  return ::lstat(kept->container.c_str(), &container) != 0 && errno == ENOENT;
}

void Sweep(int directory) {
  const std::time_t now = std::time(nullptr);
  struct stat status {};
  const bool was_swept = ::fstatat(directory, kSwept, &status, AT_SYMLINK_NOFOLLOW) == 0;
  if (was_swept && now - status.st_mtime <= kSweepSeconds) return;
  const UniqueFd stamp(
      ::openat(directory, kSwept, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR));
  if (!stamp || ::futimens(stamp.get(), nullptr) != 0) return;
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy), ::closedir);
  if (!stream) return;
  while (const dirent* entry = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
    const std::string name = static_cast<const char*>(entry->d_name);
    const bool is_temporary = name.starts_with(sys::kTemporaryPrefix);
    if (!is_temporary && !name.ends_with(".json")) continue;
    if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    const std::time_t age = now - status.st_mtime;
    // Never one that was just written: its engine may be about to make the directory.
    if (age <= kSweepSeconds) continue;
    if (is_temporary || IsGone(directory, name, age)) ::unlinkat(directory, name.c_str(), 0);
  }
}

}  // namespace

std::optional<engine::ImageName> FindKeptName(const engine::Layout& layout,
                                              const std::string& config_digest,
                                              const std::string& state_directory) {
  if (layout.id.empty() || config_digest.empty()) return std::nullopt;
  const auto directory = OpenKeptDirectory(state_directory, kNames, /*create=*/false);
  if (!directory) return std::nullopt;
  auto kept = Read(directory->get(), FileName(layout));
  // Two engines may have a container of the same id.
  if (!kept || kept->config_digest != config_digest ||
      kept->container != ContainerDirectory(layout)) {
    return std::nullopt;
  }
  // Earlier versions took a name with a digest in containers/storage for a pull's.
  const bool is_storage =
      layout.engine == engine::Engine::kPodman || layout.engine == engine::Engine::kCrio;
  if (is_storage) kept->name.tier = engine::Tier::kTag;
  return std::move(kept->name);
}

Status WriteKeptName(const engine::Layout& layout, const std::string& config_digest,
                     const engine::ImageName& name, const std::string& state_directory) {
  const auto directory = OpenKeptDirectory(state_directory, kNames, /*create=*/true);
  if (!directory) return directory.error();
  Sweep(directory->get());
  const std::string file_name = FileName(layout);
  const auto kept = Read(directory->get(), file_name);
  const std::string container = ContainerDirectory(layout);
  if (kept && kept->config_digest == config_digest && kept->container == container) {
    ::utimensat(directory->get(), file_name.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
    return {};
  }
  const json::Document document = {{"name", name.reference.text()},
                                   {"tier", engine::Name(name.tier)},
                                   {"digest", config_digest},
                                   {"container", container}};
  return sys::ReplaceFile(directory->get(), file_name, json::Write(document), S_IRUSR | S_IWUSR,
                          ::geteuid(), ::getegid());
}

}  // namespace runclad::enforce
