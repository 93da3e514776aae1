#include "runclad/enforce/running.hpp"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <set>
#include <utility>

#include "runclad/host/runtime_state.hpp"
#include "runclad/store/records.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/process.hpp"

namespace runclad::enforce {
namespace {

std::vector<std::string> EntriesOf(const std::string& runtime_root) {
  std::vector<std::string> ids;
  const auto directory = sys::OpenDirectory(runtime_root);
  if (!directory) return ids;
  sys::VisitEntries(directory->get(), [&](const dirent& entry) {
    if (entry.d_type == DT_DIR) ids.emplace_back(static_cast<const char*>(entry.d_name));
    return true;
  });
  return ids;
}

// Without links, as those of engines have it; empty where the state does not say it. No value: it
// does not run.
std::optional<std::string> BundleOf(const std::string& runtime_root, const std::string& id) {
  const auto state = host::ReadRuntimeState(runtime_root, id);
  if (!state || state->pid <= 0) return std::nullopt;
  const auto start = sys::GroupStartTime(state->pid);
  // crun's older versions do not keep the start time.
  if (!start || (state->start_time != 0 && state->start_time != *start)) {
    return std::nullopt;
  }
  std::error_code fault;
  const std::filesystem::path bundle = std::filesystem::canonical(state->bundle, fault);
  return fault ? state->bundle : bundle.string();
}

}  // namespace

std::vector<host::RunningContainer> FindEveryWayToRunning(
    const std::vector<std::string>& runtime_roots) {
  std::vector<host::RunningContainer> running = host::FindRunning();
  std::vector<std::string> roots = runtime_roots;
  // `run` writes no process into a record, and neither does `create`: the runtime's state has it.
  std::ranges::move(store::NotedRoots(), std::back_inserter(roots));
  for (const char* root : {"/run/runc", "/run/crun"}) roots.emplace_back(root);
  for (const std::string& root : roots) {
    for (std::string& id : EntriesOf(root)) {
      auto bundle = BundleOf(root, id);
      if (bundle) running.push_back({std::move(id), *std::move(bundle), root, {}});
    }
  }
  return running;
}

std::vector<host::RunningContainer> FindEveryRunning() {
  std::vector<host::RunningContainer> running = FindEveryWayToRunning({});
  // By id and bundle: a root has several spellings. An engine's own way comes first.
  std::set<std::pair<std::string, std::string>> known;
  std::erase_if(running, [&](const host::RunningContainer& container) {
    return container.bundle.empty() || !known.emplace(container.id, container.bundle).second;
  });
  return running;
}

}  // namespace runclad::enforce
