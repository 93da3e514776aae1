// What a path refers to on this host: its file, its mount and its place inside the filesystem.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::sys {

// A mount as /proc/self/mountinfo has it (proc_pid_mountinfo(5)), escapes undone.
struct Mount {
  std::uint64_t id = 0;
  std::uint64_t parent = 0;       // the id of the mount that it is mounted on
  std::uint64_t file_system = 0;  // major << 32 | minor; on btrfs this is not st_dev
  std::string_view root;          // the directory of the file system that is seen here
  std::string_view point;
  std::string_view tail;  // options, optional fields, type, source, options: as they stand

  [[nodiscard]] std::string_view type() const;     // "ext4"
  [[nodiscard]] std::string_view options() const;  // the mount's own: "ro,nosuid,relatime"
  // Whether what is mounted below elsewhere may come here (shared or slave, mount_namespaces(7)).
  [[nodiscard]] bool receives_mounts() const;
  // The value of an option of the file system ("upperdir"), escapes as they stand; empty: none.
  [[nodiscard]] std::string_view option(std::string_view name) const;
};

// A place inside a file system: the same for every path and every bind mount that leads there.
struct Place {
  std::uint64_t file_system = 0;
  std::string path;  // absolute, from the file system's own root
  friend bool operator==(const Place&, const Place&) = default;
};

// A file found by name, links followed, as runc finds a mount's source.
struct Located {
  std::string path;  // absolute, without links
  Inode inode;
  mode_t mode = 0;  // type and permissions
  uid_t owner = 0;
  std::uint64_t mount_id = 0;
};

// What an open file is and the mount that it is on.
struct Examined {
  Inode inode;
  mode_t mode = 0;
  uid_t owner = 0;
  dev_t device_number = 0;  // of a device node
  std::uint64_t mount_id = 0;
  bool is_mount_root = false;  // true, too, where the kernel does not say (before 5.8)
};

Result<Examined> Examine(int fd);

// No value if no such file exists. An error if the file cannot be determined, for example because
// the path leads through a link of /proc into another process's files (/proc/1/root).
Result<std::optional<Located>> LocateIfPresent(const std::string& path);
Result<Located> Locate(const std::string& path);

// Whether what is at `path` is no link and on the same mount as `top`. False, too, where the kernel
// does not say (before 5.8).
bool IsOnMountOf(const char* top, const std::string& path);

// The mounts of a process's mount namespace; Read: of this one's. The views in Mount live as long
// as the table.
class MountTable {
 public:
  static Result<MountTable> Read();
  // Of the process whose directory in /proc is `process`.
  static Result<MountTable> ReadOf(int process);
  static Result<MountTable> Parse(std::string mountinfo);

  [[nodiscard]] std::span<const Mount> mounts() const { return mounts_; }
  [[nodiscard]] const Mount* Find(std::uint64_t id) const;

  // Nothing where the file's mount is not in the table (another mount namespace's) or covered.
  [[nodiscard]] std::optional<Place> PlaceOf(const Located& located) const;

 private:
  std::unique_ptr<std::string> text_;  // held apart: the views stay good when the table moves
  std::vector<Mount> mounts_;
};

// What follows `directory` in `path`: "" when they are equal, "/b" for "/a/b" below "/a"; nothing
// when `path` is elsewhere. Both absolute, without links, "." or a trailing slash.
std::optional<std::string_view> Below(std::string_view path, std::string_view directory);

}  // namespace runclad::sys
