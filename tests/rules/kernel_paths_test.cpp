// working-directory and kernel-filesystems.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/json/pointer.hpp"

#include "rule_test.hpp"

namespace runclad::rules::kernel_paths_test {
namespace {

enforce::Outcome CwdOutcome(const std::string& directory, Scope scope) {
  return enforce::Decide(SpecOf(R"({"process":{"cwd":")" + directory + R"("}})"),
                         PolicyWith("working-directory", {}, policy::Action::kRefuse), {}, scope)
      .outcome;
}

TEST(WorkingDirectory, IsRefusedBelowProcInAnySpelling) {
  for (const Scope scope : {Scope::kContainer, Scope::kProcess}) {
    for (const char* directory :
         {"/proc", "/proc/", "/proc/self/fd/8", "//proc/self/fd/8", "/./proc/self", "/a/../proc/1",
          "/../proc/self/fd/7/../../..", "/proc/self/fd/7/", "proc/self", "srv", "./x",
          // What is above a name in /proc is where the name leads.
          "/proc/self/fd/7/../../../..", "/proc/self/../../srv"}) {
      EXPECT_EQ(CwdOutcome(directory, scope), enforce::Outcome::kRefused) << directory;
    }
    for (const char* directory : {"/", "/srv", "/process", "/srv/proc", "/proc/../srv", ""}) {
      EXPECT_EQ(CwdOutcome(directory, scope), enforce::Outcome::kUnchanged) << directory;
    }
  }
}

enforce::Outcome CwdOutcome(const PlaceFacts& place) {
  Facts facts;
  facts.Get<WorkingDirectory>() = place;
  return enforce::Decide(SpecOf(R"({"process":{"cwd":"/link"}})"),
                         PolicyWith("working-directory", {}, policy::Action::kRefuse), facts,
                         Scope::kProcess)
      .outcome;
}

TEST(WorkingDirectory, FollowsLinks) {
  EXPECT_EQ(CwdOutcome({"/proc/self/fd/7", ""}), enforce::Outcome::kRefused);
  EXPECT_EQ(CwdOutcome({"/proc", ""}), enforce::Outcome::kRefused);
  EXPECT_EQ(CwdOutcome({"/mnt/7", "", true, true}), enforce::Outcome::kRefused);
  EXPECT_EQ(CwdOutcome({"/x", "is long", false}), enforce::Outcome::kRefused);
  EXPECT_EQ(CwdOutcome({"/srv/app", ""}), enforce::Outcome::kUnchanged);
  // A program's own "current" in a volume.
  EXPECT_EQ(CwdOutcome({"/data/releases/7", "can be changed"}), enforce::Outcome::kUnchanged);
}

enforce::Decision ByMounts(const std::string& mounts, policy::Action action,
                           const Facts& facts = {}) {
  return enforce::Decide(SpecOf(R"({"mounts":[)" + mounts + "]}"),
                         PolicyWith("kernel-filesystems", {}, action), facts, Scope::kContainer);
}

std::string MountAt(const std::string& destination, const std::string& type,
                    const std::string& options) {
  return R"({"destination":")" + destination + R"(","options":[)" + options + R"(],"type":")" +
         type + "\"}";
}

TEST(KernelFilesystems, AllowOnlyCgroupsInTheCgroupTree) {
  Facts facts;
  facts.Get<Sources>()["/srv/link"].resolved = "/sys/fs/cgroup/pids";
  facts.Get<Sources>()["/srv/data"].resolved = "/srv/data";
  facts.Get<Sources>()["/sys/fs/cgroup/x"].resolved = "/srv/data";
  const auto at = [&](const std::string& destination, const std::string& type,
                      const std::string& source, const std::string& options) {
    return ByMounts(R"({"destination":")" + destination + R"(","options":[)" + options +
                        R"(],"type":")" + type + R"(","source":")" + source + "\"}",
                    policy::Action::kRefuse, facts)
        .outcome;
  };
  const char* const bind = R"("bind","ro")";
  for (const char* place : {"/sys/fs/cgroup", "/sys/fs/cgroup/systemd"}) {
    EXPECT_EQ(at(place, "cgroup", "cgroup", R"("ro")"), enforce::Outcome::kUnchanged);
    EXPECT_EQ(at(place, "bind", "/sys/fs/cgroup/systemd", bind), enforce::Outcome::kUnchanged);
    EXPECT_EQ(at(place, "bind", "/srv/link", bind), enforce::Outcome::kUnchanged);
    EXPECT_EQ(at(place, "bind", "/srv/data", bind), enforce::Outcome::kRefused);
    EXPECT_EQ(at(place, "bind", "/sys/fs/cgroup/x", bind), enforce::Outcome::kRefused);
    EXPECT_EQ(at(place, "tmpfs", "tmpfs", ""), enforce::Outcome::kRefused);
    EXPECT_EQ(at(place, "overlay", "overlay", R"("lowerdir=/a:/b")"), enforce::Outcome::kRefused);
  }
}

TEST(KernelFilesystems, OfEnginesPass) {
  const std::string mounts = MountAt("/proc", "proc", R"("nosuid","noexec","nodev")") + "," +
                             MountAt("/sys", "sysfs", R"("nosuid","ro")") + "," +
                             MountAt("/sys/fs/cgroup", "cgroup", R"("ro","nosuid")") + "," +
                             MountAt("/proc/cpuinfo", "bind", R"("bind")") + "," +
                             MountAt("/data", "bind", R"("rbind")");
  EXPECT_TRUE(ByMounts(mounts, policy::Action::kRefuse).findings.empty());
}

TEST(KernelFilesystems, BecomeReadOnlyOrAreRefusedIfWritable) {
  struct Case {
    std::string before;
    std::string after;
  };
  const Case cases[] = {
      {MountAt("/sys", "sysfs", R"("nosuid","rw")"), MountAt("/sys", "sysfs", R"("nosuid","ro")")},
      {MountAt("/sys", "sysfs", R"("ro","rw")"), MountAt("/sys", "sysfs", R"("ro")")},
      {MountAt("/sys/fs/cgroup", "cgroup", ""), MountAt("/sys/fs/cgroup", "cgroup", R"("ro")")},
      {MountAt("/cg", "cgroup2", R"("rw")"), MountAt("/cg", "cgroup2", R"("ro")")},
  };
  for (const auto& [before, after] : cases) {
    EXPECT_EQ(ByMounts(before, policy::Action::kFix).spec.Write(), R"({"mounts":[)" + after + "]}");
    EXPECT_EQ(ByMounts(before, policy::Action::kRefuse).outcome, enforce::Outcome::kRefused);
  }
}

TEST(KernelFilesystems, CannotBeCoveredOrMountedTwice) {
  Facts facts;
  facts.Get<Destinations>().resolved = {{"/link", "/proc/sys"}};
  for (const std::string& mount :
       {MountAt("/proc", "tmpfs", ""), MountAt("/proc", "bind", R"("bind")"),
        MountAt("/proc/sys", "bind", R"("bind")"), MountAt("/proc/self/attr", "tmpfs", ""),
        MountAt("/sys", "tmpfs", ""), MountAt("/sys/firmware", "bind", R"("bind")"),
        MountAt("/mnt/proc", "proc", ""), MountAt("/link", "tmpfs", "")}) {
    EXPECT_EQ(ByMounts(mount, policy::Action::kFix, facts).outcome, enforce::Outcome::kRefused)
        << mount;
  }
  EXPECT_TRUE(ByMounts(MountAt("/process", "tmpfs", "") + "," + MountAt("/system", "tmpfs", ""),
                       policy::Action::kFix)
                  .findings.empty());
}

TEST(KernelFilesystems, AreUnchangedForTheEngineOrTheHost) {
  const auto said = [](const std::string& mount) {
    ExpectRemediesHelp("kernel-filesystems", SpecOf(R"({"mounts":[)" + mount + "]}"), {});
    return CodesAndRemedies(ByMounts(mount, policy::Action::kRefuse)).at(0);
  };
  EXPECT_EQ(said(MountAt("/proc/sys", "tmpfs", "")),
            "mounted-over: ask: mount it outside of /proc and /sys");
  EXPECT_EQ(said(MountAt("/mnt/proc", "proc", "")),
            "second-proc: ask: use the proc filesystem that the engine mounts at /proc");
  EXPECT_EQ(said(MountAt("/sys", "sysfs", "")),
            "writable-sys: none: all containers and the host share the kernel's settings in /sys");
  EXPECT_EQ(
      said(MountAt("/sys/fs/cgroup", "cgroup2", "")),
      "writable-cgroup: none: whoever can write to a cgroup tree can run programs on the host");
}

TEST(MountPropagation, SharedBecomesSlave) {
  const auto decision = DecideBy("mount-propagation",
                                 R"({"linux":{"rootfsPropagation":"shared"},"mounts":[)" +
                                     MountAt("/a", "bind", R"("rbind","rshared")") + "," +
                                     MountAt("/b", "bind", R"("bind","shared","ro")") + "," +
                                     MountAt("/c", "bind", R"("rbind","rslave")") + "," +
                                     MountAt("/d", "bind", R"("rbind","rprivate")") + "]}",
                                 {});
  EXPECT_EQ(decision.spec.Write(), R"({"linux":{"rootfsPropagation":"slave"},"mounts":[)" +
                                       MountAt("/a", "bind", R"("rbind","rslave")") + "," +
                                       MountAt("/b", "bind", R"("bind","slave","ro")") + "," +
                                       MountAt("/c", "bind", R"("rbind","rslave")") + "," +
                                       MountAt("/d", "bind", R"("rbind","rprivate")") + "]}");
  EXPECT_EQ(decision.findings.size(), 3U);
}

enforce::Outcome SysctlOutcome(const std::string& name, std::vector<std::string> allow = {}) {
  policy::Parameters parameters;
  parameters.Set("allow", std::move(allow));
  return DecideBy("sysctls", R"({"linux":{"sysctl":{")" + name + R"(":"1"}}})", parameters).outcome;
}

TEST(Sysctls, OutsideTheSafeSetAreRefusedUnlessListed) {
  for (const char* name : {"net.ipv4.ip_unprivileged_port_start", "net/ipv4/ping_group_range",
                           "kernel.shm_rmid_forced"}) {
    EXPECT_EQ(SysctlOutcome(name), enforce::Outcome::kUnchanged) << name;
  }
  for (const char* name :
       {"kernel.core_pattern", "kernel/core_pattern", "net.ipv4.ip_forward",
        "net.ipv4.tcp_syncookies2", "vm.overcommit_memory", "net.core.somaxconn"}) {
    EXPECT_EQ(SysctlOutcome(name), enforce::Outcome::kRefused) << name;
  }
  EXPECT_EQ(SysctlOutcome("net/core/somaxconn", {"net.core.somaxconn"}),
            enforce::Outcome::kUnchanged);
  EXPECT_EQ(SysctlOutcome("net.core.somaxconn", {"net.core.*"}), enforce::Outcome::kUnchanged);
  EXPECT_EQ(SysctlOutcome("net.corex", {"net.core.*"}), enforce::Outcome::kRefused);
}

TEST(Sysctls, OfAPrivateNetworkIncludeDockersDefaults) {
  policy::Parameters parameters;
  parameters.Set("own-defaults", true);
  Facts facts;
  facts.Get<KernelFacts>().major = 4;
  facts.Get<KernelFacts>().minor = 11;
  const std::string both =
      R"({"net.ipv4.ip_unprivileged_port_start":"0","net.ipv4.ping_group_range":"0 2147483647"})";
  const auto sysctls = [&](const std::string& linux_member, policy::Action action) {
    const auto decision =
        enforce::Decide(SpecOf(R"({"linux":)" + linux_member + "}"),
                        PolicyWith("sysctls", parameters, action), facts, Scope::kContainer);
    EXPECT_NE(decision.outcome, enforce::Outcome::kRefused) << linux_member;
    return json::Get(decision.spec.document(), "/linux/sysctl").Dump();
  };
  const std::string own = R"({"namespaces":[{"type":"network"}]})";
  EXPECT_EQ(sysctls(own, policy::Action::kRefuse), both);
  EXPECT_EQ(sysctls(own, policy::Action::kWarn), "null") << "warn changes nothing";
  EXPECT_EQ(sysctls(R"({"namespaces":[{"type":"network","path":"/run/netns/a"}]})",
                    policy::Action::kRefuse),
            "null");
  EXPECT_EQ(sysctls("{}", policy::Action::kRefuse), "null") << "the host's network";
  EXPECT_EQ(
      sysctls(R"({"namespaces":[{"type":"network"},{"type":"user"}]})", policy::Action::kRefuse),
      R"({"net.ipv4.ip_unprivileged_port_start":"0"})");
  EXPECT_EQ(sysctls(R"({"namespaces":[{"type":"network"}],"sysctl":{
                       "net/ipv4/ip_unprivileged_port_start":"80",
                       "net.ipv4.ping_group_range":"1 0"}})",
                    policy::Action::kRefuse),
            R"({"net.ipv4.ping_group_range":"1 0","net/ipv4/ip_unprivileged_port_start":"80"})")
      << "what is said stays";
  facts.Get<KernelFacts>().minor = 10;
  EXPECT_EQ(sysctls(own, policy::Action::kRefuse), "null") << "this kernel does not have them";
}

TEST(Sysctls, AllowTheDomainNameWithAPrivateUtsNamespace) {
  const auto outcome = [](const std::string& namespaces) {
    return DecideBy(
               "sysctls",
               R"({"linux":{"sysctl":{"kernel.domainname":"a"},"namespaces":)" + namespaces + "}}",
               {})
        .outcome;
  };
  EXPECT_EQ(outcome(R"([{"type":"uts"}])"), enforce::Outcome::kUnchanged);
  EXPECT_EQ(outcome("[]"), enforce::Outcome::kRefused);
  EXPECT_EQ(outcome(R"([{"type":"uts","path":"/proc/7/ns/uts"}])"), enforce::Outcome::kRefused);
  EXPECT_EQ(outcome(R"([{"type":"network"}])"), enforce::Outcome::kRefused);
}

}  // namespace
}  // namespace runclad::rules::kernel_paths_test
