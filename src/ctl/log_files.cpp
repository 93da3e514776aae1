#include "log_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <string_view>
#include <utility>

#include <spawn.h>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/directory.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;

struct Decompressor {
  std::string_view suffix;
  const char* program;
};
constexpr Decompressor kDecompressors[] = {
    {".gz", "gzip"}, {".xz", "xz"}, {".bz2", "bzip2"}, {".zst", "zstd"}};

const Decompressor* DecompressorOf(std::string_view path) {
  const auto* found = std::ranges::find_if(
      kDecompressors, [&](const Decompressor& known) { return path.ends_with(known.suffix); });
  return found == std::end(kDecompressors) ? nullptr : found;
}

// Calls `take` with the parts of a text until it returns false.
using Take = std::function<bool(std::string_view)>;
constexpr std::size_t kPartBytes = 65536;

void TakeAll(int file, const Take& take) {
  std::vector<char> buffer(kPartBytes);
  for (ssize_t got = 0; (got = ::read(file, buffer.data(), buffer.size())) > 0;) {
    if (!take({buffer.data(), static_cast<std::size_t>(got)})) return;
  }
}

Status TakeDecompressed(const std::string& path, const char* program, int file, const Take& take) {
  const auto fault = [&](const std::string& why) {
    return Error{"the log " + path + " cannot be read with " + program + ": " + why};
  };
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return SystemError("no pipe can be made", errno);
  UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  posix_spawn_file_actions_t actions{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, file, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, to.get(), STDOUT_FILENO);
  std::string name = program;
  std::string option = "-dc";
  std::array<char*, 3> argv = {name.data(), option.data(), nullptr};
  pid_t child = 0;
  const int spawned = ::posix_spawnp(&child, program, &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  to = UniqueFd();
  if (spawned != 0) return fault("it cannot be started");
  bool has_enough = false;
  TakeAll(from.get(), [&](std::string_view part) {
    has_enough = !take(part);
    return !has_enough;
  });
  from = UniqueFd();  // SIGPIPE ends it
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!has_enough && (!WIFEXITED(status) || WEXITSTATUS(status) != 0)) return fault("it failed");
  return {};
}

// The text, from byte `begin` on.
Status TakeText(const OpenLog& log, std::uint64_t begin, const Take& take) {
  const Decompressor* known = DecompressorOf(log.path);
  const std::uint64_t offset = known == nullptr ? begin : 0;
  if (::lseek(log.file.get(), static_cast<off_t>(offset), SEEK_SET) < 0) {
    return SystemError("the log " + log.path + " cannot be read", errno);
  }
  if (known == nullptr) {
    TakeAll(log.file.get(), take);
    return {};
  }
  return TakeDecompressed(log.path, known->program, log.file.get(), [&](std::string_view part) {
    const std::uint64_t skipped = std::min<std::uint64_t>(begin, part.size());
    begin -= skipped;
    part.remove_prefix(skipped);
    return part.empty() || take(part);
  });
}

// Each line that begins at byte `begin` or later.
Status VisitFrom(const OpenLog& log, std::uint64_t begin,
                 const std::function<void(const std::string&)>& visit) {
  bool is_within = begin > 0;  // a line that began earlier
  std::string line;
  const Status read = TakeText(log, begin - (is_within ? 1 : 0), [&](std::string_view part) {
    while (!part.empty()) {
      const std::size_t end = part.find('\n');
      if (!is_within) line += part.substr(0, end);
      if (end == std::string_view::npos) break;
      is_within = false;
      if (!line.empty()) visit(line);
      line.clear();
      part.remove_prefix(end + 1);
    }
    return true;
  });
  if (read && !line.empty()) visit(line);  // what follows the last newline is a line, too
  return read;
}

}  // namespace

std::optional<std::string> ReadableLog(const policy::LogSettings& settings) {
  constexpr std::string_view kFile = "file:";
  if (settings.target.starts_with(kFile)) return settings.target.substr(kFile.size());
  const bool has_copy = settings.forward && settings.forward->format == policy::LogFormat::kJson &&
                        settings.forward->target.starts_with(kFile);
  if (has_copy) return settings.forward->target.substr(kFile.size());
  return std::nullopt;
}

std::vector<std::string> LogFiles(const std::string& path) {
  const fs::path log(path);
  const std::string name = log.filename();
  std::vector<std::pair<fs::file_time_type, std::string>> found;
  const fs::path directory = log.has_parent_path() ? log.parent_path() : fs::path(".");
  for (const std::string& other : sys::NamesIn(directory)) {
    const bool is_rotated = other.size() > name.size() && other.starts_with(name) &&
                            (other[name.size()] == '.' || other[name.size()] == '-');
    std::error_code unknown;
    const fs::path file = directory / other;
    if ((other != name && !is_rotated) || !fs::is_regular_file(file, unknown)) continue;
    const auto changed = fs::last_write_time(file, unknown);
    // The log itself is the newest, whatever a backup did to the times.
    found.emplace_back(other == name ? fs::file_time_type::max() : changed, file.string());
  }
  std::ranges::sort(found, std::greater());
  std::vector<std::string> files;
  for (auto& [changed, file] : found) files.push_back(std::move(file));
  return files;
}

Result<OpenLog> Open(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return SystemError("the log " + path + " cannot be read", errno);
  return OpenLog{path, std::move(file)};
}

Result<std::string> FirstLine(const OpenLog& log) {
  std::string line;
  const Status read = TakeText(log, 0, [&](std::string_view part) {
    const std::size_t end = part.find('\n');
    line += part.substr(0, end == std::string_view::npos ? end : end + 1);
    return !line.ends_with('\n') && line.size() < kMaxLineBytes;
  });
  if (!read) return read.error();
  if (!line.ends_with('\n')) return std::string();
  line.pop_back();
  return line;
}

Result<std::uint64_t> VisitLinesFrom(const OpenLog& log, std::uint64_t begin,
                                     std::uint64_t max_bytes,
                                     const std::function<void(const std::string&)>& visit) {
  std::uint64_t after = begin;  // of the last whole line
  std::uint64_t left = max_bytes;
  std::uint64_t bytes = 0;  // of this line
  std::string line;
  const Status read = TakeText(log, begin, [&](std::string_view part) {
    while (!part.empty() && left > 0) {
      const std::size_t end = part.find('\n');
      const std::string_view more = part.substr(0, end);
      bytes += more.size();
      if (bytes <= kMaxLineBytes) line += more;
      if (end == std::string_view::npos) return true;
      if (bytes > 0) visit(bytes <= kMaxLineBytes ? line : std::string());
      after += bytes + 1;
      left -= std::min(left, bytes + 1);
      bytes = 0;
      line.clear();
      part.remove_prefix(end + 1);
    }
    return left > 0;
  });
  if (!read) return read.error();
  return after;
}

Status VisitLines(const std::string& path, const std::function<void(const std::string&)>& visit) {
  const auto log = Open(path);
  if (!log) return log.error();
  return VisitFrom(*log, 0, visit);
}

Result<bool> VisitLastLines(const std::string& path, std::uint64_t max_bytes,
                            const std::function<void(const std::string&)>& visit) {
  const auto log = Open(path);
  if (!log) return log.error();
  struct stat status {};
  if (::fstat(log->file.get(), &status) != 0) {
    return SystemError("the log " + path + " cannot be read", errno);
  }
  const auto bytes = static_cast<std::uint64_t>(status.st_size);
  const bool is_whole = bytes <= max_bytes;
  if (!is_whole && (max_bytes == 0 || DecompressorOf(path) != nullptr)) return false;
  if (auto read = VisitFrom(*log, is_whole ? 0 : bytes - max_bytes, visit); !read) {
    return read.error();
  }
  return is_whole;
}

}  // namespace runclad::ctl
