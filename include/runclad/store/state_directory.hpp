#pragma once

namespace runclad::store {

// What runclad keeps across reboots.
inline constexpr const char* kStateDirectory = "/var/lib/runclad";

}  // namespace runclad::store
