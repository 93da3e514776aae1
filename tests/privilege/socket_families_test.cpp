// The names of address families, held against the kernel's headers.
#include "runclad/privilege/socket_families.hpp"

#include <linux/if_alg.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

namespace runclad::privilege::socket_families_test {
namespace {

TEST(SocketFamilies, MatchTheKernelsHeaders) {
  const struct {
    std::string_view name;
    int number;
  } families[] = {{"AF_UNSPEC", AF_UNSPEC},   {"AF_UNIX", AF_UNIX},
                  {"AF_INET", AF_INET},       {"AF_AX25", AF_AX25},
                  {"AF_BRIDGE", AF_BRIDGE},   {"AF_INET6", AF_INET6},
                  {"AF_DECNET", AF_DECnet},   {"AF_KEY", AF_KEY},
                  {"AF_NETLINK", AF_NETLINK}, {"AF_PACKET", AF_PACKET},
                  {"AF_RDS", AF_RDS},         {"AF_PPPOX", AF_PPPOX},
                  {"AF_IB", AF_IB},           {"AF_MPLS", AF_MPLS},
                  {"AF_CAN", AF_CAN},         {"AF_TIPC", AF_TIPC},
                  {"AF_IUCV", AF_IUCV},       {"AF_RXRPC", AF_RXRPC},
                  {"AF_CAIF", AF_CAIF},       {"AF_ALG", AF_ALG},
                  {"AF_NFC", AF_NFC},         {"AF_VSOCK", AF_VSOCK},
                  {"AF_SMC", AF_SMC},         {"AF_XDP", AF_XDP},
                  {"AF_IRDA", AF_IRDA},       {"AF_BLUETOOTH", AF_BLUETOOTH}};
  for (const auto& [name, number] : families) {
    EXPECT_EQ(FamilyNumber(name), number) << name;
    EXPECT_EQ(kFamilyNames[static_cast<std::size_t>(number)], name);
  }
  for (const std::string_view name : kFamilyNames) {
    EXPECT_EQ(CanonicalFamily(name), name);
    EXPECT_EQ(CanonicalFamily(std::to_string(*FamilyNumber(name))), name);
  }
}

TEST(SocketFamilies, AcceptCommonSpellings) {
  EXPECT_EQ(CanonicalFamily("VSOCK"), "AF_VSOCK");
  EXPECT_EQ(CanonicalFamily("af_vsock"), "AF_VSOCK");
  EXPECT_EQ(CanonicalFamily("40"), "AF_VSOCK");
  EXPECT_EQ(CanonicalFamily("local"), "AF_UNIX");
  EXPECT_EQ(CanonicalFamily("AF_DECnet"), "AF_DECNET");
  EXPECT_EQ(CanonicalFamily("46"), "46");
  EXPECT_EQ(FamilyNumber("46"), 46);
  for (const char* text : {"", "AF_", "AF_VSOK", "-1", "0x28", "65536", "40 ", "AF_40"}) {
    EXPECT_FALSE(CanonicalFamily(text)) << text;
  }
}

}  // namespace
}  // namespace runclad::privilege::socket_families_test
