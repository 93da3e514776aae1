// Log lines as daemons get them.
#include <linux/capability.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/base/unique_fd.hpp"
#include "runclad/enforce/log.hpp"

#include "../mount_namespace.hpp"

namespace runclad::enforce::log_target_test {
namespace {

using runclad::testing::InPrivateMounts;
using ::testing::EndsWith;
using ::testing::HasSubstr;

// What listens at /dev/log, of this mount namespace.
class Daemon {
 public:
  Daemon() : socket_(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    EXPECT_EQ(::mount("tmpfs", "/dev", "tmpfs", 0, "mode=755"), 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(static_cast<char*>(address.sun_path), "/dev/log");
    // NOLINTNEXTLINE(*-reinterpret-cast): how the socket calls take addresses
    const auto* general = reinterpret_cast<const sockaddr*>(&address);
    EXPECT_EQ(::bind(socket_.get(), general, sizeof address), 0);
  }
  // Empty: none came.
  [[nodiscard]] std::string Next() const {
    std::string message(std::size_t{1} << 20, '\0');
    const ssize_t size = ::recv(socket_.get(), message.data(), message.size(), 0);
    message.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
    return message;
  }

 private:
  UniqueFd socket_;
};

// Of 400,000 bytes, in 4,000 findings.
std::string LongLine() {
  std::string line = R"({"outcome":"would-refuse","id":"long","findings":[)";
  for (int i = 0; i < 4000; ++i) {
    line += i == 0 ? "" : ",";
    line += R"({"rule":"sysctls","code":"sysctls/denied","action":"refuse","path":")" +
            std::string(30, 'x') + R"("})";
  }
  return line + "]}";
}

TEST(LogTarget, SyslogGetsALongLineWhole) {
  InPrivateMounts([] {
    const Daemon daemon;
    const std::string line = LongLine();
    ASSERT_GT(line.size(), std::size_t{400'000});
    EXPECT_TRUE(WriteLog({.target = "syslog"}, line));
    EXPECT_THAT(daemon.Next(), EndsWith(line));
  });
}

// Without the capability, a datagram is limited to net.core.wmem_default (212,992 bytes).
TEST(LogTarget, SyslogGetsAShortLineInPlaceOfOneThatItDoesNotTake) {
  InPrivateMounts([] {
    std::size_t most = 0;
    std::ifstream("/proc/sys/net/core/wmem_default") >> most;
    if (most >= LongLine().size()) return;  // a host that was set up so
    const Daemon daemon;
    __user_cap_header_struct head{_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct none[2]{};
    ASSERT_EQ(::syscall(SYS_capset, &head, none), 0);
    EXPECT_TRUE(WriteLog({.target = "syslog"}, LongLine()));
    const std::string message = daemon.Next();
    EXPECT_LT(message.size(), std::size_t{4096});
    EXPECT_THAT(message, HasSubstr(R"("outcome":"would-refuse")"));
    EXPECT_THAT(message, HasSubstr("does not accept a log line of this length"));
    EXPECT_THAT(message, HasSubstr("4000 findings"));
  });
}

}  // namespace
}  // namespace runclad::enforce::log_target_test
