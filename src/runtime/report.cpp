#include "report.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <exception>
#include <span>

#include "runclad/base/printable.hpp"
#include "runclad/base/time.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/enforce/log.hpp"
#include "runclad/enforce/own_line.hpp"
#include "runclad/host/call_directories.hpp"
#include "runclad/json/value.hpp"
#include "runclad/sys/process.hpp"

#include "directories.hpp"
#include "log_options.hpp"

namespace runclad::runtime {
namespace {

bool g_is_judged = false;

void WriteLine(int fd, std::string line) {
  line += '\n';
  // A failure here cannot be reported to anyone.
  [[maybe_unused]] const ssize_t written = ::write(fd, line.data(), line.size());
}

bool MayWrite(std::string_view path) {
  if (MayWriteLogAtOnce(path)) return true;
  try {
    return MayWriteLog(path);
  } catch (const std::exception&) {  // reported is what ended the call
    return false;
  }
}

void WriteLog(const std::string& message, const LogOptions& log) {
  if (log.path.empty() || !MayWrite(log.path)) return;
  const UniqueFd file(::open(log.path.data(), LogFlags(log), 0644));
  if (!file) return;
  const std::string quoted = json::Value(message).Dump();
  const std::string now = FormatTime(std::time(nullptr)).data();
  WriteLine(file.get(), log.is_json
                            ? R"({"level":"error","msg":)" + quoted + R"(,"time":")" + now + "\"}"
                            : "time=\"" + now + "\" level=error msg=" + quoted);
}

}  // namespace

void WarnOfFallback(const policy::Effective& policy) {
  const std::string warning = Printable(
      std::string(enforce::kOwnLine) + "warning: the policy in force cannot be used, and " +
      std::string(policy.directory.empty() ? "the profile restricted is recorded by"
                                           : "the copy of it that was kept is used") +
      ": " + policy.fell_back_because);
  enforce::WarnSyslog(warning);
  const sys::SignalAction sigpipe(SIGPIPE, SIG_IGN);
  WriteLine(STDERR_FILENO, warning);
}

void LogIsJudged() { g_is_judged = true; }

bool MayWriteLogAtOnce(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  return g_is_judged ||
         (slash != std::string_view::npos && host::IsUsualForFiles(path.substr(0, slash)));
}

int Report(const Error& error, const std::vector<std::string>& arguments) {
  // The reader of one may be gone while the other still reaches the user.
  const sys::SignalAction sigpipe(SIGPIPE, SIG_IGN);
  const sys::SignalAction sigxfsz(SIGXFSZ, SIG_IGN);
  constexpr std::size_t kMaxBytes = std::size_t{16} << 10;
  const std::string message =
      Printable(std::string(enforce::kOwnLine) + Shortened(error.message, kMaxBytes));
  WriteLog(message, FindLogOptions(std::span(arguments)));
  // After the log, which engines read: stderr may be a pipe that is never drained.
  WriteLine(STDERR_FILENO, message);
  return 1;
}

}  // namespace runclad::runtime
