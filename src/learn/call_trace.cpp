#include "call_trace.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

#include <poll.h>

namespace runclad::learn {
namespace {

constexpr const char* kCall = "raw_syscalls/sys_enter";
constexpr std::array<const char*, 3> kEvents = {"sched/sched_process_exec",
                                                "sched/sched_process_fork", kCall};

// The kernel takes less than a page; what does not fit is reported again and again.
std::string FilterWithout(const std::set<int>& numbers) {
  constexpr std::size_t kMaxBytes = 4000;
  std::string filter;
  for (const int number : numbers) {
    std::string term = (filter.empty() ? "id != " : " && id != ") + std::to_string(number);
    if (filter.size() + term.size() > kMaxBytes) break;
    filter += term;
  }
  return filter;
}

}  // namespace

Status CallTrace::Start() {
  if (auto made = instance_.Make("-calls"); !made) return made;
  if (!instance_.HasEvent(kCall)) {
    return Error{"this kernel has no tracepoint for system calls (CONFIG_FTRACE_SYSCALLS)"};
  }
  for (const auto& [file, value] :
       {std::pair("options/event-fork", "1"), std::pair("buffer_size_kb", "8192")}) {
    if (auto written = instance_.Write(file, value); !written) return written;
  }
  pipe_ = instance_.Open("trace_pipe", O_RDONLY | O_NONBLOCK);
  if (!pipe_) return SystemError("the tracefs instance cannot be read", errno);
  reader_ = std::thread([this] { Read(); });
  return {};
}

void CallTrace::Follow(int pid) {
  if (!instance_.Write("set_event_pid", std::to_string(pid))) return;
  for (const char* event : kEvents) {
    static_cast<void>(instance_.Write("events/" + std::string(event) + "/enable", "1"));
  }
}

Calls CallTrace::Stop() {
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
  return text_.calls();
}

void CallTrace::Read() {
  constexpr int kMilliseconds = 20;
  std::string text;
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
    text.append(buffer.data(), static_cast<std::size_t>(got));
    bool has_new = false;
    std::size_t at = 0;
    for (std::size_t end = 0; (end = text.find('\n', at)) != std::string::npos; at = end + 1) {
      has_new = text_.Line(std::string_view(text).substr(at, end - at)) || has_new;
    }
    text.erase(0, at);
    if (!has_new || is_last) continue;
    static_cast<void>(instance_.Write("events/" + std::string(kCall) + "/filter",
                                      FilterWithout(text_.calls().numbers)));
  }
}

}  // namespace runclad::learn
