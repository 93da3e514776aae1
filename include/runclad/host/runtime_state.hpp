// The lower runtime's own state of a container: <root>/<id>/state.json (runc) or status (crun).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace runclad::host {

struct RuntimeState {
  pid_t pid = 0;
  std::uint64_t start_time = 0;
  std::string bundle;
  bool is_waiting = false;  // created and not started
  bool is_crun = false;
};

// No value where the container does not exist or the file is not the runtime's.
std::optional<RuntimeState> ReadRuntimeState(const std::string& runtime_root, std::string_view id);

// Whether the runtime has a directory for the container.
bool ContainerExists(const std::string& runtime_root, std::string_view id);

}  // namespace runclad::host
