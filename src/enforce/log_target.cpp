#include "log_target.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <string_view>
#include <utility>

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <syslog.h>

#include "runclad/base/unique_fd.hpp"

namespace runclad::enforce {
namespace {

constexpr std::string_view kFilePrefix = "file:";
constexpr const char* kIdent = "runclad";

// A sink that hands each line over in one system call that does not wait; spdlog's file sink
// buffers, and its syslog sink (syslog(3)) waits for the daemon and reports no failure. What went
// wrong is kept as an errno value.
class OneWriteSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  // `fd` does not block. `formatter` ends lines as the target wants them.
  OneWriteSink(UniqueFd fd, std::unique_ptr<spdlog::formatter> formatter)
      : base_sink(std::move(formatter)), fd_(std::move(fd)) {}
  [[nodiscard]] int failure() const { return failure_; }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    const ssize_t written = ::write(fd_.get(), line.data(), line.size());
    if (written < 0) failure_ = errno;
    // A disk or a FIFO that fills up during the write: the line is lost, which is reported.
    if (written >= 0 && static_cast<std::size_t>(written) != line.size()) failure_ = ENOSPC;
  }
  void flush_() override {}

 private:
  UniqueFd fd_;
  int failure_ = 0;
};

// Lines by spdlog's `pattern`, in local time as syslog has it, with `ending` behind each.
std::unique_ptr<spdlog::formatter> Pattern(const char* pattern, std::string ending = "\n") {
  return std::make_unique<spdlog::pattern_formatter>(pattern, spdlog::pattern_time_type::local,
                                                     std::move(ending));
}

// What an operator can do about a log file that cannot be opened or does not take a line.
std::string_view HintFor(int error_number, const struct stat& status) {
  if (S_ISDIR(status.st_mode)) return ": it is a directory; name a file in it";
  if (S_ISLNK(status.st_mode)) {
    return ": it is a symbolic link, which is not followed; name the file itself";
  }
  if (S_ISFIFO(status.st_mode)) return ": it is a FIFO, and its reader is absent or does not read";
  if (S_ISSOCK(status.st_mode)) return ": it is a socket; name a file, \"journald\" or \"syslog\"";
  if (error_number == ENOENT) return ": its directory does not exist; create it";
  if (error_number == ENOSPC || error_number == EDQUOT) return ": its disk is full";
  if (error_number == EFBIG) return ": it has reached the caller's size limit (RLIMIT_FSIZE)";
  return "";
}

Error FileError(const std::string& path, std::string_view what, int error_number) {
  struct stat status {};
  ::lstat(path.c_str(), &status);
  const std::string hint(HintFor(error_number, status));
  return SystemError("the log " + path + " " + std::string(what) + hint, error_number);
}

Result<UniqueFd> OpenFile(const std::string& path) {
  constexpr int kFlags =
      O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC;
  UniqueFd file(::open(path.c_str(), kFlags, S_IRUSR | S_IWUSR));
  if (!file && errno == ENOENT) {
    const std::string directory = path.substr(0, path.rfind('/'));
    ::mkdir(directory.c_str(), S_IRWXU);
    file = UniqueFd(::open(path.c_str(), kFlags, S_IRUSR | S_IWUSR));
  }
  if (!file) return FileError(path, "cannot be opened", errno);
  return file;
}

Status WriteFile(const std::string& path, const std::string& line) {
  auto file = OpenFile(path);
  if (!file) return file.error();
  const auto sink = std::make_shared<OneWriteSink>(*std::move(file), Pattern("%v"));
  spdlog::logger(kIdent, sink).info(line);
  if (sink->failure() != 0) return FileError(path, "cannot be written", sink->failure());
  return {};
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
  // As large a line as sd_journal_send takes without a file; the limit of others does not bind
  // root.
  constexpr int kBufferBytes = 8 << 20;
  ::setsockopt(connection->get(), SOL_SOCKET, SO_SNDBUFFORCE, &kBufferBytes, sizeof kBufferBytes);
  const auto sink = std::make_shared<OneWriteSink>(
      *std::move(connection), Pattern("SYSLOG_IDENTIFIER=runclad\nPRIORITY=6\nMESSAGE=%v"));
  spdlog::logger(kIdent, sink).info(line);
  if (sink->failure() != 0) return NotTaken(kDaemon, sink->failure());
  return {};
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
  const std::string header = "<" + std::to_string(LOG_AUTHPRIV | level) + ">";
  const auto sink = std::make_shared<OneWriteSink>(
      *std::move(connection), Pattern((header + "%b %d %T runclad[%P]: %v").c_str(), ending));
  spdlog::logger(kIdent, sink).info(line);
  if (sink->failure() != 0) return NotTaken(kDaemon, sink->failure());
  return {};
}

}  // namespace

Status WriteToTarget(const std::string& target, const std::string& line) {
  if (target == "syslog") return WriteSyslog(LOG_INFO, line);
  if (target == "journald") return WriteJournal(line);
  return WriteFile(target.substr(kFilePrefix.size()), line);
}

void WarnSyslog(const std::string& warning) {
  // A failure here cannot be reported to anyone.
  [[maybe_unused]] const Status sent = WriteSyslog(LOG_WARNING, warning);
}

}  // namespace runclad::enforce
