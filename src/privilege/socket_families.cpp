#include "runclad/privilege/socket_families.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace runclad::privilege {
namespace {

constexpr std::string_view kPrefix = "AF_";

// linux/socket.h; the place in the table is the number.
constexpr std::array<std::string_view, 46> kNames = {
    "AF_UNSPEC",     "AF_UNIX",      "AF_INET",     "AF_AX25",  "AF_IPX",     "AF_APPLETALK",
    "AF_NETROM",     "AF_BRIDGE",    "AF_ATMPVC",   "AF_X25",   "AF_INET6",   "AF_ROSE",
    "AF_DECNET",     "AF_NETBEUI",   "AF_SECURITY", "AF_KEY",   "AF_NETLINK", "AF_PACKET",
    "AF_ASH",        "AF_ECONET",    "AF_ATMSVC",   "AF_RDS",   "AF_SNA",     "AF_IRDA",
    "AF_PPPOX",      "AF_WANPIPE",   "AF_LLC",      "AF_IB",    "AF_MPLS",    "AF_CAN",
    "AF_TIPC",       "AF_BLUETOOTH", "AF_IUCV",     "AF_RXRPC", "AF_ISDN",    "AF_PHONET",
    "AF_IEEE802154", "AF_CAIF",      "AF_ALG",      "AF_NFC",   "AF_VSOCK",   "AF_KCM",
    "AF_QIPCRTR",    "AF_SMC",       "AF_XDP",      "AF_MCTP"};

struct OtherName {
  std::string_view name;
  std::string_view canonical;
};
constexpr OtherName kOtherNames[] = {
    {"AF_FILE", "AF_UNIX"}, {"AF_LOCAL", "AF_UNIX"}, {"AF_ROUTE", "AF_NETLINK"}};

std::optional<std::uint16_t> NumberOf(std::string_view text) {
  std::uint16_t number = 0;
  const char* end = text.data() + text.size();
  const auto [at, fault] = std::from_chars(text.data(), end, number);
  if (fault != std::errc() || at != end) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::string> CanonicalFamily(std::string_view text) {
  if (const auto number = NumberOf(text)) {
    return *number < kNames.size() ? std::string(kNames.at(*number)) : std::to_string(*number);
  }
  std::string name(text);
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  if (!name.starts_with(kPrefix)) name.insert(0, kPrefix);
  for (const OtherName& other : kOtherNames) {
    if (other.name == name) return std::string(other.canonical);
  }
  if (std::ranges::find(kNames, name) == kNames.end()) return std::nullopt;
  return name;
}

std::optional<std::uint16_t> FamilyNumber(std::string_view canonical) {
  const auto* found = std::ranges::find(kNames, canonical);
  if (found == kNames.end()) return NumberOf(canonical);
  return static_cast<std::uint16_t>(found - kNames.begin());
}

std::span<const std::string_view> FamilyNames() { return kNames; }

}  // namespace runclad::privilege
