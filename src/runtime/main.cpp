// runclad: called in place of runc. Parses the call, applies the policy to it, and executes the
// lower runtime.
//
// We exec and never fork and wait: the engine sends SIGKILL to its direct child when it dies itself
// (PR_SET_PDEATHSIG), and a runtime that we started would survive.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <exception>
#include <utility>

#include "runclad/sys/process.hpp"

#include "call.hpp"
#include "lower_runtime.hpp"
#include "out_of_memory.hpp"
#include "report.hpp"

namespace runclad::runtime {
namespace {

Result<Arguments> Prepare(Call call) {
  switch (call.line.kind) {
    case oci::VerbKind::kCreate:
      return Create(call);
    case oci::VerbKind::kExec:
      return Exec(std::move(call));
    case oci::VerbKind::kStart:
      return Start(call);
    case oci::VerbKind::kDelete:
      return Delete(call);
    case oci::VerbKind::kUpdate:
      return Update(std::move(call));
    case oci::VerbKind::kPassThrough:
      break;
  }
  return call.line.Canonical();
}

// Returns only when the lower runtime was not reached.
Error Run(const std::vector<std::string>& arguments) {
  const auto begin = std::chrono::steady_clock::now();
  auto line = oci::ParseCommandLine(arguments);
  if (!line) return line.error();
  auto lower_runtime = FindLowerRuntime(line->runtime_path);
  if (!lower_runtime) return lower_runtime.error();
  auto handed_on = [&] {
    // A reader that is gone and a file beyond RLIMIT_FSIZE are errors to report.
    const sys::SignalAction sigpipe(SIGPIPE, SIG_IGN);
    const sys::SignalAction sigxfsz(SIGXFSZ, SIG_IGN);
    return Prepare({*std::move(line), *lower_runtime, begin});
  }();
  if (!handed_on) return handed_on.error();
  handed_on->insert(handed_on->begin(), *lower_runtime);
  return sys::Exec(*lower_runtime, *handed_on);
}

}  // namespace
}  // namespace runclad::runtime

int main(int argc, char** argv) {
  runclad::runtime::EndWhenOutOfMemory(argv);
  runclad::sys::KeepStandardStreams();
  const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
  if (arguments.size() == 1 && arguments[0] == "--runclad-version") {
    std::puts("runclad " RUNCLAD_VERSION);
    return 0;
  }
  try {
    return runclad::runtime::Report(runclad::runtime::Run(arguments), arguments);
  } catch (const std::exception& exception) {  // a fault of ours: stop, and say so
    return runclad::runtime::Report({std::string("internal error: ") + exception.what()},
                                    arguments);
  }
}
