#include "runclad/store/kept_names.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <string_view>

#include <nlohmann/json.hpp>

#include "runclad/json/reader.hpp"
#include "runclad/json/scanner.hpp"
#include "runclad/json/writer.hpp"
#include "runclad/store/format.hpp"
#include "runclad/store/kept_directory.hpp"
#include "runclad/sys/file.hpp"

#include "leftovers.hpp"

namespace runclad::store {
namespace {

constexpr std::size_t kMaxNameBytes = 4096;
constexpr const char* kNames = "names";
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

std::optional<Kept> ReadKept(int directory, const std::string& file_name) {
  const auto bytes = sys::ReadTrustedFile(directory, file_name, kMaxNameBytes);
  if (!bytes) return std::nullopt;
  const auto document = json::Read(*bytes);
  if (!document || !document->is_object()) return std::nullopt;
  const auto version = document->find(kFormatMember);
  if (version != document->end() && *version > kFormatVersion) return std::nullopt;
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

// Whether the container of a kept name of that age does not exist any more. Allocates nothing,
// since a sweep asks for every file.
bool IsGone(int directory, const char* file_name, std::time_t age) {
  std::array<char, kMaxNameBytes + 1> bytes;
  const UniqueFd file(
      ::openat(directory, file_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  const ssize_t size = file ? ::read(file.get(), bytes.data(), bytes.size()) : 0;
  std::array<char, kMaxNameBytes + 2> container{};
  static constexpr std::string_view kMembers[] = {"container"};
  json::Scanner scanner({bytes.data(), size > 0 ? static_cast<std::size_t>(size) : 0});
  scanner.Object(kMembers, [&](std::size_t) {
    scanner.String().copy(container.data(), container.size() - 1);
  });
  // One of the future is dated now, and old in a month.
  if (scanner.has_failed() || container.front() != '/') return age > kMaxAgeSeconds || age < 0;
  struct stat status {};
  return ::lstat(container.data(), &status) != 0 && errno == ENOENT;
}

void Sweep(int directory) {
  int left_to_change = kMaxSweptAtOnce;
  SweepWhenDue(directory, [&] {
    return RemoveLeftovers(
        directory,
        [&](std::string_view name, std::time_t age) {
          return name.starts_with(sys::kTemporaryPrefix) ||
                 (name.ends_with(".json") && IsGone(directory, name.data(), age));
        },
        left_to_change);
  });
}

}  // namespace

std::optional<engine::ImageName> FindKeptName(const engine::Layout& layout,
                                              const std::string& config_digest,
                                              const std::string& state_directory) {
  if (layout.id.empty() || config_digest.empty()) return std::nullopt;
  const auto directory = OpenKeptDirectory(state_directory, kNames, /*create=*/false);
  if (!directory) return std::nullopt;
  auto kept = ReadKept(directory->get(), FileName(layout));
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
  const auto kept = ReadKept(directory->get(), file_name);
  const std::string container = ContainerDirectory(layout);
  if (kept && kept->config_digest == config_digest && kept->container == container) {
    ::utimensat(directory->get(), file_name.c_str(), nullptr, AT_SYMLINK_NOFOLLOW);
    return {};
  }
  const json::Document document = {{"name", name.reference.text()},
                                   {"tier", engine::Name(name.tier)},
                                   {"digest", config_digest},
                                   {"container", container},
                                   {kFormatMember, kFormatVersion}};
  return sys::ReplaceFile(directory->get(), file_name, json::Write(document), S_IRUSR | S_IWUSR,
                          ::geteuid(), ::getegid());
}

}  // namespace runclad::store
