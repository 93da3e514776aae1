#include "replaceable.hpp"

#include <unistd.h>

#include <optional>
#include <utility>

#include "runclad/sys/mounts.hpp"

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

std::string Replaceable::ContainersGiven(const std::string& path) const {
  const bool is_given = mountable_.given != nullptr && mountable_.given->Has(path);
  return is_given ? "a container that is given " + path + ", which the policy allows"
                  : std::string();
}

std::string Replaceable::ContainersAt(const std::string& path, const Verdict& verdict) const {
  if (IsInVolume(path, verdict)) return "containers that use the volume " + path;
  const bool may_be_mounted = verdict.access == SourceFacts::Access::kAllowed &&
                              (verdict.is_listed || verdict.is_data || !mountable_.is_allow_only);
  return may_be_mounted ? "a container that mounts " + path + ", which the policy allows"
                        : ContainersGiven(path);
}

std::string Replaceable::ContainersElsewhere(const std::string& directory,
                                             const Verdict& own) const {
  const HostAliases& aliases = *mountable_.aliases;
  const auto located = sys::Locate(directory);
  const auto place = located ? aliases.table().PlaceOf(*located) : std::nullopt;
  if (!place) return "somebody: it is on a mount that is not visible in runclad's mount namespace";
  // What the root filesystem has at a denied path never could be mounted under another one. What
  // was mounted there later could be, before that.
  const bool was_always_denied = own.access != SourceFacts::Access::kAllowed &&
                                 aliases.table().Find(located->mount_id)->point == "/";
  std::string containers;
  const bool is_found = aliases.HasAlias(*place, located->path, [&](const Alias& alias) {
    if (alias.is_inside) return false;
    containers =
        was_always_denied ? ContainersGiven(alias.path) : ContainersAt(alias.path, alias.verdict);
    return !containers.empty();
  });
  if (is_found) containers += " and which the host also has at " + directory;
  return containers;
}

const std::string& Replaceable::WriterOf(const std::string& directory, const struct stat& status) {
  const auto [entry, is_new] = writers_.try_emplace(directory);
  std::string& writer = entry->second;
  if (!is_new) return writer;
  const std::string name = directory.empty() ? "/" : directory;
  const Verdict verdict = mountable_.policy.Judge(name);
  writer = ContainersAt(name, verdict);
  // In a sticky directory, only its owner can replace an entry: see below.
  const bool is_sticky = IsRoot(status.st_uid) && (status.st_mode & S_ISVTX) != 0;
  if (writer.empty() && !is_sticky) writer = OtherWriter(name, status);
  if (writer.empty() && mountable_.aliases != nullptr) writer = ContainersElsewhere(name, verdict);
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

std::string Replaceable::WriterBelow(const std::string& directory) {
  for (const PathPolicy* paths : {&mountable_.policy, mountable_.given}) {
    const std::string grant = paths != nullptr ? paths->GrantBelow(directory) : std::string();
    if (!grant.empty()) return "a container that mounts " + grant + ", which the policy allows";
  }
  if (mountable_.aliases == nullptr) return {};
  for (const sys::Mount& mount : mountable_.aliases->table().mounts()) {
    const auto rest = sys::Below(mount.point, directory);
    if (!rest || rest->empty()) continue;
    const std::string point(mount.point);
    struct stat status {};
    if (::lstat(point.c_str(), &status) != 0) continue;
    if (std::string writer = WriterOf(point, status); !writer.empty()) return writer;
  }
  return {};
}

}  // namespace runclad::host
