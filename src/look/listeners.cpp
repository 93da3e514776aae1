#include <fcntl.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <cstring>
#include <optional>
#include <set>
#include <string_view>

#include <arpa/inet.h>

#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"

#include "proc.hpp"
#include "state.hpp"

namespace runclad::look {
namespace {

constexpr std::size_t kMaxListeners = 1000;   // of one container that are listed
constexpr std::size_t kMaxSockets = 100'000;  // of one network namespace that are looked at
constexpr std::string_view kListeningState = "0A";
constexpr std::string_view kUnconnected = "07";

constexpr int kTableDecimal = 10;
constexpr int kTableHexadecimal = 16;

std::optional<std::uint32_t> Number(std::string_view text, int base) {
  std::uint32_t number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (fault != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "0100007F", or four such words: in the byte order of this machine.
std::string Address(std::string_view digits) {
  constexpr std::size_t kWord = 8;
  std::array<std::uint32_t, 4> words{};
  const std::size_t count = digits.size() / kWord;
  if (count != 1 && count != words.size()) return {};
  for (std::size_t i = 0; i < count; ++i) {
    const auto word = Number(digits.substr(i * kWord, kWord), kTableHexadecimal);
    if (!word) return {};
    words.at(i) = *word;
  }
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = count == 1 ? AF_INET : AF_INET6;
  return ::inet_ntop(family, words.data(), text.data(), text.size()) == nullptr ? "" : text.data();
}

// The fields of a line between any number of blanks.
std::vector<std::string_view> Fields(std::string_view line) {
  std::vector<std::string_view> fields;
  while (!line.empty()) {
    const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find(' '), line.size());
    if (end > 0) fields.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return fields;
}

// The inodes of the processes' sockets: "socket:[4711]".
std::set<std::uint64_t> SocketsOf(const std::vector<pid_t>& processes) {
  std::set<std::uint64_t> inodes;
  for (const pid_t pid : processes) {
    const auto directory = sys::OpenDirectory("/proc/" + std::to_string(pid) + "/fd");
    if (!directory) continue;
    sys::VisitEntries(directory->get(), [&](const dirent& entry) {
      const std::string link = LinkOf(directory->get(), static_cast<const char*>(entry.d_name));
      constexpr std::string_view kSocket = "socket:[";
      if (link.starts_with(kSocket) && link.ends_with(']')) {
        const std::string_view digits(link.data() + kSocket.size(),
                                      link.size() - kSocket.size() - 1);
        if (const auto inode = Number(digits, kTableDecimal)) inodes.insert(*inode);
      }
      return true;
    });
  }
  return inodes;
}

}  // namespace

std::vector<WaitingSocket> ReadWaitingSockets(int process) {
  if (auto answer = AskForSockets(process, kMaxSockets)) return *std::move(answer);
  std::vector<WaitingSocket> sockets;
  for (const char* protocol : {"tcp", "tcp6", "udp", "udp6"}) {
    const std::string_view state = protocol[0] == 't' ? kListeningState : kUnconnected;
    const std::string text = ReadOf(process, (std::string("net/") + protocol).c_str()).value_or("");
    std::string_view rest = text;
    while (!rest.empty() && sockets.size() < kMaxSockets) {
      const std::string_view line = rest.substr(0, rest.find('\n'));
      rest.remove_prefix(std::min(rest.size(), line.size() + 1));
      constexpr std::size_t kLocal = 1;
      constexpr std::size_t kState = 3;
      constexpr std::size_t kInode = 9;
      const std::vector<std::string_view> fields = Fields(line);
      if (fields.size() <= kInode || fields[kState] != state) continue;
      const std::size_t colon = fields[kLocal].find(':');
      const auto inode = Number(fields[kInode], kTableDecimal);
      if (colon == std::string_view::npos || !inode) continue;
      const auto port = Number(fields[kLocal].substr(colon + 1), kTableHexadecimal);
      if (!port || *port > UINT16_MAX) continue;
      sockets.push_back(
          {{protocol, Address(fields[kLocal].substr(0, colon)), static_cast<std::uint16_t>(*port)},
           *inode});
    }
  }
  return sockets;
}

std::vector<Listener> ListenersAmong(const std::vector<WaitingSocket>& sockets, bool is_shared,
                                     const std::vector<pid_t>& processes) {
  std::set<std::uint64_t> own;
  if (is_shared && !sockets.empty()) own = SocketsOf(processes);
  std::vector<Listener> listeners;
  for (const WaitingSocket& socket : sockets) {
    if (listeners.size() >= kMaxListeners) break;
    if (is_shared && !own.contains(socket.inode)) continue;
    const Listener& found = socket.listener;
    const auto is_same = [&](const Listener& other) {
      return other.protocol == found.protocol && other.address == found.address &&
             other.port == found.port;
    };
    if (std::ranges::none_of(listeners, is_same)) listeners.push_back(found);
  }
  return listeners;
}

}  // namespace runclad::look
