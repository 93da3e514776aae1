#include "runclad/engine/pins.hpp"

#include <string_view>
#include <utility>

#include "runclad/json/scanner.hpp"

#include "bolt.hpp"
#include "podman_database.hpp"
#include "state_directory.hpp"

namespace runclad::engine {
namespace {

constexpr std::string_view kPodmanDatabase = "podman's database";

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

// The path in a container's state, which podman writes before it calls the runtime.
Result<Pins> PinsOfState(const std::string& state) {
  Pins pins;
  json::Scanner scanner(state);
  scanner.Object({"netns"}, [&](std::size_t) { pins.emplace_back(scanner.String()); });
  if (auto finished = scanner.Finish(); !finished) return finished.error().In(kPodmanDatabase);
  return pins;
}

// podman's database until version 4; version 4.3 has the path beside the state.
Result<std::optional<Pins>> OfBoltDb(const StateDirectory& storage, const std::string& id) {
  const auto database = storage.OpenFileIfPresent("libpod/bolt_state.db");
  if (!database) return database.error();
  if (!*database) return std::optional<Pins>();
  const auto record = ReadOneState((*database)->get(), kPodmanDatabase,
                                   [&](Bolt& bolt) { return ReadPodmanRecord(bolt, id); });
  if (!record) return record.error();
  if (!*record) return std::optional<Pins>();
  auto pins = PinsOfState((*record)->state);
  if (!pins) return pins.error();
  if (pins->empty() && !(*record)->network.empty()) pins->push_back((*record)->network);
  return std::optional<Pins>(*std::move(pins));
}

// A podman that has gone over to SQLite leaves the older database behind, without its containers.
Result<std::optional<Pins>> OfPodman(const Layout& layout) {
  const auto storage = StateDirectory::Open(layout.data_root);
  if (!storage) return storage.error();
  auto pins = OfBoltDb(*storage, layout.id);
  if (!pins || *pins) return pins;
  const auto state = ReadPodmanState(*storage, layout.id);
  if (!state) return state.error();
  if (!*state) return std::optional<Pins>();
  auto found = PinsOfState(**state);
  if (!found) return found.error();
  return std::optional<Pins>(*std::move(found));
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
