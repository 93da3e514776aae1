#include "runclad/host/host_sys.hpp"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../mount_namespace.hpp"

namespace runclad::host::host_sys_test {
namespace {

using runclad::testing::InPrivateMounts;
using runclad::testing::WriteFile;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

constexpr const char* kSysfs = "23 1 0:22 / /sys rw,relatime - sysfs sysfs rw\n";
constexpr std::uint64_t kId = 23;

HostSysFacts Describe(const std::string& mountinfo, const std::string& directory = "/sys") {
  auto table = sys::MountTable::Parse(mountinfo);
  EXPECT_TRUE(table) << table.error().message;
  return DescribeHostSys(*table, kId, directory);
}

TEST(HostSys, ListsTheHostsMountsBelowSys) {
  const auto facts =
      Describe(std::string(kSysfs) +
               "31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n"
               "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
               "33 23 0:7 / /sys/kernel/debug rw - debugfs debugfs rw\n"
               "34 33 0:11 / /sys/kernel/debug/tracing rw - tracefs tracefs rw\n"
               "35 23 0:8 / /sys/kernel/debug2 rw - tmpfs tmpfs rw\n"
               "36 23 254:0 /x /sys/devices/system/cpu/online rw - ext4 /dev/vda rw\n"
               "37 1 0:40 / /system rw - tmpfs tmpfs rw\n"
               "38 1 0:41 / /run rw - tmpfs tmpfs rw\n");
  EXPECT_EQ(facts.fault, "");
  EXPECT_THAT(facts.mounts, ElementsAre("/sys/devices/system/cpu/online", "/sys/fs/cgroup",
                                        "/sys/kernel/debug", "/sys/kernel/debug2"));
  EXPECT_THAT(Describe(kSysfs).mounts, IsEmpty());
}

TEST(HostSys, MustBeASysfs) {
  for (const char* other :
       {"23 1 0:22 / /sys rw - tmpfs tmpfs rw\n", "23 1 0:22 /kernel /sys rw - sysfs sysfs rw\n",
        "23 1 0:22 / / rw - sysfs sysfs rw\n", "24 1 0:22 / /sys rw - sysfs sysfs rw\n"}) {
    EXPECT_NE(Describe(other).fault, "") << other;
  }
}

TEST(HostSys, ListsTheHostsNetworkDevices) {
  InPrivateMounts([] {
    const std::string sys = "/srv/sys";
    const auto add = [&](const std::string& name, const std::string& device) {
      fs::create_directories(sys + "/class/net");
      fs::create_directories(sys + device);
      fs::create_symlink("../.." + device, sys + "/class/net/" + name);
    };
    add("lo", "/devices/virtual/net/lo");
    add("docker0", "/devices/virtual/net/docker0");
    add("eth0", "/devices/pci0000:00/0000:00:03.0/virtio0/net/eth0");
    fs::create_symlink("../../../outside/net/x", sys + "/class/net/odd");
    fs::create_directories("/srv/outside/net/x");
    WriteFile(sys + "/class/net/bonding_masters");
    fs::create_directories(sys + "/class/ieee80211");
    const auto facts = Describe("23 1 0:22 / /srv/sys rw - sysfs sysfs rw\n", sys);
    EXPECT_THAT(facts.network, ElementsAre("/srv/sys/class/ieee80211", "/srv/sys/class/net",
                                           "/srv/sys/devices/pci0000:00/0000:00:03.0/virtio0/net",
                                           "/srv/sys/devices/virtual/net"));
  });
}

// Whether it is looked at for a document with these mounts.
bool IsFound(const std::string& mounts, const engine::Layout& layout) {
  const auto spec = oci::Spec::Parse(R"({"mounts":[)" + mounts + "]}");
  EXPECT_TRUE(spec) << spec.error().message;
  return spec && FindHostSys(*spec, layout).has_value();
}

TEST(HostSys, IsCheckedForPodmanOnly) {
  InPrivateMounts([] {
    const std::string bind =
        R"({"destination":"/sys","source":"/sys","type":"bind","options":["rbind"]})";
    const std::string above = "/srv/storage/overlay-containers/abc";
    fs::create_directories(above + "/userdata");
    engine::Layout layout;
    layout.bundle = above + "/userdata";
    layout.engine = engine::Engine::kPodman;
    EXPECT_TRUE(IsFound(bind, layout));
    EXPECT_FALSE(IsFound(R"({"destination":"/sys","source":"sysfs","type":"sysfs"})", layout));
    EXPECT_FALSE(IsFound(
        R"({"destination":"/s","source":"/sys","type":"bind","options":["rbind"]})", layout));
    for (const auto other :
         {engine::Engine::kDocker, engine::Engine::kContainerd, engine::Engine::kCrio,
          engine::Engine::kBuildkit, engine::Engine::kUnknown}) {
      layout.engine = other;
      EXPECT_FALSE(IsFound(bind, layout));
    }
    // A directory of that shape that somebody else made.
    layout.engine = engine::Engine::kPodman;
    ASSERT_EQ(::chown(above.c_str(), 1000, 1000), 0);
    EXPECT_FALSE(IsFound(bind, layout));
  });
}

}  // namespace
}  // namespace runclad::host::host_sys_test
