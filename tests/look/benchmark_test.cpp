#include "runclad/look/benchmark.hpp"

#include <algorithm>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::look::benchmark_test {
namespace {

using ::testing::IsEmpty;
using ::testing::Not;

// A container that every control that the kernel decides finds good.
Container Hardened() {
  Container container;
  container.credentials.uids.fill(101000);
  container.credentials.no_new_privileges = true;
  container.credentials.seccomp_mode = 2;
  container.user_inside = 1000;
  container.filter.source = FilterSummary::Source::kRecord;
  container.filter.allowed = 100;
  container.filter.known = 370;
  container.label = "docker-default (enforce)";
  container.is_root_writable = false;
  container.limits.memory = container.limits.pids = 1000;
  container.limits.cpus = 1;
  container.programs = {"nginx"};
  container.device_rules = "c *:* m\nb *:* m\nc 1:3 rwm\nc 1:5 rwm\nc 136:* rwm\nc 10:200 rwm\n";
  for (const char* kind : {"ipc", "mnt", "net", "pid", "user", "uts"}) {
    container.namespaces.push_back({kind, 1, false, {}});
  }
  return container;
}

MountState HostMount(const char* point, const char* root) {
  MountState mount;
  mount.point = point;
  mount.root = root;
  mount.type = "ext4";
  mount.is_host_bind = mount.is_writable = true;
  return mount;
}

Container Open() {
  Container container;
  container.is_host_root = container.can_be_host_root = true;
  container.user_inside = 0;
  container.credentials.bounding = ~std::uint64_t{0};
  container.programs = {"sshd"};
  container.device_rules = "a *:* rwm\n";
  container.listeners = {{"tcp", "0.0.0.0", 22}};
  for (const char* kind : {"ipc", "mnt", "net", "pid", "user", "uts"}) {
    container.namespaces.push_back({kind, 1, true, {}});
  }
  container.mounts.push_back(HostMount("/proc", "/"));
  container.mounts.push_back(HostMount("/host", "/"));
  container.mounts.push_back(HostMount("/run/docker.sock", "/run/docker.sock"));
  container.mounts.back().propagates_to_host = true;
  return container;
}

TEST(Benchmark, HasEveryCheckOfSectionFive) {
  int number = 0;
  for (const Control& control : Controls()) {
    if (control.framework != "CIS") continue;
    EXPECT_EQ(control.id, "5." + std::to_string(++number));
  }
  EXPECT_EQ(number, 32);
}

TEST(Benchmark, SaysWhichFactDecides) {
  std::set<std::string_view> ids;
  for (const Control& control : Controls()) {
    EXPECT_TRUE(ids.insert(control.id).second) << control.id;
    EXPECT_THAT(control.title, Not(IsEmpty())) << control.id;
    EXPECT_EQ(control.fact.empty(), control.assess == nullptr) << control.id;
  }
}

TEST(Benchmark, PassesAContainerThatFailsNothing) {
  for (const Control& control : Controls()) {
    // Which ports an engine publishes is not the container's, and a host has one security module.
    if (control.assess == nullptr || control.id == "5.8" || control.id == "5.3") continue;
    EXPECT_EQ(Assess(control, Hardened()).ruling, Ruling::kPass) << control.id;
  }
  EXPECT_EQ(PodSecurityLevel(Hardened()), "restricted");
}

TEST(Benchmark, FailsOneThatHasEverything) {
  for (const Control& control : Controls()) {
    if (control.assess == nullptr || control.id == "5.3") continue;
    const Assessment assessment = Assess(control, Open());
    EXPECT_EQ(assessment.ruling, Ruling::kFail) << control.id;
    EXPECT_THAT(assessment.detail, Not(IsEmpty())) << control.id;
  }
  EXPECT_EQ(PodSecurityLevel(Open()), "privileged");
}

TEST(Benchmark, DoesNotGuess) {
  const auto devices = std::ranges::find(Controls(), "5.18", &Control::id);
  Container container = Hardened();
  container.device_rules.reset();
  EXPECT_EQ(Assess(*devices, container).ruling, Ruling::kUnknown);
  const auto memory = std::ranges::find(Controls(), "5.11", &Control::id);
  container.limits.unknown = {"memory"};
  EXPECT_EQ(Assess(*memory, container).ruling, Ruling::kUnknown);
  const auto habit = std::ranges::find(Controls(), "5.23", &Control::id);
  EXPECT_EQ(Assess(*habit, Open()).ruling, Ruling::kUnknown);
}

TEST(Benchmark, DistinguishesSecurityModules) {
  const auto apparmor = std::ranges::find(Controls(), "5.2", &Control::id);
  const auto selinux = std::ranges::find(Controls(), "5.3", &Control::id);
  Container container = Hardened();
  EXPECT_EQ(Assess(*selinux, container).ruling, Ruling::kUnknown);
  container.label = "system_u:system_r:container_t:s0:c1,c2";
  EXPECT_EQ(Assess(*selinux, container).ruling, Ruling::kPass);
  EXPECT_EQ(Assess(*apparmor, container).ruling, Ruling::kUnknown);
  container.label = "system_u:system_r:unconfined_t:s0";
  EXPECT_EQ(Assess(*selinux, container).ruling, Ruling::kFail);
}

TEST(Benchmark, DockersDefaultIsBaseline) {
  Container container = Hardened();
  container.user_inside = 0;
  container.credentials.bounding = 0xa80425fb & ~(std::uint64_t{1} << 13);  // without NET_RAW
  EXPECT_EQ(PodSecurityLevel(container), "baseline");
  container.credentials.bounding = 0xa80425fb;
  EXPECT_EQ(PodSecurityLevel(container), "privileged");
}

TEST(Benchmark, EngineVolumesAreNotHostDirectories) {
  const auto host_path = std::ranges::find(Controls(), "baseline/host-path", &Control::id);
  Container container = Hardened();
  container.mounts.push_back(HostMount("/data", "/lib/docker/volumes/x/_data"));
  container.mounts.push_back(HostMount("/etc/hosts", "/lib/docker/containers/x/hosts"));
  EXPECT_EQ(Assess(*host_path, container).ruling, Ruling::kPass);
  container.mounts.push_back(HostMount("/data", "/srv/data"));
  EXPECT_EQ(Assess(*host_path, container).ruling, Ruling::kFail);
}

}  // namespace
}  // namespace runclad::look::benchmark_test
