#include "report.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <span>
#include <tuple>

#include "runclad/base/unique_fd.hpp"
#include "runclad/json/value.hpp"
#include "runclad/sys/process.hpp"

#include "log_options.hpp"

namespace runclad::runtime {
namespace {

std::string Now() {
  std::array<char, sizeof "2026-11-22T00:00:00Z"> text{};
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  std::ignore = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

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
  WriteLine(file.get(), log.is_json
                            ? R"({"level":"error","msg":)" + quoted + R"(,"time":")" + Now() + "\"}"
                            : "time=\"" + Now() + "\" level=error msg=" + quoted);
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
