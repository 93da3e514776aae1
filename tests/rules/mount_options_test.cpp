// The rule mount-options. Long: every kind of mount with the options that it keeps and gets.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rule_test.hpp"
#include "rules/mount-options/facts.hpp"

namespace runclad::rules::mount_options_test {
namespace {

using mount_options::S6Overlay;

constexpr std::string_view kId = "mount-options";

policy::Parameters NoExec(bool noexec = true) {
  policy::Parameters parameters;
  parameters.Set("noexec", noexec);
  return parameters;
}

// A directory of the host on the file system 1; `below` are places of what is mounted in it.
SourceFacts Directory(const std::string& path, std::vector<std::string> below = {}) {
  SourceFacts facts;
  facts.access = SourceFacts::Access::kAllowed;
  facts.resolved = path;
  below.insert(below.begin(), "1:" + path);
  facts.places = std::make_shared<const std::vector<std::string>>(std::move(below));
  return facts;
}

Facts Kernel(int major, int minor) {
  Facts facts;
  facts.Get<KernelFacts>().major = major;
  facts.Get<KernelFacts>().minor = minor;
  // As the image's links have it.
  facts.Get<Destinations>().resolved = {
      {"/dev/", "/dev"}, {"//dev", "/dev"}, {"/devices", "/dev"}, {"/var/run", "/run"}};
  facts.Get<Sources>()["/dev/fuse"].is_device = true;
  for (const char* source : {"/srv/x", "/a", "/b", "/c"})
    facts.Get<Sources>()[source] = Directory(source);
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

TEST(MountOptions, AddNodevAndNoexecToWritableMounts) {
  const Case cases[] = {
      {"/data", "bind", "rbind rprivate",
       "rbind rprivate nosuid rnosuid nodev rnodev noexec rnoexec"},
      {"/data", "bind", "bind", "bind nosuid nodev noexec"},
      // crun takes these for recursive binds.
      {"/data", "bind", "bind rslave", "bind rslave nosuid rnosuid nodev rnodev noexec rnoexec"},
      {"/data", "bind", "bind rprivate",
       "bind rprivate nosuid rnosuid nodev rnodev noexec rnoexec"},
      {"/data", "bind", "bind slave", "bind slave nosuid nodev noexec"},
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

TEST(MountOptions, AreRecursiveForAReadOnlyMount) {
  const Case cases[] = {
      {"/data", "bind", "rbind ro", "rbind ro nosuid rnosuid nodev rnodev rro"},
      {"/data", "bind", "rbind rw ro", "rbind rw ro nosuid rnosuid nodev rnodev rro"},
      {"/data", "bind", "rbind rro", "rbind rro nosuid rnosuid nodev rnodev"},
      {"/data", "bind", "rbind rro suid rdev", "rbind rro nosuid rnosuid nodev rnodev"},
      {"/data", "bind", "bind ro", "bind ro nosuid nodev"},
      {"/sys", "sysfs", "nosuid ro", "nosuid ro"},
      {"/cache", "tmpfs", "ro", "ro"},
      {"/image", "overlay", "lowerdir=/a:/b", "lowerdir=/a:/b nosuid nodev"},
  };
  for (const Case& entry : cases) {
    EXPECT_EQ(Options(Mount(entry.destination, entry.type, entry.options), Kernel(5, 12)),
              entry.expected)
        << entry.type << " " << entry.options;
  }
}

// What is at `read_only` after a mount with these facts beside `writable`, which is mounted rw at
// /w.
bool Runs(const std::string& read_only, const std::string& writable, const Facts& facts,
          bool noexec = true) {
  const auto decision = DecideBy(kId,
                                 R"({"mounts":[)" + Mount("/w", "bind", "rbind", writable) + "," +
                                     Mount("/r", "bind", "rbind ro", read_only) + "]}",
                                 NoExec(noexec), facts);
  return !decision.spec.mounts().back().has_option("noexec");
}

TEST(MountOptions, AddNoexecToAReadOnlyMountOfAWritableSource) {
  Facts facts = Kernel(6, 1);
  const auto add = [&](const std::string& path, std::vector<std::string> places) {
    facts.Get<Sources>()[path] = Directory(path);
    facts.Get<Sources>()[path].places =
        std::make_shared<const std::vector<std::string>>(std::move(places));
  };
  add("/srv/a", {"1:/srv/a", "7:/"});  // with a file system mounted below it
  add("/srv/a/deep", {"1:/srv/a/deep"});
  add("/srv", {"1:/srv", "7:/"});
  add("/", {"1:/", "7:/"});
  add("/alias", {"1:/srv/a"});  // a bind mount of the host
  add("/disk", {"7:/sub"});
  add("/srv/ab", {"1:/srv/ab"});
  add("/other", {"2:/srv/a"});
  for (const char* same : {"/srv/a", "/srv/a/deep", "/srv", "/", "/alias", "/disk"}) {
    EXPECT_FALSE(Runs(same, "/srv/a", facts)) << same;
    EXPECT_FALSE(Runs("/srv/a", same, facts)) << same;
    EXPECT_TRUE(Runs(same, "/srv/a", facts, false)) << same << " under baseline";
  }
  for (const char* apart : {"/srv/ab", "/other"}) {
    EXPECT_TRUE(Runs(apart, "/srv/a", facts)) << apart;
    EXPECT_TRUE(Runs("/srv/a", apart, facts)) << apart;
  }
  EXPECT_FALSE(Runs("/none", "/srv/a", facts)) << "nobody knows what it is";
  facts.Get<Sources>()["/gone"] = {};
  EXPECT_FALSE(Runs("/gone", "/srv/a", facts)) << "nor this";
  facts.Get<ExecDirectories>().paths = {"/r"};
  EXPECT_TRUE(Runs("/srv/a", "/srv/a", facts)) << "the image file says so";
}

TEST(MountOptions, AddNoexecToVolumes) {
  Facts facts = Kernel(6, 1);
  facts.Get<Sources>()["/v"] = Directory("/v");
  facts.Get<Sources>()["/v"].is_volume = true;
  facts.Get<Sources>()["/init"].access =
      SourceFacts::Access::kReadOnly;  // an engine's own, no places
  EXPECT_FALSE(Runs("/v", "/srv/x", facts));
  EXPECT_TRUE(Runs("/v", "/srv/x", facts, false));
  EXPECT_TRUE(Runs("/init", "/srv/x", facts));
  // Of an engine's own directories that it is the same one is seen by its inode.
  for (const char* path : {"/shm", "/shm-again"}) {
    facts.Get<Sources>()[path].access = SourceFacts::Access::kEngineOwn;
    facts.Get<Sources>()[path].device = 5;
    facts.Get<Sources>()[path].inode = 6;
  }
  EXPECT_FALSE(Runs("/shm-again", "/shm", facts));
}

TEST(MountOptions, AddNoexecToAnOverlayOfAWritableSource) {
  const auto options = [](const std::string& read_only, const std::string& writable) {
    const auto decision =
        DecideBy(kId, R"({"mounts":[)" + writable + "," + read_only + "]}", NoExec(), Kernel(6, 1));
    return decision.spec.mounts().back();
  };
  const std::string overlay = Mount("/o", "overlay", "lowerdir=/a:/b");
  EXPECT_TRUE(options(overlay, Mount("/w", "bind", "bind", "/b")).has_option("noexec"));
  EXPECT_FALSE(options(overlay, Mount("/w", "bind", "bind", "/c")).has_option("noexec"));
  const std::string upper = Mount("/w", "overlay", "lowerdir=/a,upperdir=/b,workdir=/c");
  EXPECT_TRUE(options(Mount("/r", "bind", "bind ro", "/b"), upper).has_option("noexec"));
  EXPECT_FALSE(options(Mount("/r", "bind", "bind ro", "/a"), upper).has_option("noexec"));
}

TEST(MountOptions, RemoveContradictions) {
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

TEST(MountOptions, KeepDevicesInDev) {
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

// crun moves a bind into place there and sets none but recursive flags, of files with ro only.
TEST(MountOptions, MatchCrunInAUserNamespace) {
  Facts facts = Kernel(6, 1);
  facts.Get<Sources>()["/srv/file"].is_file = true;
  facts.Get<Sources>()["/srv/file"].access = SourceFacts::Access::kAllowed;
  facts.Get<Sources>()["/run/own/hosts"].is_file = true;
  facts.Get<Sources>()["/run/own/hosts"].access = SourceFacts::Access::kEngineOwn;
  struct Row {
    const char* options;
    const char* source;
    const char* runc;
    const char* crun;
  };
  const auto options = [&](const Row& row, const char* type) {
    const std::string document = R"({"linux":{"namespaces":[{"type":")" + std::string(type) +
                                 R"("}]},"mounts":[)" +
                                 Mount("/data", "bind", row.options, row.source) + "]}";
    const auto first = DecideBy(kId, document, NoExec(), facts);
    EXPECT_TRUE(DecideBy(kId, first.spec.Write(), NoExec(), facts).findings.empty()) << row.options;
    std::string text;
    for (const std::string& option : first.spec.mounts().front().options) text += option + ' ';
    return text;
  };
  const Row rows[] = {
      {"bind", "/srv/x", "bind nosuid rnosuid nodev rnodev noexec rnoexec ",
       "bind nosuid rnosuid nodev rnodev noexec rnoexec "},
      {"bind rprivate", "/run/own/hosts", "bind rprivate nosuid nodev noexec ",
       "bind rprivate nosuid nodev noexec ro "},
      {"bind rprivate", "/srv/file", "bind rprivate nosuid nodev noexec ",
       "bind rprivate nosuid rnosuid nodev rnodev noexec rnoexec "},
      {"bind ro", "/srv/file", "bind ro nosuid nodev ", "bind ro nosuid nodev "},
  };
  for (const Row& row : rows) {
    facts.Get<LowerRuntime>().is_crun = false;
    EXPECT_EQ(options(row, "user"), row.runc) << row.source;
    facts.Get<LowerRuntime>().is_crun = true;
    EXPECT_EQ(options(row, "user"), row.crun) << row.source;
  }
  // Without one, crun sets plain flags of files, and before 1.14.4 no others.
  EXPECT_EQ(options({"rbind rprivate", "/srv/file", "", ""}, "pid"),
            "rbind rprivate nosuid nodev noexec ");
}

TEST(MountOptions, UseOnlyOptionsOfTheKernel) {
  EXPECT_EQ(Options(Mount("/data", "bind", "rbind rexec"), Kernel(5, 11)),
            "rbind nosuid nodev noexec");
  EXPECT_EQ(Options(Mount("/data", "bind", "rbind ro"), Kernel(5, 11)), "rbind ro nosuid nodev");
}

TEST(MountOptions, KeepExecWhereTheImageNeedsIt) {
  Facts facts = Kernel(6, 1);
  facts.Get<ExecDirectories>().paths = {"/run", "/opt/plugins"};
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

TEST(MountOptions, KeepExecIfNoexecIsOff) {
  EXPECT_EQ(Options(Mount("/t", "tmpfs", "exec suid"), Kernel(6, 1), false), "exec nosuid nodev");
}

TEST(MountOptions, ExplainTheChange) {
  const auto decision = DecideBy(kId, R"({"mounts":[)" + Mount("/t", "tmpfs", "exec nosuid") + "]}",
                                 NoExec(), Kernel(6, 1));
  ASSERT_EQ(decision.findings.size(), 1U);
  EXPECT_EQ(decision.findings[0].finding.path, "/mounts/0/options");
  EXPECT_EQ(decision.findings[0].finding.why, "of /t have exec and lack nodev noexec");
  const auto drift = DecideBy(kId,
                              R"({"mounts":[)" + Mount("/w", "bind", "bind nosuid nodev noexec") +
                                  "," + Mount("/r", "bind", "bind ro nosuid nodev") + "]}",
                              NoExec(), Kernel(6, 1));
  ASSERT_EQ(drift.findings.size(), 1U);
  EXPECT_EQ(drift.findings[0].finding.why,
            "of /r lack noexec; the mount shows what is writable at /w");
}

std::string RefusalOfS6(const std::string& mounts, bool has_s6, bool noexec = true,
                        std::vector<std::string> exec_paths = {}) {
  Facts facts = Kernel(6, 1);
  facts.Put(S6Overlay{has_s6});
  facts.Get<ExecDirectories>().paths = std::move(exec_paths);
  return enforce::RefusalSentence(
      DecideBy(kId,
               R"({"mounts":[)" + mounts +
                   R"(],"process":{"args":["/init"],"cwd":"/"},"root":{"path":"rootfs"}})",
               NoExec(noexec), facts));
}

TEST(MountOptions, RefuseS6OverlayIfItCouldNotStart) {
  const std::string run = Mount("/var/run", "tmpfs", "nosuid");
  EXPECT_EQ(RefusalOfS6(run, true),
            "refused by mount-options: /process/args/0 \"/init\" is s6-overlay's, which writes "
            "programs to /run and runs them, but files in /run cannot be executed; to allow "
            "exactly this, "
            "add \"/run\" to mount-options.exec-paths in /etc/runclad/policy.json or in the "
            "image's file with its digest, see runcladctl explain mount-options");
  EXPECT_EQ(RefusalOfS6(Mount("/run", "tmpfs", "noexec nosuid nodev"), true).empty(), false);
  EXPECT_EQ(RefusalOfS6(run, false), "") << "some other /init";
  EXPECT_EQ(RefusalOfS6(run, true, false), "") << "programs run everywhere";
  EXPECT_EQ(RefusalOfS6(run, true, true, {"/run"}), "") << "the image file says so";
  EXPECT_EQ(RefusalOfS6(Mount("/data", "tmpfs", ""), true), "") << "/run is the image's own";
}

// No list lifts what was requested.
TEST(MountOptions, RemedyForS6OverlayIsTheEnginesIfRunWasRequestedWithoutPrograms) {
  Facts facts = Kernel(6, 1);
  facts.Put(S6Overlay{.is_init = true, .run_is_noexec = true});
  const auto decision =
      DecideBy(kId,
               R"({"mounts":[)" + Mount("/run", "tmpfs", "noexec nosuid nodev") +
                   R"(],"process":{"args":["/init"],"cwd":"/"},"root":{"path":"rootfs"}})",
               NoExec(), facts);
  EXPECT_EQ(CodesAndRemedies(decision).back(), "s6-overlay: ask: mount /run without noexec");
}

// exec-paths is for the directories of the image and of users.
TEST(MountOptions, KeepTheEnginesFilesFromRunningBelowAnExecPath) {
  Facts facts = Kernel(6, 1);
  facts.Get<Sources>()["/own/env"].is_file = true;
  facts.Get<Sources>()["/own/env"].access = SourceFacts::Access::kEngineOwn;
  facts.Get<ExecDirectories>().paths = {"/run"};
  const std::string document =
      R"({"mounts":[)" + Mount("/run/.containerenv", "bind", "bind", "/own/env") + "]}";
  const auto decision = DecideBy(kId, document, NoExec(), facts);
  ASSERT_EQ(decision.spec.mounts().size(), 1U);
  EXPECT_TRUE(decision.spec.mounts()[0].has_option("noexec"));
}

TEST(MountOptions, RemedyNamesTheDirectory) {
  Facts facts = Kernel(6, 1);
  facts.Get<Sources>()["/own/hosts"].is_file = true;
  facts.Get<Sources>()["/own/hosts"].access = SourceFacts::Access::kEngineOwn;
  facts.Get<Sources>()["/image"] = Directory("/image");
  facts.Get<Sources>()["/image"].is_image = true;
  facts.Put(S6Overlay{true});
  const std::string document =
      R"({"mounts":[)" + Mount("/var/run", "tmpfs", "") + "," +
      Mount("/data", "bind", "bind noexec") + "," + Mount("/dev", "tmpfs", "nosuid") + "," +
      Mount("/etc/hosts", "bind", "bind", "/own/hosts") + "," +
      Mount("/img", "bind", "bind", "/image") +
      R"(],"process":{"args":["/init"],"cwd":"/"},"root":{"path":"rootfs"}})";
  const std::string engines =
      "flags: none: programs never run from devices, sockets or the engine's own files";
  EXPECT_EQ(CodesAndRemedies(DecideBy(kId, document, NoExec(), facts)),
            (std::vector<std::string>{
                "programs: exec-paths += /run",
                "flags: none: every mount of this kind must have these options", engines, engines,
                "programs: exec-paths += /img", "s6-overlay: exec-paths += /run"}));
  // What the policy lists reaches the rule as a fact.
  facts.Get<ExecDirectories>().paths = {"/run", "/img"};
  for (const std::string& left : CodesAndRemedies(DecideBy(kId, document, NoExec(), facts))) {
    EXPECT_EQ(left.find("flags: "), 0U) << left;
  }
}

TEST(MountOptions, ApplyToAnImageVolume) {
  Facts facts = Kernel(6, 1);
  for (const char* source : {"/image", "/upper", "/work"}) {
    facts.Get<Sources>()[source] = Directory(source);
    facts.Get<Sources>()[source].is_image = std::string(source) == "/image";
  }
  const Case cases[] = {
      {"/v", "bind", "rbind ro", "rbind ro rro nosuid rnosuid nodev rnodev noexec rnoexec"},
      {"/v", "overlay", "lowerdir=/image:/lower", "lowerdir=/image:/lower ro nosuid nodev noexec"},
      {"/v", "overlay", "lowerdir=/image,upperdir=/upper,workdir=/work",
       "lowerdir=/image,upperdir=/upper,workdir=/work nosuid nodev noexec"},
  };
  for (const bool noexec : {true, false}) {
    for (const auto& [destination, type, options, expected] : cases) {
      const std::string mount = Mount(destination, type, options, "/image");
      EXPECT_EQ(Options(mount, facts, noexec), expected) << options;
    }
  }
  facts.Get<ExecDirectories>().paths = {"/v"};
  EXPECT_EQ(Options(Mount("/v", "overlay", "lowerdir=/image:/lower"), facts),
            "lowerdir=/image:/lower ro nosuid nodev")
      << "the policy lists the directory";
}

// runc says no more than "permission denied".
TEST(MountOptions, RefusesAProgramOnAMountThatBecomesNoexec) {
  Facts facts = Kernel(6, 1);
  facts.Get<Program>().emplace().on_mount = "/app/bin/serve";
  const auto judge = [&](const std::string& mounts, const std::vector<std::string>& exec_paths) {
    facts.Get<ExecDirectories>().paths = exec_paths;
    return DecideBy(kId, R"({"process":{"args":["/app/bin/serve"]},"mounts":[)" + mounts + "]}",
                    NoExec(), facts);
  };
  const std::string app = Mount("/app", "bind", "rbind");
  EXPECT_EQ(
      CodesAndRemedies(judge(app, {})),
      (std::vector<std::string>{"program: exec-paths += /app", "programs: exec-paths += /app"}));
  EXPECT_EQ(
      CodesAndRemedies(judge(app, {"/app"})),
      std::vector<std::string>{"flags: none: every mount of this kind must have these options"});
  // The uppermost one counts, and what the user asked for is the user's affair.
  const std::string above = Mount("/app/bin", "bind", "bind ro", "/b");
  EXPECT_EQ(CodesAndRemedies(judge(app + "," + above, {"/app/bin"})).front(),
            "programs: exec-paths += /app");
  EXPECT_EQ(judge(Mount("/app", "bind", "bind noexec"), {}).outcome, enforce::Outcome::kRewritten);
}

TEST(MountOptions, OfferNoExecForASocket) {
  Facts facts = Kernel(6, 1);
  facts.Get<Sources>()["/srv/x"].is_file = true;
  facts.Get<Sources>()["/srv/x"].is_socket = true;
  const auto decision =
      DecideBy(kId, R"({"mounts":[)" + Mount("/var/run/docker.sock", "bind", "bind") + "]}",
               NoExec(), facts);
  EXPECT_EQ(CodesAndRemedies(decision),
            std::vector<std::string>{"flags: none: programs never run from devices, sockets or the "
                                     "engine's own files"});
}

}  // namespace
}  // namespace runclad::rules::mount_options_test
