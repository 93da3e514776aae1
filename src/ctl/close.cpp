// runcladctl close and open: whoever picks a runtime by its name gets runclad.
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <utility>

#include "runclad/base/spelling.hpp"
#include "runclad/doctor/doctor.hpp"
#include "runclad/doctor/host_runtimes.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/host/call_directories.hpp"
#include "runclad/sys/links.hpp"
#include "runclad/sys/lower_runtime.hpp"
#include "runclad/sys/owned_path.hpp"

#include "closing.hpp"
#include "installed_program.hpp"
#include "rollout.hpp"
#include "runtime_probe.hpp"
#include "style.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using doctor::CanBeClosed;
using doctor::FindRuntimes;
using doctor::HostRuntime;

// The link must not lead through what is replaced: it stays the same for every runtime.
Result<std::string> ProgramOf(const CloseRequest& request) {
  const std::string named = request.program.empty() ? InstalledProgram() : request.program;
  std::error_code fault;
  std::string program = fs::canonical(named, fault);
  if (fault || !sys::OnlyRootCouldReplace(program)) {
    return Error{named + " does not exist or could be replaced by others than root"};
  }
  return program;
}

// The runtimes that `wanted` names, each once.
Result<std::vector<HostRuntime>> Wanted(const std::vector<std::string>& wanted,
                                        const std::vector<HostRuntime>& all) {
  std::vector<HostRuntime> found;
  if (wanted.empty()) {
    std::ranges::copy_if(all, std::back_inserter(found), [](const HostRuntime& runtime) {
      return CanBeClosed(runtime.name) || !runtime.moved.empty();
    });
    return found;
  }
  for (const std::string& name : wanted) {
    std::error_code ignored;
    const std::string file = name.starts_with('/') ? fs::canonical(name, ignored).string() : "";
    const auto runtime = std::ranges::find_if(all, [&](const HostRuntime& one) {
      return one.name == name || one.file == name || (!file.empty() && one.file == file);
    });
    if (runtime == all.end()) return Error{"no runtime " + Quoted(name) + " is on this host"};
    if (!CanBeClosed(runtime->name) && runtime->moved.empty()) {
      return Error{"runclad cannot replace " + runtime->file +
                   ": it takes the command lines of runc and crun"};
    }
    found.push_back(*runtime);
  }
  return found;
}

bool IsInRuntimeDirectory(const std::string& file) {
  const std::string_view directory = std::string_view(file).substr(0, file.rfind('/') + 1);
  return std::ranges::find(sys::kRuntimeDirectories, directory) != sys::kRuntimeDirectories.end();
}

// It is run as root to prove that it works, and becomes the lower runtime: nobody else may have put
// it there, and no container. A predicate; empty: nobody could, or nothing of the kind is there.
std::string WhyNotTrusted(const std::string& file, const std::string& program) {
  std::error_code fault;
  const fs::file_status status = fs::symlink_status(file, fault);
  const bool is_closed = fs::is_symlink(status) && sys::Canonical(file) == sys::Canonical(program);
  if (!fs::exists(status) || fs::is_directory(status) || is_closed) return {};
  if (!sys::OnlyRootCouldReplace(file)) return "could be replaced by users other than root";
  if (IsInRuntimeDirectory(file)) return {};
  const auto policy = enforce::LoadLoosestPolicy(std::nullopt);
  if (!policy) return "cannot be judged without the host's policy: " + policy.error().message;
  const auto lists = enforce::WritableLists(*policy);
  if (!lists) return host::SuppliedBecause(file);
  const engine::Layout no_engine;
  return host::CallDirectories(*lists, no_engine).SuppliedBecause(file);
}

// Closed and proved, or as it was before.
Status CloseAndProve(const HostRuntime& runtime, const std::string& program,
                     const std::string& state) {
  if (const std::string why = WhyNotTrusted(runtime.file, program); !why.empty()) {
    return Error{"nothing was changed: " + runtime.file + ' ' + why +
                 ", and is therefore not run; remove it, or move it to a directory that only root "
                 "can change and that no container can mount"};
  }
  if (runtime.moved.empty()) {
    const auto works = ProbeRuntime(runtime.file, /*as_runclad=*/false, state);
    if (!works) {
      return Error{"nothing was changed: it runs no container by itself, so none would run with " +
                   std::string("runclad in its place; fix or remove it: ") + works.error().message};
    }
    if (*works == Hardening::kHardened) {
      return Error{"nothing was changed: " + runtime.file + " hardens containers already"};
    }
  }
  Status closed = CloseRuntime(runtime.file, program);
  if (closed) {
    const auto proof = ProbeRuntime(runtime.file, /*as_runclad=*/true, state);
    if (proof && *proof == Hardening::kHardened) return {};
    closed = proof ? Error{"a container of " + runtime.file + " was not hardened"} : proof.error();
  }
  const auto undone = OpenRuntime(runtime.name, program);
  return Error{closed.error().message +
               (undone ? "; everything was put back"
                       : "; putting it back failed, too: " + undone.error().message)};
}

// Who gets containers of an open runtime, as doctor sees it.
std::string OpenTo(const doctor::RoadFacts& roads, const HostRuntime& runtime, const Style& style) {
  const std::vector<std::string> ways = doctor::WaysTo(roads, runtime.file);
  if (!ways.empty()) return style.Yellow("open") + " to " + Printable(Joined(ways));
  const bool is_known = std::ranges::all_of(
      roads.engines, [](const doctor::EngineFacts& engine) { return engine.fault.empty(); });
  return style.Yellow("open") + (is_known ? ", but no engine on this host offers it to its users"
                                          : "; not every engine says whether it offers it");
}

std::string ListOf(const std::string& program, const Style& style) {
  constexpr std::chrono::seconds kLimit(5);
  const doctor::RoadFacts roads = doctor::GatherRoads(program, kLimit);
  std::vector<std::vector<std::string>> rows;
  for (const HostRuntime& runtime : roads.runtimes) {
    std::string state = style.Green("closed") + ": " + runtime.moved + " runs behind runclad";
    if (runtime.moved.empty()) {
      state = OpenTo(roads, runtime, style);
    } else if (!runtime.fault.empty()) {
      state = style.Red("half closed") + ": " + runtime.fault + "; runcladctl close " +
              runtime.name + " or runcladctl open " + runtime.name + " repairs it";
    }
    rows.push_back({runtime.name, Printable(runtime.file), state});
  }
  return rows.empty() ? "no runtime was found on this host\n" : Table(rows);
}

// Applies `change` to each runtime that is wanted. Those for which it fails are listed first, under
// `failed`, and then every runtime of the host.
template <typename Change>
Result<Output> ChangeEach(const CloseRequest& request, const Style& style, const char* failed,
                          Change change) {
  const auto program = ProgramOf(request);
  if (!program) return program.error();
  const auto wanted = Wanted(request.runtimes, FindRuntimes(*program));
  if (!wanted) return wanted.error();
  Output output;
  for (const HostRuntime& runtime : *wanted) {
    const Status changed = change(runtime, *program);
    if (changed) continue;
    output.text +=
        style.Red(failed) + ": " + runtime.file + ": " + Printable(changed.error().message) + "\n";
    output.status = kChanged;
  }
  output.text += ListOf(*program, style);
  return output;
}

}  // namespace

Result<Output> Close(const CloseRequest& request, const Style& style) {
  if (::geteuid() != 0) return Error{"only root can close a runtime"};
  return ChangeEach(request, style, "not closed",
                    [&](const HostRuntime& runtime, const std::string& program) {
                      return CloseAndProve(runtime, program, request.state);
                    });
}

Result<Output> Open(const CloseRequest& request, const Style& style) {
  if (::geteuid() != 0) return Error{"only root can open a runtime"};
  return ChangeEach(request, style, "still closed",
                    [](const HostRuntime& runtime, const std::string& program) {
                      return runtime.moved.empty() ? Status() : OpenRuntime(runtime.name, program);
                    });
}

}  // namespace runclad::ctl
