#include "report.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <ctime>
#include <string_view>
#include <tuple>

#include "runclad/base/unique_fd.hpp"
#include "runclad/json/value.hpp"
#include "runclad/sys/process.hpp"

namespace runclad::runtime {
namespace {

struct LogOptions {
  std::string path;
  bool is_json = false;
};

// The globals --log and --log-format, as far as the arguments before the verb can be told apart.
LogOptions FindLogOptions(const std::vector<std::string>& arguments) {
  LogOptions found;
  for (std::size_t i = 0; i < arguments.size() && arguments[i].starts_with('-'); ++i) {
    std::string_view name = arguments[i];
    name.remove_prefix(name.starts_with("--") ? 2 : 1);
    const std::size_t equals = name.find('=');
    const bool takes_next =
        equals == std::string_view::npos &&
        (name == "log" || name == "log-format" || name == "root" || name == "rootless" ||
         name == "criu" || name == "runclad-config" || name == "runclad-runtime");
    std::string_view value;
    if (equals != std::string_view::npos) value = name.substr(equals + 1);
    if (takes_next && ++i < arguments.size()) value = arguments[i];
    name = name.substr(0, equals);
    if (name == "log") found.path = value;
    if (name == "log-format") found.is_json = value == "json";
  }
  return found;
}

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
  // Nobody is left to be told when this fails.
  [[maybe_unused]] const ssize_t written = ::write(fd, line.data(), line.size());
}

void WriteLog(const std::string& message, const LogOptions& log) {
  if (log.path.empty()) return;
  // O_NONBLOCK: a FIFO without a reader must not hold us up.
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  const UniqueFd file(::open(log.path.c_str(), kFlags, 0644));
  if (!file) return;
  const std::string quoted = json::Value(message).Dump();
  WriteLine(file.get(), log.is_json
                            ? R"({"level":"error","msg":)" + quoted + R"(,"time":")" + Now() + "\"}"
                            : "time=\"" + Now() + "\" level=error msg=" + quoted);
}

}  // namespace

int Report(const Error& error, const std::vector<std::string>& arguments) {
  // Whoever reads the one may be gone while the other still tells the user.
  const sys::SignalAction sigpipe(SIGPIPE, SIG_IGN);
  const sys::SignalAction sigxfsz(SIGXFSZ, SIG_IGN);
  const std::string message = "runclad: " + error.message;
  WriteLog(message, FindLogOptions(arguments));
  // Behind the log, which engines read: it may be a pipe that nobody empties.
  WriteLine(STDERR_FILENO, message);
  return 1;
}

}  // namespace runclad::runtime
