#include "out_of_memory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstddef>
#include <ctime>
#include <new>
#include <span>
#include <string_view>
#include <tuple>

#include "runclad/base/time.hpp"

#include "arena.hpp"
#include "log_options.hpp"
#include "report.hpp"

namespace runclad::runtime {
namespace {

constexpr std::string_view kFull =
    "runclad: this call needs more than the 256 MiB of memory that runclad may use; make the "
    "document, or what the image lists, smaller";
static_assert(kMaxArenaBytes == std::size_t{256} << 20);
constexpr std::string_view kNoMemory =
    "runclad: out of memory: the host or a limit of the caller allows no more memory; the lower "
    "runtime was not started";

std::span<const char* const> main_arguments;

// A line of pieces, written at once.
class Line {
 public:
  void Add(std::string_view piece) {
    for (const char c : piece) {
      if (size_ < text_.size()) text_[size_++] = c;
    }
  }
  void Write(int fd) {
    Add("\n");
    // A failure here cannot be reported to anyone.
    std::ignore = ::write(fd, text_.data(), size_);
  }

 private:
  std::array<char, 512> text_;
  std::size_t size_ = 0;
};

void WriteLog(std::string_view sentence) {
  const LogOptions log = FindLogOptions(main_arguments);
  if (log.path.empty() || !MayWriteLogAtOnce(log.path)) return;
  const int file = ::open(log.path.data(), LogFlags(log), 0644);
  if (file < 0) return;
  const TimeText now = FormatTime(std::time(nullptr));
  Line line;
  for (const std::string_view piece :
       {log.is_json ? std::string_view(R"({"level":"error","msg":")") : std::string_view("time=\""),
        log.is_json ? sentence : std::string_view(now.data()),
        log.is_json ? std::string_view(R"(","time":")") : std::string_view("\" level=error msg=\""),
        log.is_json ? std::string_view(now.data()) : sentence,
        log.is_json ? std::string_view("\"}") : std::string_view("\"")}) {
    line.Add(piece);
  }
  line.Write(file);
}

[[noreturn]] void End() {
  std::ignore = std::signal(SIGPIPE, SIG_IGN);  // whoever reads stderr may be gone
  std::ignore = std::signal(SIGXFSZ, SIG_IGN);
  const std::string_view sentence = ArenaIsFull() ? kFull : kNoMemory;
  WriteLog(sentence);
  Line line;
  line.Add(sentence);
  line.Write(STDERR_FILENO);
  ::_exit(1);
}

}  // namespace

void EndWhenOutOfMemory(char** arguments) {
  std::size_t count = 0;
  while (arguments[count] != nullptr) ++count;
  if (count > 0) main_arguments = std::span<const char* const>(arguments + 1, count - 1);
  std::set_new_handler(End);
}

}  // namespace runclad::runtime
