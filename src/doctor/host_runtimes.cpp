#include "runclad/doctor/host_runtimes.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include <glob.h>

#include "runclad/sys/directory.hpp"
#include "runclad/sys/links.hpp"
#include "runclad/sys/lower_runtime.hpp"

namespace runclad::doctor {
namespace {

namespace fs = std::filesystem;

// Any runtime that an engine can be told to use, whether or not runclad can stand in its place.
constexpr const char* kRuntimeNames[] = {"runc", "crun", "youki", "runsc", "kata-runtime"};
// Those that distributions of Kubernetes bring along.
constexpr const char* kBundled[] = {"/var/lib/rancher/*/data/*/bin/runc", "/var/lib/k0s/bin/runc",
                                    "/opt/*/bin/runc", "/snap/docker/current/bin/runc"};

// Those whose command line runclad takes.
constexpr std::string_view kClosable[] = {"runc", "crun"};

// What is wrong with a runtime whose place is noted.
std::string FaultOf(const HostRuntime& runtime, const std::string& program) {
  const bool is_in_place =
      fs::is_symlink(runtime.file) && sys::Canonical(runtime.file) == sys::Canonical(program);
  if (is_in_place && sys::IsFile(runtime.moved)) return {};
  if (is_in_place) return "its program " + runtime.moved + " is gone";
  return sys::IsFile(runtime.moved) && sys::IsFile(runtime.file)
             ? "another program has replaced runclad, or the closing was interrupted"
             : "the closing or opening was interrupted";
}

// The file that is run, as FindRuntimes has it.
bool Runs(const RuntimeFact& runtime, const std::string& file) {
  return !runtime.is_runclad && !runtime.is_missing && sys::Canonical(runtime.program) == file;
}

// How users of an engine ask for a runtime of this name.
std::string WayOf(const EngineFacts& engine, const std::string& name) {
  if (engine.engine == "docker") return "docker run --runtime " + name;
  if (engine.engine == "podman") return "podman run";
  return "pods with the runtime handler " + name + " (" + engine.engine + ")";
}

}  // namespace

bool CanBeClosed(const std::string& program) {
  const std::string name = fs::path(program).filename();
  return std::ranges::find(kClosable, name) != std::end(kClosable);
}

std::vector<HostRuntime> FindRuntimes(const std::string& program) {
  std::vector<HostRuntime> runtimes;
  const std::string closed(sys::kClosedDirectory);
  for (const std::string& name : sys::NamesIn(closed)) {
    constexpr std::string_view kEnd = ".from";
    const std::string link = closed + "/" + name;
    std::error_code fault;
    if (!name.starts_with('.') || !name.ends_with(kEnd) || !fs::is_symlink(link, fault)) continue;
    const std::string own = name.substr(1, name.size() - 1 - kEnd.size());
    HostRuntime runtime{own, sys::ReadLink(link), closed + "/" + own, {}};
    runtime.fault = FaultOf(runtime, program);
    runtimes.push_back(std::move(runtime));
  }
  const auto add = [&](const std::string& name, const std::string& path) {
    const std::string file = sys::Canonical(path);
    if (file.empty() || file == sys::Canonical(program)) return;
    const bool is_known = std::ranges::any_of(runtimes, [&](const HostRuntime& runtime) {
      return runtime.file == file || runtime.moved == file;
    });
    if (!is_known) runtimes.push_back({name, file, {}, {}});
  };
  for (const char* name : kRuntimeNames) {
    for (const std::string_view directory : sys::kRuntimeDirectories) {
      add(name, std::string(directory) + name);
    }
  }
  for (const char* pattern : kBundled) {
    glob_t found{};
    if (::glob(pattern, 0, nullptr, &found) == 0) {
      for (std::size_t i = 0; i < found.gl_pathc; ++i) add("runc", found.gl_pathv[i]);
    }
    ::globfree(&found);
  }
  return runtimes;
}

std::vector<std::string> WaysTo(const RoadFacts& roads, const std::string& file) {
  std::vector<std::string> ways;
  for (const EngineFacts& engine : roads.engines) {
    for (const std::vector<RuntimeFact>* known : {&engine.runtimes, &engine.shims}) {
      for (const RuntimeFact& runtime : *known) {
        if (Runs(runtime, file)) ways.push_back(WayOf(engine, runtime.name));
      }
    }
    if (engine.builder && Runs(*engine.builder, file)) {
      ways.push_back("builds (" + engine.engine + ")");
    }
  }
  return ways;
}

}  // namespace runclad::doctor
