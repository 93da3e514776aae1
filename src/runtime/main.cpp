// runclad: called in place of runc. Parses the call, applies the policy to it, and executes the
// lower runtime.
//
// We exec and never fork and wait: the engine sends SIGKILL to its direct child when it dies itself
// (PR_SET_PDEATHSIG), and a runtime that we started would survive. Only --version, which ends by
// itself, is run as a child.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <memory>
#include <utility>

#include "runclad/base/version.hpp"
#include "runclad/enforce/own_line.hpp"
#include "runclad/sys/lower_runtime.hpp"
#include "runclad/sys/process.hpp"

#include "call.hpp"
#include "directories.hpp"
#include "machine.hpp"
#include "out_of_memory.hpp"
#include "report.hpp"

namespace runclad::runtime {
namespace {

// Static, so that it is not destroyed before exec.
Machine& TheMachine() {
  static const std::unique_ptr<Machine> machine = ThisMachine();
  return *machine;
}

// `names_program`, `names_file`: which of what it names has to be judged.
Result<Arguments> Judge(Call& call, bool names_program, bool names_file) {
  if (names_program) {
    if (auto checked = CheckPrograms(call); !checked) return checked.error();
  }
  if (call.line.kind != oci::VerbKind::kCreate) {
    if (auto checked = CheckRuntimeRoot(call); !checked) return checked.error();
    if (names_file) {
      if (auto checked = CheckFiles(call); !checked) return checked.error();
    }
  }
  switch (call.line.kind) {
    case oci::VerbKind::kCreate:
      return Create(call);
    case oci::VerbKind::kExec:
      return Exec(call);
    case oci::VerbKind::kStart:
      return Start(call);
    case oci::VerbKind::kDelete:
      return Delete(call);
    case oci::VerbKind::kUpdate:
      return Update(call);
    case oci::VerbKind::kUnknown:
      return PassUnknown(call);
    case oci::VerbKind::kPassThrough:
      break;
  }
  return std::move(call.line.verbatim);
}

Result<Arguments> Prepare(oci::CommandLine line, const std::string& lower_runtime,
                          std::chrono::steady_clock::time_point begin) {
  const bool names_program = line.runtime_path || line.global("criu");
  const bool names_file = line.kind != oci::VerbKind::kCreate && NamesUnusualFile(line);
  if (line.kind == oci::VerbKind::kPassThrough && !ActsOnState(line) && !names_program &&
      !names_file) {
    return std::move(line.verbatim);
  }
  Call call{std::move(line), lower_runtime, begin, TheMachine()};
  auto judged = Judge(call, names_program, names_file);
  if (!judged) LogEnd(call, judged.error());
  return judged;
}

// What the lower runtime prints, which engines parse, and a line of ours. Not the word "version":
// dockerd takes the last line that has it for the runtime's.
Result<int> PrintVersions(const std::string& lower_runtime, const Arguments& arguments) {
  const auto status = sys::RunAndWait(lower_runtime, arguments);
  if (status && *status == 0) {
    std::printf("%s\n", std::string(enforce::kOwnLine).append(VersionAndCommit()).c_str());
  }
  return status;
}

// The exit status of --version; in every other case it returns only when the lower runtime was not
// reached.
Result<int> Run(const std::vector<std::string>& arguments) {
  const auto begin = std::chrono::steady_clock::now();
  auto line = oci::ParseCommandLine(arguments);
  if (!line) {
    LogEnd({oci::CommandLine(), {}, begin, TheMachine()}, line.error());
    return line.error();
  }
  auto lower_runtime = sys::FindLowerRuntime(line->runtime_path, sys::CalledAs());
  if (!lower_runtime) {
    LogEnd({*std::move(line), {}, begin, TheMachine()}, lower_runtime.error());
    return lower_runtime.error();
  }
  const bool prints_version = line->prints_version && line->verb.empty();
  const bool is_unknown = line->kind == oci::VerbKind::kUnknown;
  auto handed_on = [&] {
    // A reader that is gone and a file beyond RLIMIT_FSIZE are errors to report.
    const sys::SignalAction sigpipe(SIGPIPE, SIG_IGN);
    const sys::SignalAction sigxfsz(SIGXFSZ, SIG_IGN);
    return Prepare(*std::move(line), *lower_runtime, begin);
  }();
  if (!handed_on && is_unknown) {
    constexpr int kUnknownCommand = 3;  // runc's status
    Report(handed_on.error(), arguments);
    return kUnknownCommand;
  }
  if (!handed_on) return handed_on.error();
  handed_on->insert(handed_on->begin(), *lower_runtime);
  if (prints_version) return PrintVersions(*lower_runtime, *handed_on);
  return sys::Exec(*lower_runtime, *handed_on);
}

}  // namespace
}  // namespace runclad::runtime

int main(int argc, char** argv) {
  runclad::runtime::EndWhenOutOfMemory(argv);
  runclad::sys::KeepStandardStreams();
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  if (arguments.size() == 1 && arguments[0] == "--runclad-version") {
    std::printf("runclad %s\n", std::string(runclad::VersionAndCommit()).c_str());
    return 0;
  }
  try {
    const auto status = runclad::runtime::Run(arguments);
    return status ? *status : runclad::runtime::Report(status.error(), arguments);
  } catch (const std::exception& exception) {  // a fault of ours: stop, and say so
    return runclad::runtime::Report({std::string("internal error: ") + exception.what()},
                                    arguments);
  }
}
