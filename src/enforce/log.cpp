#include "runclad/enforce/log.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <memory>
#include <utility>

#include <nlohmann/json.hpp>
#include <spdlog/logger.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/syslog_sink.h>
#include <syslog.h>

#include "runclad/base/unique_fd.hpp"
#include "runclad/json/writer.hpp"

#include "identity_json.hpp"

namespace runclad::enforce {
namespace {

using json::Document;

constexpr std::string_view kFilePrefix = "file:";
constexpr const char* kIdent = "runclad";

// RFC 3339 in UTC with microseconds.
std::string Now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::tm parts{};
  ::gmtime_r(&now.tv_sec, &parts);
  constexpr long kNanosecondsPerMicrosecond = 1000;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                     now.tv_nsec / kNanosecondsPerMicrosecond);
}

// A sink that hands each line over in one system call; spdlog's file sink buffers. An errno value
// stays behind when that failed.
class OneWriteSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  OneWriteSink(UniqueFd fd, bool is_socket) : fd_(std::move(fd)), is_socket_(is_socket) {}
  [[nodiscard]] int failure() const { return failure_; }

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    line.append(message.payload);
    line.push_back('\n');
    const ssize_t written = is_socket_ ? ::send(fd_.get(), line.data(), line.size(), MSG_NOSIGNAL)
                                       : ::write(fd_.get(), line.data(), line.size());
    if (written < 0) failure_ = errno;
    // A disk that fills up in the middle: the line is lost, and that is said.
    if (written >= 0 && static_cast<std::size_t>(written) != line.size()) failure_ = ENOSPC;
  }
  void flush_() override {}

 private:
  UniqueFd fd_;
  bool is_socket_;
  int failure_ = 0;
};

Result<UniqueFd> OpenFile(const std::string& path) {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC;
  UniqueFd file(::open(path.c_str(), kFlags | O_NONBLOCK, S_IRUSR | S_IWUSR));
  if (!file && errno == ENOENT) {
    const std::string directory = path.substr(0, path.rfind('/'));
    ::mkdir(directory.c_str(), S_IRWXU);
    file = UniqueFd(::open(path.c_str(), kFlags | O_NONBLOCK, S_IRUSR | S_IWUSR));
  }
  if (!file) return SystemError("the log " + path + " cannot be opened", errno);
  return file;
}

// The native protocol of systemd-journald: one datagram of FIELD=value lines.
Result<UniqueFd> ConnectJournal() {
  constexpr std::string_view kSocket = "/run/systemd/journal/socket";
  UniqueFd connection(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(static_cast<char*>(address.sun_path), kSocket.data(), kSocket.size());
  if (!connection || ::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address),
                               sizeof address) != 0) {
    return SystemError("systemd-journald cannot be reached", errno);
  }
  return connection;
}

Status WriteThrough(UniqueFd fd, bool is_socket, const std::string& line) {
  const auto sink = std::make_shared<OneWriteSink>(std::move(fd), is_socket);
  spdlog::logger(kIdent, sink).info(line);
  if (sink->failure() != 0) {
    return SystemError("the log line cannot be written", sink->failure());
  }
  return {};
}

Status WriteTo(const std::string& target, const std::string& line) {
  if (target == "syslog") {
    spdlog::logger logger(
        kIdent, std::make_shared<spdlog::sinks::syslog_sink_st>(kIdent, LOG_PID, LOG_AUTHPRIV,
                                                                /*enable_formatting=*/false));
    logger.info(line);
    return {};
  }
  const bool is_journal = target == "journald";
  auto fd =
      is_journal ? ConnectJournal() : OpenFile(target.substr(std::string(kFilePrefix).size()));
  if (!fd) return fd.error();
  const std::string fields =
      is_journal ? "SYSLOG_IDENTIFIER=runclad\nPRIORITY=6\nMESSAGE=" + line : line;
  return WriteThrough(*std::move(fd), is_journal, fields);
}

// How many values are in `document`; counting stops soon after `enough`.
std::size_t CountValues(const Document& document, std::size_t enough) {
  std::size_t count = 1;
  for (const Document& inner : document) {
    if (!document.is_structured() || count > enough) break;
    count += CountValues(inner, enough - count);
  }
  return count;
}

// A value as the log has it. A seccomp filter of 370 names, twice in every line, would tell a
// reader nothing that config.json does not tell better.
Document Brief(const Document& document) {
  constexpr std::size_t kMaxValues = 100;
  if (CountValues(document, kMaxValues) <= kMaxValues) return document;
  return {{"omitted", "more than 100 values"}};
}

}  // namespace

json::Value ToJson(const std::vector<Applied>& findings) {
  Document array = Document::array();
  for (const Applied& applied : findings) {
    const rules::Finding& finding = applied.finding;
    Document& entry = array.emplace_back(Document::object());
    entry["rule"] = applied.rule->id();
    entry["path"] = finding.path;
    entry["action"] = Name(applied.disposition);
    entry["why"] = finding.why;
    if (!finding.before.is_null()) entry["before"] = Brief(finding.before.document());
    if (!finding.after.is_null()) entry["after"] = Brief(finding.after.document());
  }
  return json::Value(std::move(array));
}

std::string LogLine(const LogEntry& entry) {
  Document line = {
      {"time", Now()},
      {"verb", entry.verb},
      {"container", entry.container},
      {"bundle", entry.bundle},
      {"engine", engine::Name(entry.identity.engine)},
      {"image", ToDocument(entry.identity)},
      {"microseconds", entry.microseconds},
  };
  if (entry.policy != nullptr) {
    line["profile"] = entry.policy->profile;
    line["policy"] = entry.policy->digest;
    line["mode"] = policy::Name(entry.policy->mode);
    Document image_policy = ImagePolicyDocument(*entry.policy);
    if (!image_policy.is_null()) line["imagePolicy"] = std::move(image_policy);
  }
  if (entry.decision != nullptr) {
    line["outcome"] = Name(entry.decision->outcome);
    line["findings"] = entry.findings.document();
  } else {
    line["outcome"] = "error";
    line["error"] = entry.error;
  }
  return json::Write(line);
}

Status WriteLog(const policy::LogSettings& settings, const std::string& line) {
  Status written = WriteTo(settings.target, line);
  if (written || settings.required) return written;
  ::openlog(kIdent, LOG_PID, LOG_AUTHPRIV);
  ::syslog(LOG_WARNING, "%s; the decision was: %s", written.error().message.c_str(), line.c_str());
  return {};
}

}  // namespace runclad::enforce
