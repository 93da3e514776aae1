#include "runclad/engine/podman_pod.hpp"

#include <optional>

#include "runclad/json/scanner.hpp"

#include "bolt.hpp"
#include "podman_database.hpp"
#include "state_directory.hpp"

namespace runclad::engine {
namespace {

struct Membership {
  std::string pod;  // the id; empty: none
  bool is_infra = false;
};

// BoltDB until podman 4; a podman that has gone over to SQLite leaves it behind without its
// containers.
Result<std::optional<std::string>> ReadConfig(const StateDirectory& storage,
                                              const std::string& id) {
  const auto database = storage.OpenFileIfPresent("libpod/bolt_state.db");
  if (!database) return database.error();
  if (*database) {
    const auto config = ReadOneState(
        (*database)->get(), "podman's database", [&](Bolt& bolt) -> std::optional<std::string> {
          const auto containers = bolt.FindBucket(bolt.root(), "ctr");
          const auto container = containers ? bolt.FindBucket(*containers, id) : std::nullopt;
          const auto value = container ? bolt.FindValue(*container, "config") : std::nullopt;
          return value ? std::optional<std::string>(*value) : std::nullopt;
        });
    if (!config) return config.error();
    if (*config) return *config;
  }
  return ReadPodmanConfig(storage, id);
}

// podman's names of the members: libpod's ContainerConfig.
std::optional<Membership> Find(const StateDirectory& storage, const std::string& id) {
  const auto config = ReadConfig(storage, id);
  if (!config || !*config) return std::nullopt;
  Membership found;
  json::Scanner scanner(**config);
  scanner.Object({"pod", "pause"}, [&](std::size_t member) {
    if (member == 0) {
      found.pod = scanner.String();
    } else {
      found.is_infra = scanner.Skip() == "true";
    }
  });
  if (!scanner.Finish()) return std::nullopt;
  return found;
}

}  // namespace

bool IsInfraOfSamePod(const Layout& layout, const std::string& container) {
  const auto storage = StateDirectory::Open(layout.data_root);
  if (!storage) return false;
  const auto infra = Find(*storage, container);
  if (!infra || !infra->is_infra || infra->pod.empty()) return false;
  const auto own = Find(*storage, layout.id);
  return own && own->pod == infra->pod;
}

}  // namespace runclad::engine
