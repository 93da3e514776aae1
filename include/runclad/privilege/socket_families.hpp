// Address families of sockets, as people write them and as policies keep them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runclad/base/inline_text.hpp"

namespace runclad::privilege {

// The canonical names of all families known here (linux/socket.h); the place in the table is the
// number.
inline constexpr std::array<InlineText<15>, 46> kFamilyNames = {
    "AF_UNSPEC",     "AF_UNIX",      "AF_INET",     "AF_AX25",  "AF_IPX",     "AF_APPLETALK",
    "AF_NETROM",     "AF_BRIDGE",    "AF_ATMPVC",   "AF_X25",   "AF_INET6",   "AF_ROSE",
    "AF_DECNET",     "AF_NETBEUI",   "AF_SECURITY", "AF_KEY",   "AF_NETLINK", "AF_PACKET",
    "AF_ASH",        "AF_ECONET",    "AF_ATMSVC",   "AF_RDS",   "AF_SNA",     "AF_IRDA",
    "AF_PPPOX",      "AF_WANPIPE",   "AF_LLC",      "AF_IB",    "AF_MPLS",    "AF_CAN",
    "AF_TIPC",       "AF_BLUETOOTH", "AF_IUCV",     "AF_RXRPC", "AF_ISDN",    "AF_PHONET",
    "AF_IEEE802154", "AF_CAIF",      "AF_ALG",      "AF_NFC",   "AF_VSOCK",   "AF_KCM",
    "AF_QIPCRTR",    "AF_SMC",       "AF_XDP",      "AF_MCTP"};

// "AF_VSOCK" for "VSOCK", "af_vsock" and "40"; a number without a known name stays a number ("46").
// None when it is neither: numbers are those of sa_family_t, 0 to 65535.
std::optional<std::string> CanonicalFamily(std::string_view text);

// The number of a canonical family: 40 for "AF_VSOCK", 46 for "46".
std::optional<std::uint16_t> FamilyNumber(std::string_view canonical);

}  // namespace runclad::privilege
