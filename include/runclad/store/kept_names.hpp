// The names of containers' first creates, under /var/lib/runclad/names.
#pragma once

#include <optional>
#include <string>

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/store/state_directory.hpp"

namespace runclad::store {

// The name that was kept for the container of `layout` while it is made of the image
// `config_digest`. No value: none was, or what is there cannot be trusted or understood.
std::optional<engine::ImageName> FindKeptName(const engine::Layout& layout,
                                              const std::string& config_digest,
                                              const std::string& state_directory = kStateDirectory);

// Keeps `name` for it, unless one is kept already. Removes those of containers that are gone, at
// most 64 at a time; once all are gone, it looks again after ten minutes.
Status WriteKeptName(const engine::Layout& layout, const std::string& config_digest,
                     const engine::ImageName& name,
                     const std::string& state_directory = kStateDirectory);

}  // namespace runclad::store
