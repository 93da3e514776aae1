// The globals --log and --log-format, as far as the arguments before the verb can be parsed.
#pragma once

#include <fcntl.h>

#include <cstddef>
#include <span>
#include <string_view>

namespace runclad::runtime {

struct LogOptions {
  std::string_view path;  // the end of an argument, and so followed by a NUL
  bool is_json = false;
};

// How to open the file: a FIFO without a reader must not block, and a link that somebody could have
// put in its place is not followed. /dev/stderr is one by right.
inline int LogFlags(const LogOptions& log) {
  constexpr int kFlags = O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  return log.path.starts_with("/dev/") || log.path.starts_with("/proc/") ? kFlags
                                                                         : kFlags | O_NOFOLLOW;
}

// crun's spellings: the file of "file:/run/log"; none of "journald:…" and "syslog:…".
inline std::string_view FileOf(std::string_view log) {
  constexpr std::string_view kFile = "file:";
  if (log.starts_with(kFile)) return log.substr(kFile.size());
  return log.starts_with("journald:") || log.starts_with("syslog:") ? std::string_view() : log;
}

// Of the arguments without the program's name, strings or char*. Allocates nothing.
template <typename Argument>
LogOptions FindLogOptions(std::span<const Argument> arguments) {
  LogOptions found;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view name = arguments[i];
    if (!name.starts_with('-')) break;
    name.remove_prefix(name.starts_with("--") ? 2 : 1);
    const std::size_t equals = name.find('=');
    const bool takes_next =
        equals == std::string_view::npos &&
        (name == "log" || name == "log-format" || name == "root" || name == "rootless" ||
         name == "criu" || name == "runclad-config" || name == "runclad-runtime");
    std::string_view value;
    if (equals != std::string_view::npos) value = name.substr(equals + 1);
    if (takes_next && ++i < arguments.size()) value = arguments[i];
    name = name.substr(0, equals);
    if (name == "log") found.path = FileOf(value);
    if (name == "log-format") found.is_json = value == "json";
  }
  return found;
}

}  // namespace runclad::runtime
