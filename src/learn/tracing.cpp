#include "tracing.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>
#include <utility>

#include <poll.h>

#include "trace_text.hpp"

namespace runclad::learn {
namespace {

constexpr const char* kCapability = "capability/cap_capable";
constexpr std::array<const char*, 3> kEvents = {"sched/sched_process_exec",
                                                "sched/sched_process_fork", kCapability};
constexpr std::size_t kMaxBytes = std::size_t{64} << 20U;
}  // namespace

Status Tracing::Start(std::string text, std::string followed, bool with_calls) {
  if (auto made = instance_.Make(""); !made) return made;
  if (!instance_.HasEvent(kCapability)) {
    return Error{"this kernel has no tracepoint for capabilities (Linux 6.14 and later have one)"};
  }
  for (const auto& [file, value] :
       {std::pair("options/event-fork", "1"), std::pair("options/stacktrace", "1"),
        std::pair("events/capability/cap_capable/filter", "ret == 0"),
        std::pair("buffer_size_kb", "4096")}) {
    if (auto written = instance_.Write(file, value); !written) return written;
  }
  pipe_ = instance_.Open("trace_pipe", O_RDONLY | O_NONBLOCK);
  if (!pipe_) return SystemError("the tracefs instance cannot be read", errno);
  if (with_calls) {
    calls_.emplace();
    calls_started_ = calls_->Start();
  }
  text_ = std::move(text);
  followed_ = std::move(followed);
  reader_ = std::thread([this] { Read(); });
  return {};
}

std::string Tracing::marker() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(instance_.marker());
}

std::string Tracing::Stop() {
  if (reader_.joinable()) {
    for (const char* event : kEvents) {
      static_cast<void>(instance_.Write("events/" + std::string(event) + "/enable", "0"));
    }
    static_cast<void>(instance_.Write("set_event_pid", ""));
    ends_ = true;
    reader_.join();
  }
  pipe_ = UniqueFd();
  instance_.Remove();
  return std::exchange(traced_, {});
}

Result<Calls> Tracing::StopCalls() {
  if (!calls_) return Error{"they were not traced"};
  if (!calls_started_) return calls_started_.error();
  return calls_->Stop();
}

void Tracing::Read() {
  constexpr int kMilliseconds = 20;
  std::size_t whole = 0;  // lines up to here were looked at for the marker
  bool follows = false;
  std::array<char, 65536> buffer{};
  while (true) {
    const bool is_last = ends_;
    const ssize_t got = ::read(pipe_.get(), buffer.data(), buffer.size());
    if (got <= 0) {
      if (is_last) return;
      pollfd readable{pipe_.get(), POLLIN, 0};
      ::poll(&readable, 1, kMilliseconds);
      continue;
    }
    if (traced_.size() < kMaxBytes) traced_.append(buffer.data(), static_cast<std::size_t>(got));
    while (!follows) {
      const std::size_t end = traced_.find('\n', whole);
      if (end == std::string::npos) break;
      const int pid = MarkerPidIn(std::string_view(traced_).substr(whole, end - whole), text_);
      whole = end + 1;
      if (pid == 0) continue;
      follows = true;
      Follow(pid);
    }
  }
}

// The process ID is the host's, whatever PID namespace this process and the runtime are in.
void Tracing::Follow(int pid) {
  if (instance_.Write("set_event_pid", std::to_string(pid))) {
    for (const char* event : kEvents) {
      static_cast<void>(instance_.Write("events/" + std::string(event) + "/enable", "1"));
    }
  }
  if (calls_ && calls_started_) calls_->Follow(pid);
  const UniqueFd file(
      ::open(followed_.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR));
}

}  // namespace runclad::learn
