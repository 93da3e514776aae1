#include "call_trace.hpp"

#include <array>
#include <utility>

namespace runclad::learn {
namespace {

constexpr const char* kCall = "raw_syscalls/sys_enter";
constexpr std::array<const char*, 3> kCallEvents = {"sched/sched_process_exec",
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
  return instance_.Listen([this](std::string_view text) { Take(text); });
}

void CallTrace::Follow(int pid) { static_cast<void>(instance_.Follow(pid, kCallEvents)); }

Calls CallTrace::Stop() {
  instance_.End();
  return text_.calls();
}

void CallTrace::Take(std::string_view text) {
  unread_ += text;
  bool has_new = false;
  std::size_t at = 0;
  for (std::size_t end = 0; (end = unread_.find('\n', at)) != std::string::npos; at = end + 1) {
    has_new = text_.Line(std::string_view(unread_).substr(at, end - at)) || has_new;
  }
  unread_.erase(0, at);
  if (!has_new) return;
  static_cast<void>(instance_.Write("events/" + std::string(kCall) + "/filter",
                                    FilterWithout(text_.calls().numbers)));
}

}  // namespace runclad::learn
