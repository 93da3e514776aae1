#include "runclad/host/running.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "runclad/base/path.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/host/runtime_state.hpp"
#include "runclad/json/scanner.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/links.hpp"
#include "runclad/sys/process.hpp"

namespace runclad::host {
namespace {

// <state>/io.containerd.runtime.v2.task/<namespace>/<id>
constexpr std::string_view kTask = "/io.containerd.runtime.v";
constexpr const char* kContainerdRoot = "/run/containerd/runc";  // where options name no other

// Files of /proc have no size, and a command line no limit but the kernel's.
std::vector<std::string> ArgumentsOf(const std::string& process) {
  constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
  const UniqueFd file(::open((process + "/cmdline").c_str(), O_RDONLY | O_CLOEXEC));
  std::vector<std::string> arguments;
  if (!file) return arguments;
  const auto text = sys::ReadRegularFile(file.get(), kMaxBytes);
  if (!text) return arguments;
  for (std::size_t begin = 0; begin < text->size();) {
    const std::size_t end = std::min(text->find('\0', begin), text->size());
    arguments.push_back(text->substr(begin, end - begin));
    begin = end + 1;
  }
  return arguments;
}

// The value behind the first argument `name`.
std::string ValueOf(const std::vector<std::string>& arguments, std::string_view name) {
  const auto found = std::ranges::find(arguments, name);
  return found == arguments.end() || found + 1 == arguments.end() ? std::string() : *(found + 1);
}

template <typename T>
std::optional<T> Number(std::string_view text) {
  T number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, fault] = std::from_chars(text.data(), end, number);
  return fault == std::errc() && stop == end ? std::optional(number) : std::nullopt;
}

std::optional<std::string> ReadSmall(const std::string& directory, const std::string& name) {
  constexpr std::size_t kMaxBytes = std::size_t{64} << 10;
  const auto opened = sys::OpenDirectory(directory);
  if (!opened) return std::nullopt;
  auto text = sys::ReadTrustedFile(opened->get(), name, kMaxBytes);
  return text ? std::optional(*std::move(text)) : std::nullopt;
}

struct TaskOptions {
  std::string root;  // what the shim gives the runtime as --root: the option, and the namespace
  std::string program;
};

TaskOptions OptionsOfTask(const std::string& bundle) {
  TaskOptions task;
  if (const auto options = ReadSmall(bundle, "options.json")) {
    json::Scanner scanner(*options);
    scanner.Object({"root", "binary_name"}, [&](std::size_t index) {
      (index == 0 ? task.root : task.program) = scanner.String();
    });
    if (!scanner.Finish()) task = {};
  }
  if (task.root.empty()) task.root = kContainerdRoot;
  task.root += "/" + std::string(LastOf(AboveOf(bundle)));
  return task;
}

bool IsTask(std::string_view bundle) {
  return LastOf(AboveOf(AboveOf(bundle))).starts_with(kTask.substr(1));
}

// Whether the task's first process lives: containerd keeps the bundle until the task is deleted.
bool IsAlive(const std::string& bundle) {
  const auto text = ReadSmall(bundle, "init.pid");
  const auto pid = text ? Number<pid_t>(*text) : std::nullopt;
  return pid && *pid > 0 && sys::GroupStartTime(*pid).has_value();
}

// One shim serves every container of a pod, so that each bundle next to its own counts.
void AddTasks(const std::string& bundle, std::vector<RunningContainer>& running) {
  const std::string name_space(AboveOf(bundle));
  const auto directory = sys::OpenDirectory(name_space);
  if (!directory) return;
  sys::VisitEntries(directory->get(), [&](const dirent& entry) {
    const std::string id = static_cast<const char*>(entry.d_name);
    std::string task = name_space + "/" + id;
    if (!IsAlive(task)) return true;
    TaskOptions options = OptionsOfTask(task);
    running.push_back({id, task, std::move(options.root), {}, std::move(options.program)});
    return true;
  });
}

void AddOfConmon(const std::vector<std::string>& arguments,
                 std::vector<RunningContainer>& running) {
  RunningContainer container{ValueOf(arguments, "-c"),
                             ValueOf(arguments, "-b"),
                             {},
                             ValueOf(arguments, "-n"),
                             ValueOf(arguments, "-r")};
  std::error_code fault;
  container.bundle = std::filesystem::canonical(container.bundle, fault);
  if (container.id.empty() || fault) return;
  constexpr std::string_view kRoot = "--root=";
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    if (arguments[i - 1] == "--runtime-arg" && arguments[i].starts_with(kRoot)) {
      container.runtime_root = arguments[i].substr(kRoot.size());
    }
  }
  running.push_back(std::move(container));
}

bool IsRootOfOwnMounts(const std::string& process, const std::string& mounts) {
  return sys::RunsAsRoot(process) && sys::ReadLink(process + "/ns/mnt") == mounts;
}

}  // namespace

std::vector<RunningContainer> FindRunning(const std::string& proc) {
  std::vector<RunningContainer> running;
  const std::string mounts = sys::ReadLink(proc + "/self/ns/mnt");
  const auto directory = sys::OpenDirectory(proc);
  if (!directory || mounts.empty()) return running;
  sys::VisitEntries(directory->get(), [&](const dirent& entry) {
    const std::string_view number = static_cast<const char*>(entry.d_name);
    if (!Number<pid_t>(number)) return true;
    const std::string process = proc + "/" + std::string(number);
    // First: another user's process could keep whoever reads its arguments waiting.
    if (!IsRootOfOwnMounts(process, mounts)) return true;
    const std::vector<std::string> arguments = ArgumentsOf(process);
    if (arguments.empty()) return true;
    const std::string_view program = LastOf(arguments.front());
    const bool is_shim = program.starts_with("containerd-shim-runc-");
    if (!is_shim && program != "conmon") return true;
    if (!is_shim) {
      AddOfConmon(arguments, running);
      return true;
    }
    const std::string bundle = sys::ReadLink(process + "/cwd");
    if (IsTask(bundle)) AddTasks(bundle, running);
    return true;
  });
  std::ranges::sort(running, {}, &RunningContainer::bundle);
  const auto same = [](const RunningContainer& left, const RunningContainer& right) {
    return left.bundle == right.bundle;
  };
  running.erase(std::unique(running.begin(), running.end(), same), running.end());
  return running;
}

RunningContainer ContainerOf(const std::string& bundle,
                             const std::vector<RunningContainer>& running) {
  const auto found = std::ranges::find(running, bundle, &RunningContainer::bundle);
  if (found != running.end()) return *found;
  const std::string_view last = LastOf(bundle);
  const std::string id(last == "userdata" ? LastOf(AboveOf(bundle)) : last);
  return {id, bundle, IsTask(bundle) ? OptionsOfTask(bundle).root : std::string(), {}};
}

std::string RuntimeRootOf(const RunningContainer& container) {
  if (!container.runtime_root.empty()) return container.runtime_root;
  for (const char* root : {"/run/runc", "/run/crun"}) {
    if (ContainerExists(root, container.id)) return root;
  }
  return {};
}

}  // namespace runclad::host
