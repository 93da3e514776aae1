#include "runclad/enforce/repeats.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include "runclad/base/time.hpp"

namespace runclad::enforce {
namespace {

// The file: the version of this format, on lines of their own the five numbers of Head with a fixed
// width, the key, the line that was written for it.
constexpr std::string_view kHeadVersion = "2\n";  // 1 had no version in it
constexpr std::size_t kDigits = 20;
constexpr std::size_t kNumbers = 5;
constexpr std::size_t kHeadBytes = kHeadVersion.size() + kNumbers * (kDigits + 1);
constexpr std::size_t kMaxBytes = std::size_t{256} << 10;

struct Head {
  std::int64_t count = 0;  // decisions since the last line
  std::int64_t first = 0;  // of those, in seconds since 1970-01-01
  std::int64_t last = 0;
  std::int64_t logged = 0;  // when a line was last written
  std::int64_t key_bytes = 0;
};

// Hand-written: every exec does this, and snprintf costs more than all the rest.
void PutNumber(char* at, std::int64_t number) {
  for (std::size_t i = kDigits; i > 0; --i, number /= 10) {
    at[i - 1] = static_cast<char>('0' + number % 10);
  }
}

std::array<char, kHeadBytes> TextOf(const Head& head) {
  std::array<char, kHeadBytes> text{};
  char* at = std::copy(kHeadVersion.begin(), kHeadVersion.end(), text.data());
  for (const std::int64_t number :
       {head.count, head.first, head.last, head.logged, head.key_bytes}) {
    PutNumber(at, number);
    at[kDigits] = '\n';
    at += kDigits + 1;
  }
  return text;
}

bool ReadHead(std::string_view text, Head& head) {
  if (text.size() < kHeadBytes || !text.starts_with(kHeadVersion)) return false;
  text.remove_prefix(kHeadVersion.size());
  for (std::int64_t* number :
       {&head.count, &head.first, &head.last, &head.logged, &head.key_bytes}) {
    const char* const end = text.data() + kDigits;
    const auto [at, fault] = std::from_chars(text.data(), end, *number);
    if (fault != std::errc() || at != end || *number < 0) return false;
    text.remove_prefix(kDigits + 1);
  }
  return true;
}

struct Kept {
  Head head;
  std::string text;  // of the file
  bool is_read = false;

  [[nodiscard]] std::string_view key() const {
    return std::string_view(text).substr(kHeadBytes, static_cast<std::size_t>(head.key_bytes));
  }
  [[nodiscard]] std::string_view line() const {
    return std::string_view(text).substr(kHeadBytes + static_cast<std::size_t>(head.key_bytes));
  }
};

// Not read: there is nothing yet, it is of another version, or it is not whole.
Kept ReadKept(int file) {
  Kept kept;
  struct stat status {};
  if (::fstat(file, &status) != 0 || status.st_size < static_cast<off_t>(kHeadBytes) ||
      status.st_size > static_cast<off_t>(kMaxBytes)) {
    return kept;
  }
  kept.text.resize(static_cast<std::size_t>(status.st_size));
  const ssize_t got = ::pread(file, kept.text.data(), kept.text.size(), 0);
  kept.is_read = got == status.st_size && ReadHead(kept.text, kept.head) &&
                 kHeadBytes + static_cast<std::uint64_t>(kept.head.key_bytes) <= kept.text.size();
  return kept;
}

void Keep(int file, const Head& head, std::string_view key, std::string_view line) {
  std::string text;
  if (kHeadBytes + key.size() + line.size() <= kMaxBytes) {
    const auto numbers = TextOf(head);
    text.reserve(numbers.size() + key.size() + line.size());
    text.append(numbers.data(), numbers.size()).append(key).append(line);
  }
  // What is not whole is not read: every decision then has its line.
  if (::ftruncate(file, 0) != 0) return;
  [[maybe_unused]] const ssize_t written = ::pwrite(file, text.data(), text.size(), 0);
}

// The kept line with what has happened since: its time is that of the last.
std::string LineOfRepeats(std::string_view line, const Head& head) {
  constexpr std::string_view kVersion = ",\"schemaVersion\":";
  constexpr std::string_view kTime = ",\"time\":\"";
  const std::size_t version = line.rfind(kVersion);
  const std::size_t time = line.rfind(kTime);
  if (version == std::string_view::npos || time == std::string_view::npos || time < version) {
    return {};
  }
  const std::string last = FormatTime(head.last).data();
  const std::size_t time_end = line.find('"', time + kTime.size());
  std::string text(line.substr(0, version));
  text += ",\"repeats\":{\"count\":" + std::to_string(head.count) + ",\"first\":\"" +
          FormatTime(head.first).data() + "\",\"last\":\"" + last + "\"}";
  text += line.substr(version, time - version);
  text += std::string(kTime) + last;
  text += line.substr(time_end);
  return text;
}

}  // namespace

Status CountOrLog(int file, std::string_view key, std::int64_t now, const MakeLine& make_line,
                  const WriteLine& write) {
  // Others of this container are at it, or there is no file: nothing is counted.
  if (file < 0 || ::flock(file, LOCK_EX | LOCK_NB) != 0) return write(make_line());
  Kept kept = ReadKept(file);
  const bool is_same = kept.is_read && kept.key() == key;
  Head& head = kept.head;
  if (is_same && now >= head.logged) {
    const bool is_due = now - head.logged >= kRepeatSeconds;
    if (head.count++ == 0) head.first = now;
    head.last = now;
    if (is_due) {
      if (auto written = write(LineOfRepeats(kept.line(), head)); !written) return written;
      head.count = 0;
      head.logged = now;
    }
    const auto numbers = TextOf(head);
    const ssize_t written = ::pwrite(file, numbers.data(), numbers.size(), 0);
    if (is_due || written == static_cast<ssize_t>(numbers.size())) return {};
    --head.count;
  }
  if (kept.is_read && head.count > 0) {
    if (auto written = write(LineOfRepeats(kept.line(), head)); !written) return written;
  }
  const std::string line = make_line();
  if (auto written = write(line); !written) return written;
  Keep(file, {.logged = now, .key_bytes = static_cast<std::int64_t>(key.size())}, key, line);
  return {};
}

std::string TakeRepeats(int file) {
  if (file < 0 || ::flock(file, LOCK_EX | LOCK_NB) != 0) return {};
  Kept kept = ReadKept(file);
  if (!kept.is_read || kept.head.count == 0) return {};
  std::string line = LineOfRepeats(kept.line(), kept.head);
  [[maybe_unused]] const int emptied = ::ftruncate(file, 0);
  return line;
}

}  // namespace runclad::enforce
