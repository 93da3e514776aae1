#include "rule_test.hpp"
#include "rules/read-only-rootfs/facts.hpp"

namespace runclad::rules::read_only_rootfs_test {
namespace {

using read_only_rootfs::ImageWrites;

using Kind = DirectoryFacts::Kind;

constexpr std::string_view kId = "read-only-rootfs";

policy::Parameters Sizes(std::vector<std::string> writable = {}) {
  policy::Parameters parameters;
  parameters.Set("writable", std::move(writable));
  parameters.Set("tmp-bytes", std::int64_t{1000});
  parameters.Set("run-bytes", std::int64_t{500});
  return parameters;
}

// What is refused of all that is found.
std::vector<std::string> Refused(enforce::Decision decision) {
  std::erase_if(decision.findings, [](const enforce::Applied& applied) {
    return applied.disposition != enforce::Disposition::kRefused;
  });
  return CodesAndRemedies(decision);
}

// An image with /tmp (1777) and /run, and /var/tmp and /var/run as links.
Facts Image() {
  Facts facts;
  facts.Get<Destinations>().resolved = {
      {"/var/tmp", "/tmp"}, {"/var/run", "/run"}, {"/var/run/docker.pid", "/run/docker.pid"}};
  facts.Get<ImageDirectories>().by_path = {{"/tmp", {Kind::kDirectory, 0, 0, 01777, 0}},
                                           {"/run", {Kind::kDirectory, 0, 7, 0755, 0}}};
  return facts;
}

constexpr std::string_view kRun =
    R"({"destination":"/run","options":["nosuid","nodev","noexec","tmpcopyup","mode=755","uid=0",)"
    R"("gid=7","size=500"],"source":"tmpfs","type":"tmpfs"})";
constexpr std::string_view kTmp =
    R"({"destination":"/tmp","options":["nosuid","nodev","noexec","tmpcopyup","mode=1777","uid=0",)"
    R"("gid=0","size=1000"],"source":"tmpfs","type":"tmpfs"})";

std::string Mounts(std::initializer_list<std::string_view> mounts) {
  std::string text = R"({"mounts":[)";
  for (const std::string_view mount : mounts) {
    if (text.back() != '[') text += ',';
    text += mount;
  }
  return text + R"(],"root":{"path":"rootfs","readonly":true}})";
}

TEST(ReadOnlyRootfs, MakesTheRootReadOnlyAndKeepsTmpAndRunWritable) {
  const auto decision = DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes(), Image());
  EXPECT_EQ(decision.spec.Write(), Mounts({kTmp, kRun}));
}

TEST(ReadOnlyRootfs, AddsTmpfsBeforeMountsInside) {
  constexpr std::string_view kInside = R"({"destination":"/var/run/docker.pid"})";
  const auto decision = DecideBy(kId,
                                 R"({"mounts":[{"destination":"/proc"},)" + std::string(kInside) +
                                     R"(],"root":{"path":"rootfs"}})",
                                 Sizes(), Image());
  EXPECT_EQ(decision.spec.Write(), Mounts({R"({"destination":"/proc"})", kRun, kInside, kTmp}));
}

TEST(ReadOnlyRootfs, NeverCoversAMount) {
  constexpr std::string_view kOwn = R"({"destination":"/tmp"})";
  const auto decision =
      DecideBy(kId, R"({"mounts":[{"destination":"/tmp"}],"root":{"path":"rootfs"}})",
               Sizes({"/tmp/cache"}), Image());
  EXPECT_EQ(decision.spec.Write(), Mounts({kOwn, kRun}));
}

TEST(ReadOnlyRootfs, AddsNothingIfTheRootWasReadOnly) {
  EXPECT_TRUE(DecideBy(kId, R"({"root":{"path":"rootfs","readonly":true}})", Sizes(), Image())
                  .findings.empty());
}

TEST(ReadOnlyRootfs, RefusesABuildStepAndNamesTheWayOut) {
  Facts facts = Image();
  facts.Get<engine::Identity>().engine = engine::Engine::kBuildkit;
  const auto decision = DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes(), facts);
  ASSERT_EQ(decision.outcome, enforce::Outcome::kRefused);
  EXPECT_NE(enforce::RefusalSentence(decision).find(R"("builds": "build" in policy.json)"),
            std::string::npos)
      << enforce::RefusalSentence(decision);
  const auto read_only =
      DecideBy(kId, R"({"root":{"path":"rootfs","readonly":true}})", Sizes(), facts);
  EXPECT_EQ(read_only.outcome, enforce::Outcome::kUnchanged);
}

TEST(ReadOnlyRootfs, GivesAnAbsentDirectoryTheUsualMode) {
  const auto decision = DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes(), {});
  EXPECT_EQ(
      decision.spec.mounts()[1],
      (oci::Mount{"/run", "tmpfs", "tmpfs", {"nosuid", "nodev", "noexec", "mode=755", "size=500"}}))
      << decision.spec.Write();
}

// runc makes the mount point at the first start; at the second it is there.
TEST(ReadOnlyRootfs, GivesTmpTheUsualModeAtTheSecondStart) {
  Facts facts;
  const auto mode_of_tmp = [&] {
    const auto decision = DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes({"/data"}), facts);
    std::string options;
    for (const oci::Mount& mount : decision.spec.mounts()) {
      if (mount.destination != "/tmp" && mount.destination != "/data") continue;
      for (const std::string& option : mount.options) {
        if (option.starts_with("mode=")) options += mount.destination + " " + option + "; ";
      }
    }
    return options;
  };
  const std::string first = mode_of_tmp();
  EXPECT_EQ(first, "/tmp mode=1777; /data mode=755; ");
  for (const char* made : {"/tmp", "/var/tmp", "/data"}) {
    facts.Get<ImageDirectories>().by_path[made] = {Kind::kDirectory, 0, 0, 0755, 0};
  }
  EXPECT_EQ(mode_of_tmp(), first);
  // runc 1.1 takes the mode of the mount point: then it is the container's user's.
  const auto decision = DecideBy(
      kId, R"({"process":{"user":{"uid":7,"gid":8}},"root":{"path":"rootfs"}})", Sizes(), facts);
  EXPECT_EQ(decision.spec.mounts()[0].options,
            (std::vector<std::string>{"nosuid", "nodev", "noexec", "mode=1777", "uid=7", "gid=8",
                                      "size=1000"}));
  // An image's own, with somebody's files or of somebody.
  facts.Get<ImageDirectories>().by_path["/tmp"].content_bytes = 1;
  EXPECT_EQ(mode_of_tmp(), "/tmp mode=755; /data mode=755; ");
  facts.Get<ImageDirectories>().by_path["/tmp"] = {Kind::kDirectory, 1000, 0, 0755, 0};
  EXPECT_EQ(mode_of_tmp(), "/tmp mode=755; /data mode=755; ");
}

TEST(ReadOnlyRootfs, MountsNothingWhereTheRuntimeCannotCreateThePlace) {
  Facts facts = Image();
  facts.Get<ImageDirectories>().by_path["/tmp"] = {
      Kind::kOther, 0, 0, 0, 0, "root may not create it"};
  EXPECT_EQ(DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes(), facts).spec.Write(),
            Mounts({kRun}));
  facts.Get<ImageDirectories>().by_path["/data"] = facts.Get<ImageDirectories>().by_path["/tmp"];
  EXPECT_EQ(Refused(DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes({"/data"}), facts)),
            std::vector<std::string>{"unmakeable: ask: create it in the image"});
}

TEST(ReadOnlyRootfs, FollowsTheExecPathsOfMountOptions) {
  Facts facts = Image();
  facts.Get<ExecDirectories>().paths = {"/run"};
  const auto decision = DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes(), facts);
  EXPECT_TRUE(decision.spec.mounts()[0].has_option("noexec")) << "/tmp";
  EXPECT_FALSE(decision.spec.mounts()[1].has_option("noexec")) << "/run";
}

TEST(ReadOnlyRootfs, LeavesTheConfiguredSizeFreeBeyondTheContent) {
  Facts facts = Image();
  facts.Get<ImageDirectories>().by_path["/run"].content_bytes = 90'000;
  const auto decision = DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes(), facts);
  EXPECT_TRUE(decision.spec.mounts()[0].has_option("size=1000")) << "/tmp";
  EXPECT_TRUE(decision.spec.mounts()[1].has_option("size=90500")) << "/run";
  for (const enforce::Applied& applied : decision.findings) {
    EXPECT_EQ(applied.finding.why.find("bytes free"), std::string::npos) << applied.finding.why;
  }
}

TEST(ReadOnlyRootfs, ReportsAMemoryLimitThatLeavesLessFree) {
  Facts facts = Image();
  facts.Get<ImageDirectories>().by_path["/run"].content_bytes = 600;
  const auto decision =
      DecideBy(kId, R"({"linux":{"resources":{"memory":{"limit":1400}}},"root":{"path":"rootfs"}})",
               Sizes(), facts);
  EXPECT_TRUE(decision.spec.mounts()[0].has_option("size=700")) << "/tmp: half the memory limit";
  EXPECT_TRUE(decision.spec.mounts()[1].has_option("size=700")) << "/run";
  EXPECT_EQ(decision.findings.back().finding.why,
            "keeps /run writable on a tmpfs with 100 bytes free, since it gets at most half the "
            "memory limit, from which programs cannot run");
}

TEST(ReadOnlyRootfs, RefusesContentThatDoesNotFitTheMemoryLimit) {
  Facts facts = Image();
  facts.Get<ImageDirectories>().by_path["/run"].content_bytes = 701;
  const auto decision =
      DecideBy(kId, R"({"linux":{"resources":{"memory":{"limit":1400}}},"root":{"path":"rootfs"}})",
               Sizes(), facts);
  EXPECT_EQ(decision.outcome, enforce::Outcome::kRefused);
}

TEST(ReadOnlyRootfs, RefusesContentThatTheRuntimeCannotCopy) {
  Facts facts = Image();
  facts.Get<ImageDirectories>().by_path["/run"].special = "/run/initctl";
  const auto decision = DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes(), facts);
  EXPECT_EQ(decision.outcome, enforce::Outcome::kRefused);
  EXPECT_NE(
      enforce::RefusalSentence(decision).find("/run/initctl (CIS 5.13); remove it from the image"),
      std::string::npos)
      << enforce::RefusalSentence(decision);
}

TEST(ReadOnlyRootfs, KeepsAFileThatIsInTheWay) {
  Facts facts = Image();
  facts.Get<ImageDirectories>().by_path["/run"].kind = Kind::kOther;
  const auto decision = DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes(), facts);
  EXPECT_EQ(decision.spec.Write(), Mounts({kTmp}));
}

// A file cannot become a tmpfs, and what writes to it would fail with EROFS.
TEST(ReadOnlyRootfs, RefusesAFileInTheListOfDirectories) {
  Facts facts = Image();
  facts.Get<ImageDirectories>().by_path["/app/servers.json"].kind = Kind::kOther;
  facts.Get<ImageDirectories>().by_path["/top.json"].kind = Kind::kOther;
  const auto decision =
      DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes({"/app/servers.json"}), facts);
  EXPECT_EQ(Refused(decision),
            std::vector<std::string>{
                "file: ask: list its directory, /app, or mount a volume at /app/servers.json"});
  EXPECT_EQ(Refused(DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes({"/top.json"}), facts)),
            std::vector<std::string>{"file: ask: mount a volume at /top.json"});
}

TEST(ReadOnlyRootfs, RefusesToCoverTheProgramWithATmpfs) {
  constexpr std::string_view kDocument =
      R"({"process":{"args":["serve"]},"root":{"path":"rootfs"}})";
  Facts facts = Image();
  facts.Get<ImageDirectories>().by_path["/opt/app"] = {Kind::kDirectory, 0, 0, 0755, 0};
  facts.Get<Program>().emplace().resolved = "/opt/app/bin/serve";
  const policy::Parameters parameters = Sizes({"/opt/app"});
  const std::vector<std::string> refused = {"program: mount-options.exec-paths += /opt/app"};
  EXPECT_EQ(Refused(DecideBy(kId, kDocument, parameters, facts)), refused);
  facts.Get<Program>()->resolved = "/bin/serve";
  facts.Get<Program>()->interpreters = {"/opt/app/bin/shell"};
  EXPECT_EQ(Refused(DecideBy(kId, kDocument, parameters, facts)), refused);
  facts.Get<ExecDirectories>().paths = {"/opt"};
  EXPECT_EQ(DecideBy(kId, kDocument, parameters, facts).outcome, enforce::Outcome::kRewritten);
  facts.Get<ExecDirectories>().paths = {};
  facts.Get<Program>()->interpreters = {"/opt/apple/shell"};
  EXPECT_EQ(DecideBy(kId, kDocument, parameters, facts).outcome, enforce::Outcome::kRewritten);
}

TEST(ReadOnlyRootfs, OffersTheImagesDirectoriesForATrial) {
  Facts facts = Image();
  facts.Put(ImageWrites{.written = {}, .state_directories = {"/data", "/etc", "/opt", "/var"}});
  const auto decision =
      DecideBy(kId, R"({"mounts":[{"destination":"/data"}],"root":{"path":"rootfs"}})",
               Sizes({"/etc"}), facts);
  EXPECT_EQ(CodesAndRemedies(decision).front(), "writable-root: try writable += /opt /var");
  ExpectRemediesHelp(kId, SpecOf(R"({"root":{"path":"rootfs"}})"), Sizes(), facts);
}

std::vector<std::string> Notes(const enforce::Decision& decision) {
  std::vector<std::string> notes;
  for (const enforce::Applied& applied : decision.findings) {
    if (applied.disposition != enforce::Disposition::kWarned) continue;
    notes.push_back(applied.finding.path + ' ' + applied.finding.before.Dump() + ' ' +
                    applied.finding.why);
  }
  return notes;
}

TEST(ReadOnlyRootfs, ReportsDirectoriesThatTheImageWrites) {
  Facts facts = Image();
  facts.Put(ImageWrites{.written = {{"/data", "is a volume", "/data"},
                                    {"/var/cache/app", "is written", "/cache"},
                                    {"/var/run/app", "is below a tmpfs of ours", "/run/app"},
                                    {"/srv/mounted/app", "is below a mount", "/srv/mounted/app"},
                                    {"/var/lib/app", "is in the policy", "/var/lib/app"}},
                        .state_directories = {}});
  const auto decision =
      DecideBy(kId,
               R"({"mounts":[{"destination":"/"},{"destination":"/srv/mounted"}],)"
               R"("root":{"path":"rootfs"}})",
               Sizes({"/var/lib/app"}), facts);
  EXPECT_EQ(decision.outcome, enforce::Outcome::kRewritten);
  EXPECT_EQ(Notes(decision),
            (std::vector<std::string>{R"(/root/readonly "/data" is a volume)",
                                      R"(/root/readonly "/var/cache/app" is written)"}));
}

TEST(ReadOnlyRootfs, NamesTheRemedy) {
  Facts facts = Image();
  facts.Get<ExecDirectories>().paths = {"/run"};
  facts.Put(ImageWrites{.written = {{"/data", "is a volume", "/data"}}, .state_directories = {}});
  constexpr std::string_view kDocument = R"({"root":{"path":"rootfs"}})";
  ExpectRemediesHelp(kId, SpecOf(kDocument), Sizes(), facts);
  EXPECT_EQ(CodesAndRemedies(DecideBy(kId, kDocument, Sizes(), facts)),
            (std::vector<std::string>{"writable-root",
                                      "tmpfs-without-programs: mount-options.exec-paths += /tmp",
                                      "tmpfs", "written: writable += /data"}));
  const auto said = [&](const char* document) {
    return Refused(DecideBy(kId, document, Sizes(), facts)).front();
  };
  facts.Get<ImageDirectories>().by_path["/run"].content_bytes = 701;
  EXPECT_EQ(said(R"({"linux":{"resources":{"memory":{"limit":1400}}},"root":{"path":"rootfs"}})"),
            "memory: ask: request at least 1402 bytes (docker run --memory)");
  facts.Get<ImageDirectories>().by_path["/run"].special = "/run/initctl";
  EXPECT_EQ(said(R"({"root":{"path":"rootfs"}})"), "special-file: ask: remove it from the image");
  facts.Get<engine::Identity>().engine = engine::Engine::kBuildkit;
  EXPECT_EQ(said(R"({"root":{"path":"rootfs"}})"),
            "build: ask: set \"builds\": \"build\" in policy.json, so that build steps "
            "are judged by that profile");
}

TEST(ReadOnlyRootfs, ReportsNothingIfReadOnlyWasRequested) {
  Facts facts = Image();
  facts.Put(ImageWrites{.written = {{"/data", "is a volume", "/data"}}, .state_directories = {}});
  const auto decision =
      DecideBy(kId, R"({"root":{"path":"rootfs","readonly":true}})", Sizes(), facts);
  EXPECT_EQ(decision.outcome, enforce::Outcome::kUnchanged);
  EXPECT_TRUE(decision.findings.empty());
}

}  // namespace
}  // namespace runclad::rules::read_only_rootfs_test
