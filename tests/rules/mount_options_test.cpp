#include <string>
#include <string_view>
#include <vector>

#include "rule_test.hpp"

namespace runclad::rules {
namespace {

constexpr std::string_view kId = "mount-options";

policy::Parameters NoExec(bool noexec = true) {
  policy::Parameters parameters;
  parameters.Set("noexec", noexec);
  return parameters;
}

Facts Kernel(int major, int minor) {
  Facts facts;
  facts.kernel.major = major;
  facts.kernel.minor = minor;
  // As the image's links have it.
  facts.resolved_destinations = {
      {"/dev/", "/dev"}, {"//dev", "/dev"}, {"/devices", "/dev"}, {"/var/run", "/run"}};
  facts.sources["/dev/fuse"].is_device = true;
  return facts;
}

// The options of the only mount afterwards; the second time nothing is to do.
std::string Options(const std::string& mount, const Facts& facts, bool noexec = true) {
  const auto first = DecideBy(kId, R"({"mounts":[)" + mount + "]}", NoExec(noexec), facts);
  const auto second = DecideBy(kId, first.spec.Write(), NoExec(noexec), facts);
  EXPECT_TRUE(second.findings.empty()) << "not idempotent: " << mount;
  std::string text;
  const std::vector<oci::Mount> mounts = first.spec.mounts();
  for (const std::string& option : mounts.front().options) {
    if (!text.empty()) text += ' ';
    text += option;
  }
  return text;
}

std::string Mount(const std::string& destination, const std::string& type,
                  const std::string& options, const std::string& source = "/srv/x") {
  std::string text = R"({"destination":")" + destination + R"(","type":")" + type +
                     R"(","source":")" + source + R"(","options":[)";
  std::string_view rest = options;
  while (!rest.empty()) {
    const std::string_view option = rest.substr(0, rest.find(' '));
    rest.remove_prefix(std::min(rest.size(), option.size() + 1));
    if (text.back() != '[') text += ',';
    text += '"' + std::string(option) + '"';
  }
  return text + "]}";
}

struct Case {
  std::string destination;
  std::string type;
  std::string options;
  std::string expected;
};

TEST(MountOptions, OfEveryWritableMountTakeDevicesAndProgramsAway) {
  const Case cases[] = {
      {"/data", "bind", "rbind rprivate",
       "rbind rprivate nosuid rnosuid nodev rnodev noexec rnoexec"},
      {"/data", "bind", "bind", "bind nosuid nodev noexec"},
      {"/data", "none", "rbind", "rbind nosuid rnosuid nodev rnodev noexec rnoexec"},
      {"/data", "bind", "", "nosuid nodev noexec"},
      {"/run", "tmpfs", "nosuid strictatime mode=755", "nosuid strictatime mode=755 nodev noexec"},
      {"/scratch", "tmpfs", "tmpcopyup", "tmpcopyup nosuid nodev noexec"},
      {"/merged", "overlay", "lowerdir=/a,upperdir=/b,workdir=/c private",
       "lowerdir=/a,upperdir=/b,workdir=/c private nosuid nodev noexec"},
      {"/merged", "overlay", "lowerdir=/a\\\\:b", "lowerdir=/a\\:b nosuid nodev noexec"},
      {"/dev/mqueue", "mqueue", "nosuid noexec nodev", "nosuid noexec nodev"},
      {"/proc", "proc", "nosuid noexec nodev", "nosuid noexec nodev"},
  };
  for (const Case& entry : cases) {
    EXPECT_EQ(Options(Mount(entry.destination, entry.type, entry.options), Kernel(6, 1)),
              entry.expected)
        << entry.type << " " << entry.options;
  }
}

TEST(MountOptions, OfAReadOnlyMountHoldForWhatIsBelowItAsWell) {
  const Case cases[] = {
      {"/data", "bind", "rbind ro", "rbind ro rro"},
      {"/data", "bind", "rbind rw ro", "rbind rw ro rro"},
      {"/data", "bind", "rbind rro", "rbind rro"},
      {"/data", "bind", "bind ro", "bind ro"},
      {"/sys", "sysfs", "nosuid ro", "nosuid ro"},
      {"/cache", "tmpfs", "ro", "ro"},
      {"/image", "overlay", "lowerdir=/a:/b", "lowerdir=/a:/b"},
  };
  for (const Case& entry : cases) {
    EXPECT_EQ(Options(Mount(entry.destination, entry.type, entry.options), Kernel(5, 12)),
              entry.expected)
        << entry.type << " " << entry.options;
  }
}

TEST(MountOptions, ThatContradictAreTakenOut) {
  const Case cases[] = {
      {"/t", "tmpfs", "exec suid dev", "nosuid nodev noexec"},
      {"/t", "tmpfs", "noexec exec", "noexec nosuid nodev"},
      // Recursive ones win over plain ones in every order.
      {"/t", "bind", "rexec bind noexec", "bind noexec nosuid nodev"},
      {"/t", "bind", "rbind rsuid rdev rexec", "rbind nosuid rnosuid nodev rnodev noexec rnoexec"},
      {"/t", "bind", "rbind ro rw", "rbind ro rw nosuid rnosuid nodev rnodev noexec rnoexec"},
      {"/t", "bind", "rbind rrw ro", "rbind rrw ro nosuid rnosuid nodev rnodev noexec rnoexec"},
  };
  for (const Case& entry : cases) {
    EXPECT_EQ(Options(Mount(entry.destination, entry.type, entry.options), Kernel(6, 1)),
              entry.expected)
        << entry.options;
  }
}

TEST(MountOptions, LeaveThePlacesOfDevicesTheirDevices) {
  const Case cases[] = {
      {"/dev", "tmpfs", "nosuid strictatime", "nosuid strictatime noexec"},
      {"/dev/", "tmpfs", "nosuid", "nosuid noexec"},
      {"//dev", "tmpfs", "nosuid", "nosuid noexec"},
      {"/devices", "tmpfs", "dev", "dev nosuid noexec"},
      {"/dev", "bind", "rbind", "rbind nosuid rnosuid noexec rnoexec"},
      {"/dev/pts", "devpts", "newinstance", "newinstance nosuid noexec"},
      {"/srv/pts", "devpts", "newinstance", "newinstance nosuid noexec"},
      {"/dev/pts", "bind", "bind", "bind nosuid noexec"},
      {"/dev/shm", "bind", "bind", "bind nosuid nodev noexec"},
      // Only what the rules know as /dev: this is some directory of the image.
      {"/devs", "tmpfs", "", "nosuid nodev noexec"},
  };
  for (const Case& entry : cases) {
    EXPECT_EQ(Options(Mount(entry.destination, entry.type, entry.options), Kernel(6, 1)),
              entry.expected)
        << entry.destination;
  }
  EXPECT_EQ(Options(Mount("/dev/fuse", "bind", "bind", "/dev/fuse"), Kernel(6, 1)),
            "bind nosuid noexec")
      << "a device that host-mounts.allow lists";
}

TEST(MountOptions, AreThoseThatAnOlderKernelHas) {
  EXPECT_EQ(Options(Mount("/data", "bind", "rbind rexec"), Kernel(5, 11)),
            "rbind nosuid nodev noexec");
  EXPECT_EQ(Options(Mount("/data", "bind", "rbind ro"), Kernel(5, 11)), "rbind ro");
}

TEST(MountOptions, LeaveProgramsRunnableWhereTheImageNeedsThem) {
  Facts facts = Kernel(6, 1);
  facts.exec_paths = {"/run", "/opt/plugins"};
  const Case cases[] = {
      {"/run", "tmpfs", "exec", "exec nosuid nodev"},
      {"/var/run", "tmpfs", "", "nosuid nodev"},
      {"/opt/plugins/a", "bind", "bind rexec", "bind rexec nosuid nodev"},
      {"/opt/plugins", "tmpfs", "noexec", "noexec nosuid nodev"},  // never widened
      {"/opt/plugins2", "tmpfs", "", "nosuid nodev noexec"},
      {"/opt", "tmpfs", "", "nosuid nodev noexec"},
  };
  for (const Case& entry : cases) {
    EXPECT_EQ(Options(Mount(entry.destination, entry.type, entry.options), facts), entry.expected)
        << entry.destination;
  }
}

TEST(MountOptions, LeaveProgramsRunnableEverywhereWithoutNoexec) {
  EXPECT_EQ(Options(Mount("/t", "tmpfs", "exec suid"), Kernel(6, 1), false), "exec nosuid nodev");
}

TEST(MountOptions, SayWhatWasWrong) {
  const auto decision = DecideBy(kId, R"({"mounts":[)" + Mount("/t", "tmpfs", "exec nosuid") + "]}",
                                 NoExec(), Kernel(6, 1));
  ASSERT_EQ(decision.findings.size(), 1U);
  EXPECT_EQ(decision.findings[0].finding.path, "/mounts/0/options");
  EXPECT_EQ(decision.findings[0].finding.why, "of /t have exec and lack nodev noexec");
}

std::string RefusalOfS6(const std::string& mounts, bool has_s6, bool noexec = true,
                        std::vector<std::string> exec_paths = {}) {
  Facts facts = Kernel(6, 1);
  facts.has_s6_overlay = has_s6;
  facts.exec_paths = std::move(exec_paths);
  return enforce::RefusalSentence(
      DecideBy(kId,
               R"({"mounts":[)" + mounts +
                   R"(],"process":{"args":["/init"],"cwd":"/"},"root":{"path":"rootfs"}})",
               NoExec(noexec), facts));
}

TEST(MountOptions, RefuseS6OverlayThatCouldNotStart) {
  const std::string run = Mount("/var/run", "tmpfs", "nosuid");
  EXPECT_EQ(RefusalOfS6(run, true),
            "refused by mount-options: /process/args/0 \"/init\" is s6-overlay's, which runs "
            "programs that it writes to /run, and nothing in /run may run; list the directory in "
            "mount-options.exec-paths for an image that runs programs from it, see runcladctl "
            "explain mount-options");
  EXPECT_EQ(RefusalOfS6(Mount("/run", "tmpfs", "noexec nosuid nodev"), true).empty(), false);
  EXPECT_EQ(RefusalOfS6(run, false), "") << "some other /init";
  EXPECT_EQ(RefusalOfS6(run, true, false), "") << "programs run everywhere";
  EXPECT_EQ(RefusalOfS6(run, true, true, {"/run"}), "") << "the image file says so";
  EXPECT_EQ(RefusalOfS6(Mount("/data", "tmpfs", ""), true), "") << "/run is the image's own";
}

}  // namespace
}  // namespace runclad::rules
