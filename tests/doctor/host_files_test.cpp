// Made-up hosts below a directory.
#include "doctor/host_files.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doctor/programs.hpp"
#include "doctor/sections.hpp"

namespace runclad::doctor::host_files_test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::IsEmpty;

class MadeUpHost : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = "/var/tmp/runclad-doctor-test.XXXXXX";
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    root_ = path;
  }
  void TearDown() override { fs::remove_all(root_); }

  void Write(const std::string& path, const std::string& text, mode_t mode = 0644) const {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
    ::chmod((root_ + path).c_str(), mode);
  }

  std::string root_;
};

using HostFiles = MadeUpHost;

TEST_F(HostFiles, EnginesOfOtherUsersAreFound) {
  Write("/proc/10/comm", "dockerd\n");
  Write("/proc/11/comm", "dockerd\n");
  Write("/proc/12/comm", "bash\n");
  if (::chown((root_ + "/proc/11").c_str(), 1000, 1000) != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(::chown((root_ + "/proc/12").c_str(), 1000, 1000), 0);
  ASSERT_EQ(::chown((root_ + "/proc/10").c_str(), 0, 0), 0);
  RoadFacts roads;
  ReadProcesses(root_, roads);
  ASSERT_EQ(roads.rootless.size(), 1U);
  EXPECT_EQ(roads.rootless[0].pid, 11);
  EXPECT_EQ(roads.rootless[0].user, 1000U);
  EXPECT_FALSE(roads.has_kubelet);
}

TEST_F(HostFiles, AnEmbeddedEngineIsReportedOnlyIfItsContainerdIsNotFound) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  Write("/proc/10/comm", "k0s\n");
  RoadFacts alone;
  ReadProcesses(root_, alone);
  EXPECT_THAT(alone.embedded, ElementsAre("k0s"));
  EXPECT_TRUE(alone.has_kubelet);
  RoadFacts asked;
  asked.engines.emplace_back().engine = "containerd";
  ReadProcesses(root_, asked);
  EXPECT_THAT(asked.embedded, IsEmpty());
}

TEST_F(HostFiles, ListeningSocketsOfOtherEnginesAreFound) {
  Write("/run/docker.sock", "", 0660);
  Write("/run/podman/podman.sock", "", 0600);
  Write("/run/crio/crio.sock", "", 0666);
  Write("/run/other.sock", "", 0666);
  Write("/proc/net/unix",
        "Num       RefCount Protocol Flags    Type St Inode Path\n"
        "0000000000000000: 00000002 00000000 00010000 0001 01 1 /run/docker.sock\n"
        "0000000000000000: 00000003 00000000 00000000 0001 03 2 /run/docker.sock\n"
        "0000000000000000: 00000002 00000000 00010000 0001 01 3 /run/podman/podman.sock\n"
        "0000000000000000: 00000002 00000000 00010000 0001 01 4 /run/crio/crio.sock\n"
        "0000000000000000: 00000002 00000000 00010000 0001 01 5 /run/gone/docker.sock\n"
        "0000000000000000: 00000002 00000000 00010000 0001 01 6 /run/other.sock\n"
        "0000000000000000: 00000003 00000000 00000000 0001 03 7\n");
  RoadFacts roads;
  roads.engines.emplace_back().engine = "docker";
  ReadSockets(root_, roads);
  EXPECT_THAT(roads.other_sockets, ElementsAre("/run/crio/crio.sock", "/run/podman/podman.sock"));
  EXPECT_THAT(roads.open_sockets, ElementsAre("/run/crio/crio.sock"));
}

TEST_F(HostFiles, BuildahIsolationIsReadFromEveryGlobalSetting) {
  Write("/etc/environment", "LANG=C\n# BUILDAH_ISOLATION=chroot\n");
  Write("/etc/profile.d/build.sh", "  export BUILDAH_ISOLATION=\"chroot\"\n");
  Write("/etc/environment.d/10.conf", "BUILDAH_ISOLATION=oci\n");
  RoadFacts roads;
  ReadChrootSettings(root_, roads);
  EXPECT_THAT(roads.chroot_settings, ElementsAre("/etc/profile.d/build.sh"));
}

using KernelFiles = MadeUpHost;

TEST_F(KernelFiles, ControllersAreCheckedOnlyWithoutCgroupV1) {
  EXPECT_THAT(GatherKernel(root_).missing_controllers, IsEmpty());
  Write("/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io\n");
  EXPECT_THAT(GatherKernel(root_).missing_controllers, ElementsAre("memory", "pids"));
}

TEST_F(KernelFiles, UnmountedActiveHierarchiesAreFound) {
  Write("/proc/self/cgroup", "4:cpu,cpuacct:/\n3:net_cls:/\n1:name=systemd:/\n0::/\n");
  Write("/proc/mounts",
        "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,nosuid,cpu,cpuacct 0 0\n"
        "cgroup /sys/fs/cgroup/systemd cgroup rw,xattr,name=systemd 0 0\n");
  EXPECT_THAT(GatherKernel(root_).unmounted_hierarchies, ElementsAre("net_cls"));
}

class LogOfPolicy : public MadeUpHost {
 protected:
  std::vector<LogFacts> GatherAll(const std::string& log) {
    Write("/policy/policy.json", "{\"log\": " + log + "}\n", 0600);
    Options options;
    options.config_directory = root_ + "/policy";
    return GatherLogs(options, root_);
  }
  LogFacts Gather(const std::string& log) { return GatherAll(log).front(); }
};

TEST_F(LogOfPolicy, MayBeMissing) {
  fs::create_directories(root_ + "/var/log");
  const LogFacts log = Gather(R"({"target": "file:/var/log/runclad/audit.jsonl"})");
  EXPECT_EQ(log.fault, "");
  EXPECT_EQ(log.unsafe_part, "");
  EXPECT_GT(log.free_bytes, 0U);
}

TEST_F(LogOfPolicy, CannotBeADirectory) {
  fs::create_directories(root_ + "/var/log/a.jsonl");
  const LogFacts log = Gather(R"({"target": "file:/var/log/a.jsonl", "required": true})");
  EXPECT_THAT(log.fault, EndsWith("a.jsonl is not a regular file"));
  EXPECT_TRUE(log.is_required);
}

TEST_F(LogOfPolicy, IsReportedIfOthersCanChangeIt) {
  Write("/var/log/a.jsonl", "", 0666);
  EXPECT_THAT(Gather(R"({"target": "file:/var/log/a.jsonl"})").unsafe_part, EndsWith("/a.jsonl"));
}

TEST_F(LogOfPolicy, ForwardTargetIsCheckedToo) {
  fs::create_directories(root_ + "/var/log/f.json");
  const auto logs = GatherAll(
      R"({"target": "file:/var/log/a.jsonl", "max-megabytes": 3,
          "forward": {"format": "falco", "target": "file:/var/log/f.json"}})");
  ASSERT_EQ(logs.size(), 2U);
  EXPECT_EQ(logs[0].fault, "");
  EXPECT_EQ(logs[0].renamed_at_bytes, 3'000'000U);
  EXPECT_THAT(logs[1].fault, EndsWith("f.json is not a regular file"));
}

TEST_F(LogOfPolicy, JournaldIsASocket) {
  EXPECT_FALSE(Gather(R"({"target": "journald"})").has_journald);
  EXPECT_EQ(Gather(R"({"target": "journald"})").path, "");
}

using ProgramFiles = MadeUpHost;

TEST_F(ProgramFiles, AProgramIsRuncladIfItSaysSo) {
  Write("/runc", "#!/bin/sh\necho runc version 1.1.5\n", 0755);
  Write("/runclad", "#!/bin/sh\necho runc version 1.1.5\necho 'runclad: 1.0.0'\n", 0755);
  Write("/open", "#!/bin/sh\necho 'runclad: 1.0.0'\n", 0777);
  Write("/installed", "", 0755);
  Programs programs(root_ + "/installed");
  EXPECT_FALSE(programs.IsRunclad(root_ + "/runc"));
  EXPECT_TRUE(programs.IsRunclad(root_ + "/runclad"));
  EXPECT_FALSE(programs.IsRunclad(root_ + "/open")) << "anyone could have written it";
  EXPECT_TRUE(programs.IsRunclad(root_ + "/installed"));
  EXPECT_FALSE(programs.IsRunclad(root_ + "/missing"));
  EXPECT_FALSE(programs.IsRunclad(""));
}

TEST_F(ProgramFiles, AreFoundInTheDirectoriesOfTheEngine) {
  Write("/a/runc", "", 0644);
  Write("/b/runc", "", 0755);
  EXPECT_EQ(FindProgram("runc", root_ + "/a:" + root_ + "/b"), root_ + "/b/runc");
  EXPECT_EQ(FindProgram("crun", root_ + "/a"), "");
  EXPECT_EQ(FindProgram(root_ + "/b/runc", ""), root_ + "/b/runc");
  EXPECT_EQ(FindProgram(root_ + "/a/runc", ""), "");
}

TEST_F(ProgramFiles, ThePartThatOthersCanChangeIsNamed) {
  Write("/bin/runclad", "", 0755);
  EXPECT_EQ(UnsafePart(root_ + "/bin/runclad"), "");
  ::chmod((root_ + "/bin").c_str(), 0775);
  EXPECT_EQ(UnsafePart(root_ + "/bin/runclad"), root_ + "/bin");
  ::chmod((root_ + "/bin").c_str(), 0755);
  fs::create_symlink(root_ + "/bin/runclad", root_ + "/link");
  EXPECT_EQ(UnsafePart(root_ + "/link"), "");
  ::chmod((root_ + "/bin/runclad").c_str(), 0757);
  EXPECT_EQ(UnsafePart(root_ + "/link"), root_ + "/bin/runclad");
}

TEST(Shims, AreNamedAfterTheirPrograms) {
  EXPECT_EQ(ShimProgram("io.containerd.runc.v2"), "containerd-shim-runc-v2");
  EXPECT_EQ(ShimProgram("io.containerd.kata.v2"), "containerd-shim-kata-v2");
  EXPECT_EQ(ShimProgram("runc"), "");
}

}  // namespace
}  // namespace runclad::doctor::host_files_test
