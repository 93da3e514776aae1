#include "replaceable.hpp"

#include <unistd.h>

#include <utility>

namespace runclad::host {
namespace {

bool IsRoot(uid_t user) { return user == 0 || user == ::geteuid(); }

// Where containers that use the volume write, also as root: below a directory _data.
bool IsInVolume(const std::string& directory, const Verdict& verdict) {
  return verdict.is_volume && (directory + '/').find("/_data/") != std::string::npos;
}

// By the permissions of the directory alone.
std::string OtherWriter(const std::string& directory, const struct stat& status) {
  if (!IsRoot(status.st_uid)) {
    return "user " + std::to_string(status.st_uid) + ", who owns " + directory;
  }
  if ((status.st_mode & S_IWOTH) != 0) return "any user, who may write to " + directory;
  if ((status.st_mode & S_IWGRP) != 0) {
    return "group " + std::to_string(status.st_gid) + ", which may write to " + directory;
  }
  return {};
}

}  // namespace

const std::string& Replaceable::WriterOf(const std::string& directory, const struct stat& status) {
  const auto [entry, is_new] = writers_.try_emplace(directory);
  std::string& writer = entry->second;
  if (!is_new) return writer;
  const std::string name = directory.empty() ? "/" : directory;
  const Verdict verdict = policy_.Judge(name);
  const bool may_be_mounted = verdict.access == SourceFacts::Access::kAllowed &&
                              (verdict.is_listed || verdict.is_data || !is_allow_only_);
  if (IsInVolume(directory, verdict)) {
    writer = "containers that use the volume " + name;
  } else if (may_be_mounted) {
    writer = "a container that mounts " + name + ", which the policy allows";
  } else if (IsRoot(status.st_uid) && (status.st_mode & S_ISVTX) != 0) {
    // Only its owner can replace an entry: see below.
  } else {
    writer = OtherWriter(name, status);
  }
  return writer;
}

std::string Replaceable::WriterOnWay(const std::string& source, sys::Way& way) {
  std::string writer;
  way = sys::FollowPath(source, [&](const sys::Step& step) {
    writer = WriterOf(step.directory, step.directory_status);
    const uid_t owner = step.entry_status.st_uid;
    const bool is_shared = (step.directory_status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    if (writer.empty() && is_shared && !IsRoot(owner)) {
      writer = "user " + std::to_string(owner) + ", who owns an entry of " + step.directory;
    }
    return writer.empty();
  });
  return writer;
}

std::string Replaceable::Because(const std::string& source) {
  sys::Way way = sys::Way::kComplete;
  const std::string writer = WriterOnWay(source, way);
  if (!writer.empty()) return "could be replaced by " + writer;
  return way == sys::Way::kComplete ? std::string() : "cannot be resolved completely";
}

std::string Replaceable::WriterWithin(const std::string& directory, const std::string& resolved) {
  sys::Way way = sys::Way::kComplete;
  std::string writer = WriterOnWay(directory, way);
  if (!writer.empty()) return writer;
  struct stat status {};
  if (way != sys::Way::kComplete || ::lstat(resolved.c_str(), &status) != 0) {
    return "somebody: its path cannot be resolved completely";
  }
  return WriterOf(resolved == "/" ? std::string() : resolved, status);
}

}  // namespace runclad::host
