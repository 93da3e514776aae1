#include "programs.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "runclad/enforce/own_line.hpp"
#include "runclad/sys/command.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::doctor {
namespace {

bool IsSameFile(const std::string& left, const std::string& right) {
  struct stat one {};
  struct stat other {};
  return ::stat(left.c_str(), &one) == 0 && ::stat(right.c_str(), &other) == 0 &&
         one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

bool SaysItIsRunclad(const std::string& path) {
  std::error_code fault;
  const std::string real = std::filesystem::canonical(path, fault);
  if (fault || !sys::OnlyRootCouldReplace(real)) return false;
  constexpr std::chrono::seconds kLimit(3);
  const auto output = sys::RunCommand({real, "--version"}, {.limit = kLimit, .environment = {}});
  if (!output || output->status != 0) return false;
  // The last line of its answer; those before are the lower runtime's.
  return output->out.starts_with(enforce::kOwnLine) ||
         output->out.find("\n" + std::string(enforce::kOwnLine)) != std::string::npos;
}

}  // namespace

std::string FindProgram(const std::string& name, std::string_view search_path) {
  if (name.find('/') != std::string::npos) {
    return ::access(name.c_str(), X_OK) == 0 ? name : std::string();
  }
  if (search_path.empty()) search_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin";
  while (!search_path.empty()) {
    const std::size_t end = search_path.find(':');
    const std::string path = std::string(search_path.substr(0, end)) + "/" + name;
    if (path.starts_with('/') && ::access(path.c_str(), X_OK) == 0) return path;
    search_path = end == std::string_view::npos ? std::string_view() : search_path.substr(end + 1);
  }
  return {};
}

std::string ShimProgram(const std::string& runtime) {
  // The last two parts of "io.containerd.runc.v2".
  const std::size_t last = runtime.rfind('.');
  if (last == std::string::npos || last == 0) return {};
  const std::size_t before = runtime.rfind('.', last - 1);
  if (before == std::string::npos) return {};
  return "containerd-shim-" + runtime.substr(before + 1, last - before - 1) + "-" +
         runtime.substr(last + 1);
}

std::string UnsafePart(const std::string& path) {
  std::error_code fault;
  for (const std::string& way : {path, std::filesystem::canonical(path, fault).string()}) {
    for (std::size_t end = 0; end != std::string::npos && !way.empty();) {
      end = way.find('/', end + 1);
      const std::string part = way.substr(0, end);
      struct stat status {};
      if (::lstat(part.c_str(), &status) != 0) break;
      const bool is_root = status.st_uid == 0 || status.st_uid == ::geteuid();
      const bool is_sticky = S_ISDIR(status.st_mode) && (status.st_mode & S_ISVTX) != 0;
      const bool is_open =
          !S_ISLNK(status.st_mode) && !is_sticky && (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
      if (!is_root || is_open) return part;
    }
  }
  return {};
}

bool Programs::IsRunclad(const std::string& path) {
  if (path.empty()) return false;
  const auto known = known_.find(path);
  if (known != known_.end()) return known->second;
  const bool is_runclad = IsSameFile(path, program_) || SaysItIsRunclad(path);
  known_.emplace(path, is_runclad);
  return is_runclad;
}

}  // namespace runclad::doctor
