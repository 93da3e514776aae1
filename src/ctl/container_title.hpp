#pragma once

#include <string>

#include "runclad/base/printable.hpp"
#include "runclad/look/container.hpp"

namespace runclad::ctl {

// What people call a container: its name, or the first part of its id, as engines print it.
inline std::string Title(const look::Container& container) {
  constexpr std::size_t kShownOfId = 12;
  return Printable(container.name.empty() ? container.id.substr(0, kShownOfId) : container.name);
}

}  // namespace runclad::ctl
