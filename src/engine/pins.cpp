#include "runclad/engine/pins.hpp"

#include <string_view>
#include <utility>

#include "runclad/json/scanner.hpp"

#include "bolt.hpp"
#include "state_directory.hpp"

namespace runclad::engine {
namespace {

// podman's record of a container.
struct PodmanRecord {
  std::string state;  // JSON
  std::string network;
};

std::optional<PodmanRecord> ReadPodmanRecord(Bolt& bolt, const std::string& id) {
  const auto containers = bolt.FindBucket(bolt.root(), "ctr");
  const auto container = containers ? bolt.FindBucket(*containers, id) : std::nullopt;
  if (!container) return std::nullopt;
  PodmanRecord record;
  if (const auto state = bolt.FindValue(*container, "state")) record.state = *state;
  if (const auto network = bolt.FindValue(*container, "netns")) record.network = *network;
  return record;
}

// podman writes where the network namespace is before it calls the runtime: up to 4.4 beside the
// container's state, later in it.
Result<std::optional<Pins>> OfPodman(const Layout& layout) {
  const auto directory = StateDirectory::Open(layout.data_root);
  if (!directory) return directory.error();
  const auto database = directory->OpenFileIfPresent("libpod/bolt_state.db");
  if (!database) return database.error();
  if (!*database) return std::optional<Pins>();
  constexpr std::string_view kName = "podman's database";
  const auto record = ReadOneState((*database)->get(), kName,
                                   [&](Bolt& bolt) { return ReadPodmanRecord(bolt, layout.id); });
  if (!record) return record.error();
  // Left behind by a podman that has gone over to SQLite.
  if (!*record) return std::optional<Pins>();
  Pins pins;
  json::Scanner scanner((*record)->state);
  scanner.Object({"netns"}, [&](std::size_t) { pins.emplace_back(scanner.String()); });
  if (auto finished = scanner.Finish(); !finished) return finished.error().In(kName);
  if (pins.empty() && !(*record)->network.empty()) pins.push_back((*record)->network);
  return std::optional<Pins>(std::move(pins));
}

// CRI-O writes the document of a pod's sandbox whether it runs a process for it or not.
Result<std::optional<Pins>> OfCrio(const Layout& layout, const std::string& sandbox) {
  if (sandbox.empty()) return std::optional<Pins>();
  const auto directory = StateDirectory::Open(layout.data_root);
  if (!directory) return directory.error();
  constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
  const std::string file =
      layout.storage_driver + "-containers/" + sandbox + "/userdata/config.json";
  const auto text = directory->ReadIfPresent(file, kMaxBytes);
  if (!text) return text.error();
  if (!*text) return std::optional<Pins>();
  Pins pins;
  json::Scanner scanner(**text);
  scanner.Object({"linux"}, [&](std::size_t) {
    scanner.Object({"namespaces"}, [&](std::size_t) {
      scanner.Elements([&] {
        scanner.Object({"path"}, [&](std::size_t) { pins.emplace_back(scanner.String()); });
      });
    });
  });
  if (auto finished = scanner.Finish(); !finished) return finished.error().In(file);
  return std::optional<Pins>(std::move(pins));
}

}  // namespace

Result<std::optional<Pins>> FindPins(const Layout& layout, const Pod& pod) {
  switch (layout.engine) {
    case Engine::kPodman:
      return OfPodman(layout);
    case Engine::kCrio:
      return OfCrio(layout, pod.sandbox);
    case Engine::kContainerd: {
      std::optional<Pins> pins;
      if (pod.sandbox.empty()) return pins;
      pins.emplace();
      if (!pod.network_namespace.empty()) pins->push_back(pod.network_namespace);
      return pins;
    }
    case Engine::kDocker:
    case Engine::kBuildkit:
    case Engine::kUnknown:
      break;
  }
  return std::optional<Pins>();
}

}  // namespace runclad::engine
