#pragma once

namespace runclad::store {

// What runclad keeps over a restart of the host.
inline constexpr const char* kStateDirectory = "/var/lib/runclad";

}  // namespace runclad::store
