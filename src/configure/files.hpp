// The engines' files on disk: read, replaced in one step, and put back.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::configure {

struct File {
  std::string path;                  // without links
  std::optional<std::string> bytes;  // no value: there is no such file
  mode_t mode = 0644;
  uid_t owner = ::geteuid();
  gid_t group = ::getegid();

  [[nodiscard]] std::string_view text() const { return bytes ? std::string_view(*bytes) : ""; }
};

// Links are followed. At most 4 MiB.
Result<File> ReadFile(const std::string& path);

// Replaces the file by one with the same owner and mode, or removes it if it has no bytes. Makes
// the directories of its path.
Status WriteFile(const File& file);

struct Change {
  File before;
  std::optional<std::string> after;  // no value: the file is removed

  [[nodiscard]] bool is_needed() const { return before.bytes != after; }
};

// Writes all and calls `verify`; if a write or `verify` fails, everything is as before and `undone`
// is called, for example to let a daemon read its file again.
Status Apply(const std::vector<Change>& changes, const std::function<Status()>& verify,
             const std::function<void()>& undone);

// Calls `check` with the path of a temporary file with `text`, which is beside `path`, or in /tmp
// if that directory does not exist.
Status WithCandidate(const std::string& path, std::string_view text,
                     const std::function<Status(const std::string&)>& check);

// The changes as a unified diff.
std::string UnifiedDiff(const std::vector<Change>& changes);

}  // namespace runclad::configure
