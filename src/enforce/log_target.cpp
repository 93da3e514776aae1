#include "log_target.hpp"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <string>
#include <string_view>
#include <utility>

#include <syslog.h>

#include "runclad/base/unique_fd.hpp"
#include "runclad/enforce/log.hpp"
namespace runclad::enforce {
namespace {

constexpr std::string_view kFilePrefix = "file:";

// One system call that does not wait; syslog(3) waits for the daemon and reports no failure.
// Returns an errno value, 0 for none.
int Send(const UniqueFd& connection, std::string_view message) {
  const ssize_t sent = ::write(connection.get(), message.data(), message.size());
  if (sent < 0) return errno;
  return static_cast<std::size_t>(sent) == message.size() ? 0 : ENOSPC;
}

Result<UniqueFd> Connect(std::string_view daemon, std::string_view path, int type) {
  UniqueFd connection(::socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!connection) return SystemError("a socket cannot be created", errno);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  // NOLINTNEXTLINE(*-reinterpret-cast): how the socket calls take addresses
  const auto* general = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(connection.get(), general, sizeof address) != 0) {
    return SystemError(std::string(daemon) + " cannot be reached at " + std::string(path), errno);
  }
  return connection;
}

// For as large a line as sd_journal_send takes without a file; the limit of others does not bind
// root.
void MakeRoom(const UniqueFd& connection) {
  constexpr int kBufferBytes = 8 << 20;
  ::setsockopt(connection.get(), SOL_SOCKET, SO_SNDBUFFORCE, &kBufferBytes, sizeof kBufferBytes);
}

Error NotTaken(std::string_view daemon, int error_number) {
  const char* why = " does not accept the log line";
  if (error_number == EAGAIN) why = " does not read what is sent to it";
  if (error_number == EMSGSIZE) why = " does not accept a log line of this length";
  return SystemError(std::string(daemon) + why, error_number);
}

// The native protocol of systemd-journald: one datagram of FIELD=value lines.
Status WriteJournal(const std::string& line) {
  constexpr std::string_view kDaemon = "systemd-journald";
  auto connection = Connect(kDaemon, "/run/systemd/journal/socket", SOCK_DGRAM);
  if (!connection) return connection.error();
  MakeRoom(*connection);
  const int fault =
      Send(*connection, "SYSLOG_IDENTIFIER=runclad\nPRIORITY=6\nMESSAGE=" + line + '\n');
  if (fault != 0) return NotTaken(kDaemon, fault);
  return {};
}

// "Nov 26 01:02:03", local time: a daemon on the same host reads it.
std::string SyslogTime() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  std::array<char, sizeof "Nov 26 01:02:03"> text{};
  return {text.data(), std::strftime(text.data(), text.size(), "%b %d %T", &local)};
}

// RFC 3164 as syslog(3) writes it: "<86>Nov 26 01:02:03 runclad[7]: …".
Status WriteSyslog(int level, const std::string& line) {
  constexpr std::string_view kDaemon = "syslog";
  constexpr std::string_view kSocket = "/dev/log";
  auto connection = Connect(kDaemon, kSocket, SOCK_DGRAM);
  std::string ending;
  if (!connection) {
    // Some daemons listen on a stream, where a NUL byte ends each message.
    if (auto stream = Connect(kDaemon, kSocket, SOCK_STREAM)) {
      connection = std::move(stream);
      ending.assign(1, '\0');
    }
  }
  if (!connection) return connection.error();
  MakeRoom(*connection);
  const int fault =
      Send(*connection, "<" + std::to_string(LOG_AUTHPRIV | level) + ">" + SyslogTime() +
                            " runclad[" + std::to_string(::getpid()) + "]: " + line + ending);
  if (fault != 0) return NotTaken(kDaemon, fault);
  return {};
}

}  // namespace

Status WriteToTarget(const std::string& target, const std::string& line, const Rotation& rotation) {
  if (target == "syslog") return WriteSyslog(LOG_INFO, line);
  if (target == "journald") return WriteJournal(line);
  return AppendToLog(target.substr(kFilePrefix.size()), line, rotation);
}

void WarnSyslog(const std::string& warning) {
  // A failure here cannot be reported to anyone.
  [[maybe_unused]] const Status sent = WriteSyslog(LOG_WARNING, warning);
}

}  // namespace runclad::enforce
