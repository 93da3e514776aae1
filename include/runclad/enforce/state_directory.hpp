#pragma once

namespace runclad::enforce {

// What runclad keeps over a restart of the host.
inline constexpr const char* kStateDirectory = "/var/lib/runclad";

}  // namespace runclad::enforce
