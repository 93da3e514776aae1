// File access that is safe for a root process: no links followed, sizes capped, atomic replacement.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/base/unique_fd.hpp"

namespace runclad::sys {

// A file's identity on this host.
struct Inode {
  dev_t device = 0;
  ino_t number = 0;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 in it for a pointer
  friend auto operator<=>(const Inode&, const Inode&) = default;
};

// Opens `path` below the directory `dir_fd` (or AT_FDCWD) with O_CLOEXEC and without following a
// link in any component: openat2(2), or a component-by-component walk where the kernel lacks it.
Result<UniqueFd> OpenWithoutLinks(int dir_fd, const std::string& path, int flags);

// Opens a directory by name, links followed (engines hand out names below /var/run).
Result<UniqueFd> OpenDirectory(const std::string& path);

// Everything in `fd`, which must be a regular file of at most `max_bytes`.
Result<std::string> ReadRegularFile(int fd, std::size_t max_bytes);

// As ReadRegularFile, for a name in `dir_fd` that must be owned by root or by us and writable only
// by its owner.
Result<std::string> ReadTrustedFile(int dir_fd, const std::string& name, std::size_t max_bytes);

// Opens `path` below `dir_fd` for reading, no component may be a link; each must be owned by root
// or by us and writable only by its owner. No value if a component does not exist. Errors begin
// with the component's path: "images/docker.io is writable by others than its owner".
Result<std::optional<UniqueFd>> OpenTrusted(int dir_fd, std::string_view path);

// Why users other than root could have written the file that `status` describes; empty if they
// could not.
std::string WhyUntrusted(const struct stat& status);

// The prefix of ReplaceFile's temporary files; an old one was left by a process that died.
inline constexpr std::string_view kTemporaryPrefix = ".runclad-";

// Replaces `name` in `dir_fd` by `bytes` in one step (O_EXCL temporary file + rename), with `mode`
// and, where not ours already, `owner`:`group`.
Status ReplaceFile(int dir_fd, const std::string& name, std::string_view bytes, mode_t mode,
                   uid_t owner, gid_t group);

// An anonymous file with `bytes` that can no longer be changed (F_SEAL_*), without O_CLOEXEC and
// with a number of at least `lowest_fd`, for the program that we exec.
Result<UniqueFd> SealedMemory(const char* name, std::string_view bytes, int lowest_fd);

}  // namespace runclad::sys
