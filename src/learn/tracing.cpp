#include "tracing.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "runclad/base/unique_fd.hpp"

#include "trace_text.hpp"

namespace runclad::learn {
namespace {

constexpr const char* kCapability = "capability/cap_capable";
constexpr std::array<const char*, 3> kCapabilityEvents = {"sched/sched_process_exec",
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
  if (with_calls) {
    calls_.emplace();
    calls_started_ = calls_->Start();
  }
  text_ = std::move(text);
  followed_ = std::move(followed);
  return instance_.Listen([this](std::string_view traced) { Take(traced); });
}

std::string Tracing::marker() const {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(instance_.marker());
}

std::string Tracing::Stop() {
  instance_.End();
  return std::exchange(traced_, {});
}

Result<Calls> Tracing::StopCalls() {
  if (!calls_) return Error{"they were not traced"};
  if (!calls_started_) return calls_started_.error();
  return calls_->Stop();
}

void Tracing::Take(std::string_view traced) {
  if (traced_.size() < kMaxBytes) traced_ += traced;
  while (!follows_) {
    const std::size_t end = traced_.find('\n', whole_);
    if (end == std::string::npos) break;
    const int pid = MarkerPidIn(std::string_view(traced_).substr(whole_, end - whole_), text_);
    whole_ = end + 1;
    if (pid == 0) continue;
    follows_ = true;
    Follow(pid);
  }
}

// The process ID is the host's, whatever PID namespace this process and the runtime are in.
void Tracing::Follow(int pid) {
  static_cast<void>(instance_.Follow(pid, kCapabilityEvents));
  if (calls_ && calls_started_) calls_->Follow(pid);
  const UniqueFd file(
      ::open(followed_.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, S_IRUSR));
}

}  // namespace runclad::learn
