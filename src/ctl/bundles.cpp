#include "bundles.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <utility>

#include "runclad/base/spelling.hpp"
#include "runclad/enforce/running.hpp"
#include "runclad/sys/file.hpp"

#include "style.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;

// As the engine calls it: the name is in its state, which the document leads to.
std::string NameOf(const host::RunningContainer& container) {
  if (!container.name.empty()) return container.name;
  const auto opened = OpenContainer(container, container.bundle + "/config.json");
  return opened ? opened->name : std::string();
}

Error Ambiguous(const std::string& wanted, const std::vector<host::RunningContainer>& found) {
  constexpr std::size_t kMaxShown = 5;
  std::vector<std::string> ids;
  for (const host::RunningContainer& container : found) {
    if (ids.size() == kMaxShown) {
      ids.emplace_back("…");
      break;
    }
    ids.push_back(container.id);
  }
  return Error{Quoted(wanted) + " names " + std::to_string(found.size()) +
               " running containers: " + Joined(ids) + "; give a longer id or the bundle"};
}

}  // namespace

enforce::Request OpenedContainer::request() const {
  return {.id = container.id,
          .bundle = container.bundle,
          .runtime_root = container.runtime_root,
          .records = records ? &*records : nullptr,
          .starts_at_once = subject.identity.engine == engine::Engine::kBuildkit};
}

Result<std::string> ReadDocument(const std::string& path) {
  // O_NONBLOCK: opening a FIFO must not block.
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return SystemError(path + " cannot be opened", errno);
  auto bytes = sys::ReadRegularFile(file.get(), oci::kMaxSpecBytes);
  if (!bytes) return bytes.error().In(path);
  return bytes;
}

Result<OpenedContainer> OpenContainer(host::RunningContainer container, const std::string& path) {
  const auto bytes = ReadDocument(path);
  if (!bytes) return bytes.error();
  auto spec = oci::Spec::Parse(*bytes);
  if (!spec) return spec.error().In(path);
  OpenedContainer opened{std::move(container), path, {}, *std::move(spec), {}, {}};
  if (const std::string root = host::RuntimeRootOf(opened.container); !root.empty()) {
    auto records = store::Records::Open(root, /*create=*/false);
    if (records) opened.records = *std::move(records);
  }
  opened.subject = enforce::FindSubject(opened.spec, opened.request());
  // A copy of a document: the directory that it lies in says nothing of the container's id, and
  // nothing of it has to be on this host.
  if (opened.subject.layout.engine == engine::Engine::kUnknown && !opened.records) {
    opened.container.id.clear();
    opened.subject.layout.id.clear();
  }
  opened.name = opened.container.name.empty() ? opened.subject.identity.container_name
                                              : opened.container.name;
  return opened;
}

Result<OpenedContainer> OpenBundle(const std::string& path,
                                   const std::optional<std::string>& runtime_root) {
  std::error_code fault;
  const std::string config = fs::is_directory(path, fault)
                                 ? path + (path.ends_with('/') ? "config.json" : "/config.json")
                                 : path;
  const fs::path absolute = fs::canonical(config, fault);
  if (fault) return SystemError(config + " cannot be opened", fault.value());
  const std::string bundle = absolute.parent_path();
  host::RunningContainer container = host::ContainerOf(bundle, enforce::FindEveryRunning());
  if (runtime_root) container.runtime_root = *runtime_root;
  return OpenContainer(std::move(container), config);
}

Result<host::RunningContainer> FindRunningContainer(const std::string& wanted) {
  const std::vector<host::RunningContainer> running = enforce::FindEveryRunning();
  std::vector<host::RunningContainer> found;
  const auto take = [&](const auto& is_wanted) {
    std::ranges::copy_if(running, std::back_inserter(found), is_wanted);
    return !found.empty();
  };
  if (!take([&](const auto& container) { return container.id == wanted; }) &&
      !take([&](const auto& container) { return NameOf(container) == wanted; })) {
    take([&](const auto& container) { return container.id.starts_with(wanted); });
  }
  if (found.size() > 1) return Ambiguous(wanted, found);
  if (found.size() == 1) return std::move(found.front());
  return Error{Quoted(wanted) +
               (::geteuid() == 0
                    ? " is neither a file nor the id or name of a running container; an engine "
                      "keeps the bundle of a container only while it runs"
                    : " is not a file; only root can look for a running container of this name")};
}

}  // namespace runclad::ctl
