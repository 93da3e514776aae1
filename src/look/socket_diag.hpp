// Sockets that wait for others, as the kernel's sock_diag(7) lists them.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "runclad/look/container.hpp"

namespace runclad::look {

struct WaitingSocket {
  Listener listener;
  std::uint64_t inode = 0;
};

// Of the network namespace of the process that `process` is the directory of: listening TCP and
// unconnected UDP sockets, at most `most`. No value where the kernel does not answer (no tcp_diag
// or udp_diag), or the namespace cannot be entered.
std::optional<std::vector<WaitingSocket>> AskForSockets(int process, std::size_t most);

}  // namespace runclad::look
