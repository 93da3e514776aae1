#include "runclad/host/hooks.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "runclad/sys/mounts.hpp"
#include "runclad/sys/owned_path.hpp"
#include "runclad/sys/process.hpp"

namespace runclad::host {
namespace {

using Kind = HookFacts::Kind;
using Arguments = std::span<const std::string>;

std::string_view BaseName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

// --- Docker: /proc/PID/exe libnetwork-setkey -exec-root=DIR CONTAINER CONTROLLER ---

// The directory of the process in /proc/PID/exe, in exactly that spelling; empty for any other.
std::string ProcessDirectory(const std::string& path) {
  constexpr std::string_view kProc = "/proc/";
  constexpr std::string_view kExe = "/exe";
  if (!path.starts_with(kProc) || !path.ends_with(kExe)) return {};
  const std::string_view number =
      std::string_view(path).substr(kProc.size(), path.size() - kProc.size() - kExe.size());
  const bool is_number =
      !number.empty() && std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? path.substr(0, path.size() - kExe.size()) : std::string();
}

// A container's process may have a root-owned "dockerd", too: of its own root directory.
bool HasOurRoot(const std::string& process) {
  struct stat theirs {};
  struct stat ours {};
  return ::stat((process + "/root").c_str(), &theirs) == 0 && ::stat("/", &ours) == 0 &&
         theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino;
}

std::string WhyNotDockerd(const std::string& process) {
  struct stat status {};
  std::array<char, PATH_MAX> link;
  const std::string path = process + "/exe";
  const ssize_t size = ::readlink(path.c_str(), link.data(), link.size());
  if (size <= 0 || ::stat(path.c_str(), &status) != 0)
    return "is not the program of a living process";
  std::string_view name = BaseName({link.data(), static_cast<std::size_t>(size)});
  constexpr std::string_view kReplaced = " (deleted)";  // by an upgrade, under the running daemon
  if (name.ends_with(kReplaced)) name.remove_suffix(kReplaced.size());
  if (name != "dockerd") return "is the program of a process that is not dockerd";
  if (!S_ISREG(status.st_mode) || status.st_uid != 0 ||
      (status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
    return "is a dockerd that users other than root can modify";
  }
  if (!sys::RunsAsRoot(process) || !HasOurRoot(process)) return "is not this host's dockerd";
  return {};
}

// What the network belongs to: the container, or a build's network alone, whose id has a length of
// BuildKit's own: no container's.
bool IsNetworkOf(const std::string& id, const engine::Layout& layout) {
  constexpr std::size_t kBytesOfBuildkit = 25;
  if (layout.id.empty() || id == layout.id) return true;
  return layout.engine == engine::Engine::kBuildkit && id.size() == kBytesOfBuildkit &&
         id.find_first_not_of("0123456789abcdefghijklmnopqrstuvwxyz") == std::string::npos;
}

bool AreSetkeyArguments(Arguments arguments, const engine::Layout& layout) {
  constexpr std::size_t kCount = 4;
  return arguments.size() == kCount && arguments[0] == "libnetwork-setkey" &&
         arguments[1].starts_with("-exec-root=/") && IsNetworkOf(arguments[2], layout);
}

HookFacts DescribeProcess(const oci::Hook& hook, const std::string& process,
                          const engine::Layout& layout) {
  struct stat status {};
  // A document alone, of a host that was or is elsewhere: the process cannot be asked.
  const bool is_past = layout.id.empty() && ::stat(process.c_str(), &status) != 0;
  std::string because = is_past ? std::string() : WhyNotDockerd(process);
  if (because.empty() && !AreSetkeyArguments(hook.args, layout)) {
    because = "is dockerd, but with arguments that dockerd does not use for its own hook";
  }
  return {because.empty() ? Kind::kEngine : Kind::kForeign, hook.path, std::move(because)};
}

// --- programs by their path ---

// Only root can modify what a path leads to, or create it if it is missing.
bool IsModifiableOnlyByRoot(std::string path) {
  if (!path.starts_with('/') || !sys::OnlyRootCouldRedirect(path)) return false;
  while (true) {
    const auto located = sys::LocateIfPresent(path);
    if (!located) return false;
    if (*located) return sys::OnlyRootCouldReplace((*located)->path);
    const std::size_t slash = path.find_last_not_of('/');
    path.resize(path.rfind('/', slash));
    if (path.empty()) path = "/";
  }
}

// The variable whose directories or file decide what else the program runs, and that others than
// root could write to; empty when there is none.
std::string ForeignVariable(const std::vector<std::string>& env) {
  constexpr std::string_view kPathVariables[] = {
      "PATH",         "CNI_PATH",        "NETCONFPATH",
      "NERDCTL_TOML", "XDG_CONFIG_HOME", "NVIDIA_CTK_CONFIG_FILE_PATH",
  };
  for (const std::string& variable : env) {
    const std::size_t equals = variable.find('=');
    const std::string name = variable.substr(0, equals);
    if (equals == std::string::npos || equals + 1 == variable.size() ||
        std::ranges::find(kPathVariables, name) == std::ranges::end(kPathVariables)) {
      continue;
    }
    for (std::size_t begin = equals + 1; begin <= variable.size();) {
      const std::size_t end = std::min(variable.find(':', begin), variable.size());
      if (!IsModifiableOnlyByRoot(variable.substr(begin, end - begin))) return name;
      begin = end + 1;
    }
  }
  return {};
}

// NAME [FLAG…] internal oci-hook EVENT, no flag may name a path that users other than root can
// modify: --cni-path is where it looks for programs to run.
bool AreNerdctlArguments(Arguments arguments) {
  constexpr std::size_t kFixed = 4;
  if (arguments.size() < kFixed) return false;
  const Arguments last = arguments.last(kFixed - 1);
  if (last[0] != "internal" || last[1] != "oci-hook") return false;
  if (last[2] != "createRuntime" && last[2] != "postStop") return false;
  return std::ranges::all_of(arguments.subspan(1, arguments.size() - kFixed), [](std::string flag) {
    constexpr std::string_view kScheme = "unix://";
    const std::size_t equals = flag.find('=');
    if (!flag.starts_with("--")) return false;
    if (equals == std::string::npos || flag.find('/', equals) == std::string::npos) return true;
    flag.erase(0, equals + 1);
    if (flag.starts_with(kScheme)) flag.erase(0, kScheme.size());
    return IsModifiableOnlyByRoot(std::move(flag));
  });
}

bool AreNvidiaArguments(std::string_view program, Arguments arguments) {
  if (program == "nvidia-container-runtime-hook" || program == "nvidia-container-toolkit") {
    return arguments.size() == 2 && arguments[1] == "prestart";
  }
  if (program == "nvidia-ctk") return arguments.size() > 2 && arguments[1] == "hook";
  return program == "nvidia-cdi-hook" && arguments.size() > 1;
}

HookFacts DescribeProgram(const oci::Hook& hook) {
  HookFacts facts;
  const auto located = sys::LocateIfPresent(hook.path);
  if (!located || !*located) {
    facts.because = "cannot be found on this host";
    return facts;
  }
  facts.resolved = (*located)->path;
  if (!S_ISREG((*located)->mode) || !sys::OnlyRootCouldReplace(facts.resolved) ||
      !sys::OnlyRootCouldRedirect(hook.path)) {
    facts.because = "could be replaced by a user other than root";
    return facts;
  }
  if (const std::string name = ForeignVariable(hook.env); !name.empty()) {
    facts.because =
        "is given " + name + ", which points to something that users other than root can write to";
    return facts;
  }
  const std::string_view program = BaseName(facts.resolved);
  const bool is_engine = (program == "nerdctl" && AreNerdctlArguments(hook.args)) ||
                         AreNvidiaArguments(program, hook.args);
  facts.kind = is_engine ? Kind::kEngine : Kind::kTrusted;
  return facts;
}

HookFacts Describe(const oci::Hook& hook, const engine::Layout& layout) {
  if (hook.pointer.starts_with("/hooks/startContainer/")) {
    return {Kind::kForeign, {}, "would run with the container's files before it is confined"};
  }
  if (!hook.path.starts_with('/')) return {Kind::kForeign, {}, "is not an absolute path"};
  const std::string process = ProcessDirectory(hook.path);
  return process.empty() ? DescribeProgram(hook) : DescribeProcess(hook, process, layout);
}

}  // namespace

void GatherHooks(const oci::Spec& spec, const engine::Layout& layout,
                 std::map<std::string, HookFacts>& hooks) {
  for (const oci::Hook& hook : spec.hooks()) {
    hooks.emplace(hook.pointer, Describe(hook, layout));
  }
}

}  // namespace runclad::host
