#include "runclad/engine/container_name.hpp"

#include <cstddef>

#include "runclad/json/scanner.hpp"

#include "state_directory.hpp"

namespace runclad::engine {
namespace {

constexpr std::size_t kMaxBytes = std::size_t{64} << 20;

std::string OfDocker(const StateDirectory& root, const std::string& id) {
  const auto text = root.Read("containers/" + id + "/config.v2.json", kMaxBytes);
  if (!text) return {};
  std::string found_id;
  std::string name;
  json::Scanner scanner(*text);
  scanner.Object({"ID", "Name"},
                 [&](std::size_t member) { (member == 0 ? found_id : name) = scanner.String(); });
  if (!scanner.Finish() || found_id != id) return {};
  return name.starts_with('/') ? name.substr(1) : name;
}

// The first of its names in one of the lists of containers/storage.
std::string OfStorage(const StateDirectory& root, const std::string& driver,
                      const std::string& id) {
  std::string found;
  for (const char* list : {"containers.json", "volatile-containers.json"}) {
    const auto text = root.ReadIfPresent(driver + "-containers/" + list, kMaxBytes);
    if (!text || !*text) continue;
    json::Scanner scanner(**text);
    scanner.Elements([&] {
      std::string element_id;
      std::string name;
      scanner.Object({"id", "names"}, [&](std::size_t member) {
        if (member == 0) {
          element_id = scanner.String();
        } else if (!scanner.Null()) {
          scanner.Elements([&] {
            const std::string_view text_of_name = scanner.String();
            if (name.empty()) name = text_of_name;
          });
        }
      });
      if (element_id == id) found = name;
    });
    if (scanner.Finish() && !found.empty()) return found;
  }
  return {};
}

}  // namespace

std::string NameOfContainer(const Layout& layout) {
  if (layout.data_root.empty()) return {};
  const auto root = StateDirectory::Open(layout.data_root);
  if (!root) return {};
  switch (layout.engine) {
    case Engine::kDocker:
      return OfDocker(*root, layout.id);
    case Engine::kPodman:
    case Engine::kCrio:
      return OfStorage(*root, layout.storage_driver, layout.id);
    default:
      return {};
  }
}

}  // namespace runclad::engine
