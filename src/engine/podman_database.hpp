// podman's database since version 5 (SQLite), read while podman goes on writing: no lock is taken.
#pragma once

#include <optional>
#include <string>

#include "runclad/base/result.hpp"

#include "state_directory.hpp"

namespace runclad::engine {

// The state of a container as podman wrote it (JSON). No value: there is no such database below the
// storage root, or it does not have the container.
Result<std::optional<std::string>> ReadPodmanState(const StateDirectory& storage,
                                                   const std::string& id);

// The same of a container's configuration, which never changes.
Result<std::optional<std::string>> ReadPodmanConfig(const StateDirectory& storage,
                                                    const std::string& id);

}  // namespace runclad::engine
