// Running containers by the processes of their engines, in a /proc of the test's own.
#include "runclad/host/running.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

namespace runclad::host::running_test {
namespace {

namespace fs = std::filesystem;

class Running : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root's processes count";
    std::string pattern = "/tmp/runclad-running-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    base_ = pattern;
    AddProcess("self", {"test"}, "/");
  }
  void TearDown() override {
    if (!base_.empty()) fs::remove_all(base_);
  }

  void AddProcess(const std::string& pid, const std::vector<std::string>& arguments,
                  const std::string& directory, const std::string& mounts = "mnt:[1]",
                  const std::string& uids = "0\t0\t0\t0") const {
    const std::string process = base_ + "/proc/" + pid;
    fs::create_directories(process + "/ns");
    std::ofstream line(process + "/cmdline", std::ios::binary);
    for (const std::string& argument : arguments) line << argument << '\0';
    fs::create_symlink(directory, process + "/cwd");
    fs::create_symlink(mounts, process + "/ns/mnt");
    std::ofstream(process + "/status") << "Name:\tx\nUid:\t" << uids << "\nGid:\t0\t0\t0\t0\n";
  }

  // A task of containerd whose first process is `pid`.
  [[nodiscard]] std::string AddTask(const std::string& name_space, const std::string& id,
                                    const std::string& pid, const std::string& options = "") const {
    const std::string bundle =
        base_ + "/run/io.containerd.runtime.v2.task/" + name_space + "/" + id;
    fs::create_directories(bundle);
    std::ofstream(bundle + "/init.pid") << pid;
    if (!options.empty()) std::ofstream(bundle + "/options.json") << options;
    return bundle;
  }

  [[nodiscard]] std::vector<RunningContainer> Find() const { return FindRunning(base_ + "/proc"); }

  std::string base_;
  const std::string living_ = std::to_string(::getpid());
};

const std::vector<std::string> kShim = {"/usr/bin/containerd-shim-runc-v2", "-namespace", "moby",
                                        "-id", "web"};

TEST_F(Running, AShimLeadsToBundleAndStateRoot) {
  const std::string bundle = AddTask("moby", "web", living_, R"({"root":"/run/docker/runtime-x"})");
  AddProcess("7", kShim, bundle);
  const auto found = Find();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id, "web");
  EXPECT_EQ(found[0].bundle, bundle);
  EXPECT_EQ(found[0].runtime_root, "/run/docker/runtime-x/moby");
  EXPECT_EQ(found[0].program, "");
  EXPECT_EQ(ContainerOf(bundle, {}).runtime_root, "/run/docker/runtime-x/moby");
}

TEST_F(Running, TheTasksOptionsNameItsRuntime) {
  AddProcess("7", kShim,
             AddTask("default", "web", living_,
                     R"({"binary_name":"/opt/runc","shim_cgroup":"","root":""})"));
  const auto found = Find();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].program, "/opt/runc");
  EXPECT_EQ(found[0].runtime_root, "/run/containerd/runc/default");
}

TEST_F(Running, OneShimServesAllContainersOfAPod) {
  const std::string sandbox = AddTask("k8s.io", "sandbox", living_);
  const std::string workload = AddTask("k8s.io", "workload", living_);
  AddProcess("7", kShim, sandbox);
  const auto found = Find();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].bundle, sandbox);
  EXPECT_EQ(found[1].bundle, workload);
  EXPECT_EQ(found[1].runtime_root, "/run/containerd/runc/k8s.io");
}

TEST_F(Running, ATaskWhoseProcessEndedIsNotRunning) {
  AddProcess("7", kShim, AddTask("moby", "web", "999999999"));
  EXPECT_THAT(Find(), ::testing::IsEmpty());
}

TEST_F(Running, ConmonsArgumentsNameTheContainer) {
  fs::create_directories(base_ + "/storage/overlay-containers/db/userdata");
  fs::create_symlink(base_ + "/storage", base_ + "/link");
  AddProcess(
      "7",
      {"/usr/bin/conmon", "--api-version", "1", "-c", "db", "-u", "db", "-r", "/usr/bin/runc", "-b",
       base_ + "/link/overlay-containers/db/userdata", "-n", "postgres"},
      "/");
  const auto found = Find();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].id, "db");
  EXPECT_EQ(found[0].name, "postgres");
  EXPECT_EQ(found[0].program, "/usr/bin/runc");
  EXPECT_EQ(found[0].bundle, base_ + "/storage/overlay-containers/db/userdata");
  EXPECT_EQ(found[0].runtime_root, "");
  EXPECT_EQ(ContainerOf(found[0].bundle, {}).id, "db");
}

TEST_F(Running, CrioPassesTheStateRootAsAnArgument) {
  fs::create_directories(base_ + "/userdata");
  AddProcess("7",
             {"conmon", "-b", base_ + "/userdata", "-c", "db", "--runtime-arg", "--root=/run/runc"},
             "/");
  const auto found = Find();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].runtime_root, "/run/runc");
}

// The directory in /proc belongs to root, and the arguments are the user's.
TEST_F(Running, IgnoresSetUserIdProgramsOfOtherUsers) {
  fs::create_directories(base_ + "/userdata");
  AddProcess("7", {"conmon", "-b", base_ + "/userdata", "-c", "db"}, "/", "mnt:[1]",
             "1000\t0\t0\t0");
  EXPECT_THAT(Find(), ::testing::IsEmpty());
}

TEST_F(Running, IgnoresProcessesInContainers) {
  const std::string bundle = AddTask("moby", "web", living_);
  AddProcess("7", kShim, bundle, "mnt:[2]");
  EXPECT_THAT(Find(), ::testing::IsEmpty());
  AddProcess("8", kShim, bundle, "mnt:[1]", "1000\t1000\t1000\t1000");
  EXPECT_THAT(Find(), ::testing::IsEmpty());
  AddProcess("9", {"/usr/bin/containerd-shim-kata-v2"}, bundle);
  EXPECT_THAT(Find(), ::testing::IsEmpty());
}

}  // namespace
}  // namespace runclad::host::running_test
