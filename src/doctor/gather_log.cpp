#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "runclad/base/unique_fd.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/enforce/log_place.hpp"

#include "programs.hpp"
#include "sections.hpp"

namespace runclad::doctor {
namespace {

namespace fs = std::filesystem;

// The file itself or, as runclad makes what is missing, the nearest directory above it that exists.
fs::path Nearest(fs::path path) {
  std::error_code fault;
  while (!fs::exists(fs::symlink_status(path, fault)) && path.has_relative_path()) {
    path = path.parent_path();
  }
  return path;
}

std::string WhyNotWritable(const fs::path& path, const fs::path& nearest) {
  // runclad makes the directory of the file and none above it.
  const fs::path above = path.parent_path().parent_path();
  std::error_code ignored;
  if (nearest != path && !fs::exists(above, ignored)) {
    return "the directory " + above.string() + " does not exist";
  }
  if (nearest != path) {
    return ::access(nearest.c_str(), W_OK) == 0
               ? std::string()
               : SystemError(nearest.string() + " cannot be written", errno).message;
  }
  struct stat status {};
  if (::lstat(path.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
    return path.string() + " is not a regular file";
  }
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  return file ? std::string() : SystemError(path.string() + " cannot be written", errno).message;
}

bool IsSocket(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISSOCK(status.st_mode);
}

LogFacts FactsOf(const std::string& target, const policy::LogSettings& settings,
                 const std::string& root) {
  LogFacts facts;
  facts.target = target;
  facts.has_journald = IsSocket(root + "/run/systemd/journal/socket");
  facts.has_syslog = IsSocket(root + "/dev/log");
  constexpr std::string_view kFile = "file:";
  if (!target.starts_with(kFile)) return facts;
  facts.path = target.substr(kFile.size());
  const fs::path path = root + facts.path;
  const fs::path nearest = Nearest(path);
  facts.fault = WhyNotWritable(path, nearest);
  facts.unsafe_part = UnsafePart(nearest);
  std::error_code ignored;
  const auto kind = fs::symlink_status(path, ignored).type();
  facts.is_device = nearest == path && kind != fs::file_type::regular;
  constexpr std::uint64_t kMegabyte = 1'000'000;
  facts.renamed_at_bytes = static_cast<std::uint64_t>(settings.max_megabytes) * kMegabyte;
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) facts.bytes = static_cast<std::uint64_t>(status.st_size);
  struct statvfs space {};
  if (::statvfs(nearest.c_str(), &space) == 0 && space.f_blocks > 0) {
    facts.free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
    constexpr std::uint64_t kHundred = 100;
    facts.free_share = std::uint64_t{space.f_bavail} * kHundred / space.f_blocks;
  }
  return facts;
}

}  // namespace

std::vector<LogFacts> GatherLogs(const Options& options, const std::string& root) {
  const auto policy = enforce::LoadPolicy(options.config_directory);
  const policy::LogSettings settings = policy ? policy->log : policy::LogSettings{};
  std::vector<LogFacts> logs = {FactsOf(settings.target, settings, root)};
  logs.front().is_required = settings.required;
  if (settings.forward) {
    logs.push_back(FactsOf(settings.forward->target, settings, root));
    logs.back().is_forward = true;
    logs.back().is_log_itself = enforce::IsSameLog(settings.forward->target, settings.target);
  }
  const auto loosest = enforce::LoadLoosestPolicy(options.config_directory);
  if (root.empty() && loosest) {
    for (LogFacts& log : logs) log.exposed = enforce::WhyLogIsExposed(log.target, *loosest);
  }
  return logs;
}

}  // namespace runclad::doctor
