#include "socket_diag.hpp"

#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <sched.h>

#include "runclad/base/unique_fd.hpp"

namespace runclad::look {
namespace {

// Of include/net/tcp_states.h, which is the kernel's own.
constexpr std::uint32_t kClosed = 7;  // a UDP socket that is not connected
constexpr std::uint32_t kListening = 10;

struct Kind {
  const char* protocol;
  std::uint8_t family;
  std::uint8_t number;
  std::uint32_t state;
};
constexpr Kind kKinds[] = {{"tcp", AF_INET, IPPROTO_TCP, kListening},
                           {"tcp6", AF_INET6, IPPROTO_TCP, kListening},
                           {"udp", AF_INET, IPPROTO_UDP, kClosed},
                           {"udp6", AF_INET6, IPPROTO_UDP, kClosed}};

// A socket belongs to the namespace that it was made in: this thread is there for that call alone.
UniqueFd SocketIn(int process) {
  const UniqueFd theirs(::openat(process, "ns/net", O_RDONLY | O_CLOEXEC));
  const UniqueFd ours(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
  if (!theirs || !ours || ::setns(theirs.get(), CLONE_NEWNET) != 0) return {};
  UniqueFd made(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  // Whatever would follow here would speak of another network.
  if (::setns(ours.get(), CLONE_NEWNET) != 0) std::abort();
  constexpr timeval kPatience{.tv_sec = 2, .tv_usec = 0};
  if (made) ::setsockopt(made.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
  return made;
}

bool Ask(int netlink, const Kind& kind) {
  struct {
    nlmsghdr header{};
    inet_diag_req_v2 request{};
  } message;
  message.header.nlmsg_len = sizeof message;
  message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  message.request.sdiag_family = kind.family;
  message.request.sdiag_protocol = kind.number;
  message.request.idiag_states = 1U << kind.state;
  return ::send(netlink, &message, sizeof message, 0) == static_cast<ssize_t>(sizeof message);
}

WaitingSocket SocketOf(const Kind& kind, const inet_diag_msg& message) {
  std::array<char, INET6_ADDRSTRLEN> address{};
  ::inet_ntop(kind.family, &message.id.idiag_src, address.data(), address.size());
  return {{kind.protocol, address.data(), ntohs(message.id.idiag_sport)}, message.idiag_inode};
}

// The kernel says there as well that it has no module for the protocol.
bool IsGoodEnd(const char* at, const nlmsghdr& header) {
  int error_number = 0;
  if (header.nlmsg_len < sizeof header + sizeof error_number) return true;
  std::memcpy(&error_number, at + sizeof header, sizeof error_number);
  return error_number >= 0;
}

// Everything up to the end of the answer; false where that does not come.
bool ReadAnswer(int netlink, const Kind& kind, std::size_t most,
                std::vector<WaitingSocket>& sockets) {
  constexpr std::size_t kBytes = 32768;  // as the kernel fills them
  alignas(nlmsghdr) std::array<char, kBytes> buffer{};
  for (;;) {
    const ssize_t got = ::recv(netlink, buffer.data(), buffer.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    auto left = static_cast<std::size_t>(got);
    for (const char* at = buffer.data(); left >= sizeof(nlmsghdr);) {
      nlmsghdr header{};
      std::memcpy(&header, at, sizeof header);
      if (header.nlmsg_len < sizeof header || header.nlmsg_len > left) return false;
      if (header.nlmsg_type == NLMSG_DONE) return IsGoodEnd(at, header);
      if (header.nlmsg_type == NLMSG_ERROR) return false;
      inet_diag_msg message{};
      if (header.nlmsg_len >= sizeof header + sizeof message && sockets.size() < most) {
        std::memcpy(&message, at + sizeof header, sizeof message);
        sockets.push_back(SocketOf(kind, message));
      }
      const std::size_t step = std::min<std::size_t>(left, NLMSG_ALIGN(header.nlmsg_len));
      at += step;
      left -= step;
    }
  }
}

}  // namespace

std::optional<std::vector<WaitingSocket>> AskForSockets(int process, std::size_t most) {
  const UniqueFd netlink = SocketIn(process);
  if (!netlink) return std::nullopt;
  std::vector<WaitingSocket> sockets;
  for (const Kind& kind : kKinds) {
    if (!Ask(netlink.get(), kind) || !ReadAnswer(netlink.get(), kind, most, sockets)) {
      return std::nullopt;
    }
  }
  return sockets;
}

}  // namespace runclad::look
