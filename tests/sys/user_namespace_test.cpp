#include "runclad/sys/user_namespace.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sched.h>

#include "../mount_namespace.hpp"

namespace runclad::sys::user_namespace_test {
namespace {

// A process that waits in a user namespace of its own.
class Sleeper {
 public:
  explicit Sleeper(const std::string& uids, const std::string& gids = "0 100000 65536") {
    pid_ = static_cast<pid_t>(::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
    if (pid_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) ::pause();
    }
    if (!uids.empty()) std::ofstream("/proc/" + std::to_string(pid_) + "/uid_map") << uids;
    if (!gids.empty()) std::ofstream("/proc/" + std::to_string(pid_) + "/gid_map") << gids;
  }
  ~Sleeper() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Sleeper(const Sleeper&) = delete;
  Sleeper& operator=(const Sleeper&) = delete;

  [[nodiscard]] std::string path() const { return "/proc/" + std::to_string(pid_) + "/ns/user"; }

 private:
  pid_t pid_ = -1;
};

TEST(IdMap, ReadsTheKernelsFormat) {
  const auto map =
      ParseIdMap("         0     100000      65536\n     65536          0          1\n");
  ASSERT_EQ(map.size(), 2U);
  EXPECT_EQ(map[0].inside, 0U);
  EXPECT_EQ(map[0].outside, 100000U);
  EXPECT_EQ(map[0].size, 65536U);
  EXPECT_EQ(map[1].inside, 65536U);
  EXPECT_EQ(map[1].outside, 0U);
  EXPECT_EQ(map[1].size, 1U);
  EXPECT_EQ(ParseIdMap("0 0 4294967295\n").front().size, UINT32_MAX);
  EXPECT_TRUE(ParseIdMap("").empty());
  EXPECT_TRUE(ParseIdMap("0 1\n0 4294967296 1\n-1 0 1\nx\n\n").empty());
}

TEST(UserNamespace, MapsRootAsTheKernelReports) {
  if (::geteuid() != 0) GTEST_SKIP() << "maps need root";
  const Sleeper sleeper("5 100005 10\n0 100000 5");
  const auto found = ReadUserNamespace(sleeper.path());
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->root, 100000U);
  EXPECT_FALSE(found->has_host_ids);
  struct stat status {};
  ASSERT_EQ(::stat(sleeper.path().c_str(), &status), 0);
  EXPECT_EQ(found->inode, status.st_ino);
  EXPECT_EQ(RootOfUserNamespace(sleeper.path()), 100000U);
}

TEST(UserNamespace, ReportsAMappingOfTheHostsRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "maps need root";
  const Sleeper as_root("0 0 10");
  ASSERT_TRUE(ReadUserNamespace(as_root.path()));
  EXPECT_TRUE(ReadUserNamespace(as_root.path())->has_host_ids);
  EXPECT_EQ(RootOfUserNamespace(as_root.path()), std::nullopt);
  const Sleeper as_another("0 100000 10\n10 0 1");
  EXPECT_TRUE(ReadUserNamespace(as_another.path())->has_host_ids);
  const Sleeper as_group("0 100000 10", "0 100000 10\n10 0 1");
  EXPECT_TRUE(ReadUserNamespace(as_group.path())->has_host_ids);
  EXPECT_EQ(RootOfUserNamespace(as_group.path()), 100000U);
}

// As containerd 2.1 and CRI-O pin it: bound to a file, and nobody is in it any more.
TEST(UserNamespace, ReadsOneThatIsBoundToAFile) {
  testing::InPrivateMounts([] {
    const std::string pin = "/srv/user";
    ino_t inode = 0;
    {
      const Sleeper sleeper("0 100000 10\n10 0 1");
      struct stat status {};
      ASSERT_EQ(::stat(sleeper.path().c_str(), &status), 0);
      inode = status.st_ino;
      testing::BindMount(sleeper.path(), pin);
    }
    const auto found = ReadUserNamespace(pin);
    ASSERT_TRUE(found) << found.error().message;
    EXPECT_EQ(found->root, 100000U);
    EXPECT_TRUE(found->has_host_ids);
    EXPECT_EQ(found->inode, inode);
    EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
    testing::BindMount("/proc/self/ns/user", "/srv/own");
    ASSERT_TRUE(ReadUserNamespace("/srv/own"));
    EXPECT_EQ(ReadUserNamespace("/srv/own")->root, 0U);
    testing::BindMount("/proc/self/ns/net", "/srv/net");
    testing::WriteFile("/srv/file");
    for (const char* other : {"/srv/net", "/srv/file", "/srv/nowhere", "/srv", "srv/user"}) {
      EXPECT_FALSE(ReadUserNamespace(other)) << other;
    }
  });
}

TEST(UserNamespace, IsUnknownIfItCannotBeRead) {
  if (::geteuid() != 0) GTEST_SKIP() << "maps need root";
  EXPECT_FALSE(ReadUserNamespace(Sleeper("", "").path())) << "no map yet";
  EXPECT_FALSE(ReadUserNamespace(Sleeper("1 100000 5").path())) << "no root";
  const std::string self = "/proc/" + std::to_string(::getpid()) + "/ns/user";
  EXPECT_EQ(RootOfUserNamespace(self), std::nullopt);
  const Sleeper sleeper("0 100000 5");
  const std::string path = sleeper.path();
  const std::string number = path.substr(6, path.find('/', 6) - 6);
  for (const std::string& other : std::vector<std::string>{
           "/proc/self/ns/user", "/proc//ns/user", "/proc/./" + number + "/ns/user",
           "/proc/" + number + "/ns/../ns/user", "/proc/" + number + "/task/" + number + "/ns/user",
           "/proc/" + number + "/ns/net", "/run/userns/a", "", "/proc/4194305/ns/user"}) {
    EXPECT_FALSE(ReadUserNamespace(other)) << other;
  }
}

}  // namespace
}  // namespace runclad::sys::user_namespace_test
