// Which processes are engines' daemons, in a /proc of the test's own.
#include "configure/daemons.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "configure/crio.hpp"

namespace runclad::configure::daemons_test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class Daemons : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/runclad-daemons-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    proc_ = pattern;
    AddProcess("self", "/usr/bin/runcladctl", {"runcladctl"});
  }
  void TearDown() override { fs::remove_all(proc_); }

  void AddProcess(const std::string& pid, const std::string& program,
                  const std::vector<std::string>& arguments, const std::string& uids = "0\t0\t0\t0",
                  const std::string& mounts = "mnt:[1]") const {
    const std::string process = proc_ + "/" + pid;
    fs::create_directories(process + "/ns");
    fs::create_symlink(mounts, process + "/ns/mnt");
    fs::create_symlink(program, process + "/exe");
    std::ofstream line(process + "/cmdline", std::ios::binary);
    for (const std::string& argument : arguments) line << argument << '\0';
    std::ofstream(process + "/cgroup") << "0::/system.slice/engine.service\n";
    std::ofstream(process + "/status") << "Name:\tx\nUid:\t" << uids << "\nGid:\t0\t0\t0\t0\n";
  }

  [[nodiscard]] std::vector<Daemon> Find() const { return FindDaemons("containerd", proc_); }

  std::string proc_;
};

TEST_F(Daemons, RootsProcessOfTheNameIsOne) {
  AddProcess("7", "/usr/bin/containerd", {"/usr/bin/containerd", "--config", "/etc/c.toml"});
  const auto found = Find();
  ASSERT_THAT(found, ElementsAre(Field(&Daemon::program, "/usr/bin/containerd")));
  EXPECT_EQ(found[0].pid, 7);
  EXPECT_EQ(found[0].unit, "engine.service");
  EXPECT_EQ(found[0].Value({"--config"}), "/etc/c.toml");
}

// What it names would be run as root, and what its arguments name would be read.
TEST_F(Daemons, AnotherUsersProcessIsNone) {
  AddProcess("7", "/home/eve/containerd", {"containerd"}, "1000\t1000\t1000\t1000");
  EXPECT_THAT(Find(), IsEmpty());
}

TEST_F(Daemons, ASetUserIdProgramOfAnotherUserIsNone) {
  AddProcess("7", "/opt/containerd", {"containerd", "--config", "/home/eve/c.toml"},
             "1000\t0\t0\t0");
  EXPECT_THAT(Find(), IsEmpty());
}

TEST_F(Daemons, AProcessInAContainerIsNone) {
  AddProcess("7", "/usr/bin/containerd", {"containerd"}, "0\t0\t0\t0", "mnt:[2]");
  EXPECT_THAT(Find(), IsEmpty());
}

TEST_F(Daemons, AProgramThatOthersCouldReplaceIsNotRun) {
  const std::string program = proc_ + "/containerd";
  std::ofstream(program) << "#!/bin/sh\n";
  EXPECT_TRUE(CheckDaemon(program));
  ASSERT_EQ(::chmod(program.c_str(), 0777), 0);
  const auto checked = CheckDaemon(program);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, ::testing::HasSubstr("other than root"));
}

TEST(Crio, IsChosenByItsFileOrTheDirectoryOfItsDropIns) {
  const std::vector<Daemon> daemons = {
      {7, "/usr/bin/crio", {"crio"}, ""},
      {8, "/usr/bin/crio", {"crio", "-c", "/srv/b/crio.conf", "--config-dir", "/srv/b/d"}, ""}};
  const auto chosen = [&](const std::optional<std::string>& config) -> pid_t {
    const auto daemon = ChooseCrio(daemons, config);
    return daemon && *daemon ? (*daemon)->pid : 0;
  };
  EXPECT_EQ(chosen("/etc/crio/crio.conf"), 7);
  EXPECT_EQ(chosen("/etc/crio/crio.conf.d/10-x.conf"), 7);
  EXPECT_EQ(chosen("/srv/b/crio.conf"), 8);
  EXPECT_EQ(chosen("/srv/b/d/99-x.conf"), 8);
  EXPECT_EQ(chosen("/srv/else.conf"), 0);
  const auto unnamed = ChooseCrio(daemons, std::nullopt);
  ASSERT_FALSE(unnamed);
  EXPECT_THAT(unnamed.error().message, HasSubstr("--config FILE: /etc/crio/crio.conf (/usr"));
  EXPECT_EQ((*ChooseCrio({daemons[1]}, "/srv/else.conf"))->pid, 8);
}

TEST(Crio, PodsOfAnotherProgramAreOlderThanTheRegistration) {
  const auto conmon = [](const std::string& name, const std::string& runtime) {
    return Daemon{9, "/usr/bin/conmon", {"conmon", "-c", "x", "-n", name, "-r", runtime}, ""};
  };
  const auto uses = CrioPodsOf(
      {conmon("k8s_app_web_team-a_uid_0", "/usr/bin/crun"),
       conmon("k8s_log_web_team-a_uid_0", "/usr/bin/crun"),
       conmon("k8s_app_new_team-a_uid_0", "/usr/sbin/runclad"), conmon("db", "/usr/bin/crun")},
      "/usr/sbin/runclad");
  ASSERT_EQ(uses.size(), 1U);
  EXPECT_EQ(uses[0].name, "team-a/web");
  EXPECT_EQ(uses[0].runtime, "/usr/bin/crun");
  EXPECT_NE(uses[0].remedy, "");
}

}  // namespace
}  // namespace runclad::configure::daemons_test
