#include "log_files.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <tuple>
#include <utility>

#include <spawn.h>

#include "runclad/base/unique_fd.hpp"

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

// Splits what is read into lines; what follows the last newline is a line, too.
class Lines {
 public:
  explicit Lines(const std::function<void(const std::string&)>& visit) : visit_(visit) {}

  void Add(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      line_ += text.substr(0, end);
      if (end == std::string_view::npos) return;
      Finish();
      text.remove_prefix(end + 1);
    }
  }
  void Finish() {
    if (!line_.empty()) visit_(line_);
    line_.clear();
  }

 private:
  const std::function<void(const std::string&)>& visit_;
  std::string line_;
};

Status VisitCompressed(const std::string& path, const char* program, Lines& lines) {
  const auto fault = [&](const std::string& why) {
    return Error{"the log " + path + " cannot be read with " + program + ": " + why};
  };
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return SystemError("the log " + path + " cannot be read", errno);
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return SystemError("no pipe can be made", errno);
  const UniqueFd from(ends[0]);
  UniqueFd to(ends[1]);
  posix_spawn_file_actions_t actions{};
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, file.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, to.get(), STDOUT_FILENO);
  std::string name = program;
  std::string option = "-dc";
  std::array<char*, 3> argv = {name.data(), option.data(), nullptr};
  pid_t child = 0;
  const int spawned = ::posix_spawnp(&child, program, &actions, nullptr, argv.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  to = UniqueFd();
  if (spawned != 0) return fault("it cannot be started");
  std::array<char, 65536> buffer{};
  for (ssize_t got = 0; (got = ::read(from.get(), buffer.data(), buffer.size())) > 0;) {
    lines.Add({buffer.data(), static_cast<std::size_t>(got)});
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) return fault("it failed");
  return {};
}

}  // namespace

std::vector<std::string> LogFiles(const std::string& path) {
  const fs::path log(path);
  const std::string name = log.filename();
  std::vector<std::pair<fs::file_time_type, std::string>> found;
  std::error_code fault;
  const fs::path directory = log.has_parent_path() ? log.parent_path() : fs::path(".");
  for (fs::directory_iterator at(directory, fault), end; !fault && at != end; at.increment(fault)) {
    const std::string other = at->path().filename();
    const bool is_rotated = other.size() > name.size() && other.starts_with(name) &&
                            (other[name.size()] == '.' || other[name.size()] == '-');
    std::error_code unknown;
    if ((other != name && !is_rotated) || !at->is_regular_file(unknown)) continue;
    const auto changed = at->last_write_time(unknown);
    // The log itself is the newest, whatever a backup did to the times.
    found.emplace_back(other == name ? fs::file_time_type::max() : changed,
                       (directory / other).string());
  }
  std::ranges::sort(found, std::greater());
  std::vector<std::string> files;
  for (auto& [changed, file] : found) files.push_back(std::move(file));
  return files;
}

Status VisitLines(const std::string& path, const std::function<void(const std::string&)>& visit) {
  Lines lines(visit);
  if (const Decompressor* known = DecompressorOf(path); known != nullptr) {
    if (auto read = VisitCompressed(path, known->program, lines); !read) return read;
    lines.Finish();
    return {};
  }
  std::ifstream log(path);
  if (!log) return Error{"the log " + path + " cannot be read"};
  std::string line;
  while (std::getline(log, line)) visit(line);
  return {};
}

}  // namespace runclad::ctl
