#include "report.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <span>

#include "runclad/base/time.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/json/value.hpp"
#include "runclad/sys/process.hpp"

#include "log_options.hpp"

namespace runclad::runtime {
namespace {

void WriteLine(int fd, std::string line) {
  line += '\n';
  // A failure here cannot be reported to anyone.
  [[maybe_unused]] const ssize_t written = ::write(fd, line.data(), line.size());
}

void WriteLog(const std::string& message, const LogOptions& log) {
  if (log.path.empty()) return;
  // O_NONBLOCK: opening a FIFO without a reader must not block.
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  const UniqueFd file(::open(log.path.data(), kFlags, 0644));
  if (!file) return;
  const std::string quoted = json::Value(message).Dump();
  const std::string now = FormatTime(std::time(nullptr)).data();
  WriteLine(file.get(), log.is_json
                            ? R"({"level":"error","msg":)" + quoted + R"(,"time":")" + now + "\"}"
                            : "time=\"" + now + "\" level=error msg=" + quoted);
}

}  // namespace

int Report(const Error& error, const std::vector<std::string>& arguments) {
  // The reader of one may be gone while the other still reaches the user.
  const sys::SignalAction sigpipe(SIGPIPE, SIG_IGN);
  const sys::SignalAction sigxfsz(SIGXFSZ, SIG_IGN);
  const std::string message = "runclad: " + error.message;
  WriteLog(message, FindLogOptions(std::span(arguments)));
  // After the log, which engines read: stderr may be a pipe that is never drained.
  WriteLine(STDERR_FILENO, message);
  return 1;
}

}  // namespace runclad::runtime
