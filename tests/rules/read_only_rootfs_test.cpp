#include "rule_test.hpp"

namespace runclad::rules {
namespace {

using Kind = DirectoryFacts::Kind;

constexpr std::string_view kId = "read-only-rootfs";

policy::Parameters Sizes(std::vector<std::string> writable = {}) {
  policy::Parameters parameters;
  parameters.Set("writable", std::move(writable));
  parameters.Set("tmp-bytes", std::int64_t{1000});
  parameters.Set("run-bytes", std::int64_t{500});
  return parameters;
}

// An image with /tmp (1777) and /run, and /var/tmp and /var/run as links.
Facts Image() {
  Facts facts;
  facts.resolved_destinations = {
      {"/var/tmp", "/tmp"}, {"/var/run", "/run"}, {"/var/run/docker.pid", "/run/docker.pid"}};
  facts.directories = {{"/tmp", {Kind::kDirectory, 0, 0, 01777, 0}},
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

TEST(ReadOnlyRootfs, GoesBeforeWhatIsMountedInside) {
  constexpr std::string_view kInside = R"({"destination":"/var/run/docker.pid"})";
  const auto decision = DecideBy(kId,
                                 R"({"mounts":[{"destination":"/proc"},)" + std::string(kInside) +
                                     R"(],"root":{"path":"rootfs"}})",
                                 Sizes(), Image());
  EXPECT_EQ(decision.spec.Write(), Mounts({R"({"destination":"/proc"})", kRun, kInside, kTmp}));
}

TEST(ReadOnlyRootfs, NeverCoversAMountAtOrAboveTheDirectory) {
  constexpr std::string_view kOwn = R"({"destination":"/tmp"})";
  const auto decision =
      DecideBy(kId, R"({"mounts":[{"destination":"/tmp"}],"root":{"path":"rootfs"}})",
               Sizes({"/tmp/cache"}), Image());
  EXPECT_EQ(decision.spec.Write(), Mounts({kOwn, kRun}));
}

TEST(ReadOnlyRootfs, AddsNothingWhereTheRootWasReadOnly) {
  EXPECT_TRUE(DecideBy(kId, R"({"root":{"path":"rootfs","readonly":true}})", Sizes(), Image())
                  .findings.empty());
}

TEST(ReadOnlyRootfs, RefusesAStepOfABuildAndNamesTheWay) {
  Facts facts = Image();
  facts.identity.engine = engine::Engine::kBuildkit;
  const auto decision = DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes(), facts);
  ASSERT_EQ(decision.outcome, enforce::Outcome::kRefused);
  EXPECT_NE(enforce::RefusalSentence(decision).find(R"("builds": "build" in policy.json)"),
            std::string::npos)
      << enforce::RefusalSentence(decision);
  const auto read_only =
      DecideBy(kId, R"({"root":{"path":"rootfs","readonly":true}})", Sizes(), facts);
  EXPECT_EQ(read_only.outcome, enforce::Outcome::kUnchanged);
}

TEST(ReadOnlyRootfs, GivesADirectoryThatIsAbsentTheUsualMode) {
  const auto decision = DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes(), {});
  EXPECT_EQ(
      decision.spec.mounts()[1],
      (oci::Mount{"/run", "tmpfs", "tmpfs", {"nosuid", "nodev", "noexec", "mode=755", "size=500"}}))
      << decision.spec.Write();
}

TEST(ReadOnlyRootfs, LeavesProgramsRunnableWhereMountOptionsDoes) {
  Facts facts = Image();
  facts.exec_paths = {"/run"};
  const auto decision = DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes(), facts);
  EXPECT_TRUE(decision.spec.mounts()[0].has_option("noexec")) << "/tmp";
  EXPECT_FALSE(decision.spec.mounts()[1].has_option("noexec")) << "/run";
}

TEST(ReadOnlyRootfs, LeavesTheConfiguredSizeFreeBeyondTheContent) {
  Facts facts = Image();
  facts.directories["/run"].content_bytes = 90'000;
  const auto decision = DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes(), facts);
  EXPECT_TRUE(decision.spec.mounts()[0].has_option("size=1000")) << "/tmp";
  EXPECT_TRUE(decision.spec.mounts()[1].has_option("size=90500")) << "/run";
  for (const enforce::Applied& applied : decision.findings) {
    EXPECT_EQ(applied.finding.why.find("bytes free"), std::string::npos) << applied.finding.why;
  }
}

TEST(ReadOnlyRootfs, SaysWhatIsFreeWhereTheMemoryLimitLeavesLess) {
  Facts facts = Image();
  facts.directories["/run"].content_bytes = 600;
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
  facts.directories["/run"].content_bytes = 701;
  const auto decision =
      DecideBy(kId, R"({"linux":{"resources":{"memory":{"limit":1400}}},"root":{"path":"rootfs"}})",
               Sizes(), facts);
  EXPECT_EQ(decision.outcome, enforce::Outcome::kRefused);
}

TEST(ReadOnlyRootfs, RefusesContentThatTheRuntimeCannotCopy) {
  Facts facts = Image();
  facts.directories["/run"].special = "/run/initctl";
  const auto decision = DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes(), facts);
  EXPECT_EQ(decision.outcome, enforce::Outcome::kRefused);
  EXPECT_NE(
      enforce::RefusalSentence(decision).find("/run/initctl (CIS 5.13); remove it from the image"),
      std::string::npos)
      << enforce::RefusalSentence(decision);
}

TEST(ReadOnlyRootfs, LeavesAFileInTheWayAlone) {
  Facts facts = Image();
  facts.directories["/run"].kind = Kind::kOther;
  const auto decision = DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes(), facts);
  EXPECT_EQ(decision.spec.Write(), Mounts({kTmp}));
}

// A file cannot become a tmpfs, and what writes to it would fail with EROFS.
TEST(ReadOnlyRootfs, RefusesAFileInTheListOfDirectories) {
  Facts facts = Image();
  facts.directories["/app/servers.json"].kind = Kind::kOther;
  facts.directories["/top.json"].kind = Kind::kOther;
  const auto decision =
      DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes({"/app/servers.json"}), facts);
  EXPECT_EQ(CodesAndRemedies(decision),
            std::vector<std::string>{
                "file: ask: list its directory, /app, or mount a volume at /app/servers.json"});
  EXPECT_EQ(
      CodesAndRemedies(DecideBy(kId, R"({"root":{"path":"rootfs"}})", Sizes({"/top.json"}), facts)),
      std::vector<std::string>{"file: ask: mount a volume at /top.json"});
}

TEST(ReadOnlyRootfs, RefusesAProgramThatATmpfsWouldKeepFromRunning) {
  constexpr std::string_view kDocument =
      R"({"process":{"args":["serve"]},"root":{"path":"rootfs"}})";
  Facts facts = Image();
  facts.directories["/opt/app"] = {Kind::kDirectory, 0, 0, 0755, 0};
  facts.program.emplace().resolved = "/opt/app/bin/serve";
  const policy::Parameters parameters = Sizes({"/opt/app"});
  const std::vector<std::string> refused = {"program: mount-options.exec-paths += /opt/app"};
  EXPECT_EQ(CodesAndRemedies(DecideBy(kId, kDocument, parameters, facts)), refused);
  facts.program->resolved = "/bin/serve";
  facts.program->interpreters = {"/opt/app/bin/shell"};
  EXPECT_EQ(CodesAndRemedies(DecideBy(kId, kDocument, parameters, facts)), refused);
  facts.exec_paths = {"/opt"};
  EXPECT_EQ(DecideBy(kId, kDocument, parameters, facts).outcome, enforce::Outcome::kRewritten);
  facts.exec_paths = {};
  facts.program->interpreters = {"/opt/apple/shell"};
  EXPECT_EQ(DecideBy(kId, kDocument, parameters, facts).outcome, enforce::Outcome::kRewritten);
}

TEST(ReadOnlyRootfs, OffersTheDirectoriesOfTheImageForATrial) {
  Facts facts = Image();
  facts.state_directories = {"/data", "/etc", "/opt", "/var"};
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

TEST(ReadOnlyRootfs, TellsWhatTheImageWritesAndDoesNotGet) {
  Facts facts = Image();
  facts.resolved_destinations["/var/cache/app"] = "/cache";
  facts.written = {{"/data", "is a volume"},
                   {"/var/cache/app", "is written"},
                   {"/var/run/app", "is below a tmpfs of ours"},
                   {"/srv/mounted/app", "is below a mount"},
                   {"/var/lib/app", "is in the policy"}};
  facts.resolved_destinations["/var/run/app"] = "/run/app";
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

TEST(ReadOnlyRootfs, SaysWhichSettingHelps) {
  Facts facts = Image();
  facts.exec_paths = {"/run"};
  facts.written = {{"/data", "is a volume"}};
  constexpr std::string_view kDocument = R"({"root":{"path":"rootfs"}})";
  ExpectRemediesHelp(kId, SpecOf(kDocument), Sizes(), facts);
  EXPECT_EQ(CodesAndRemedies(DecideBy(kId, kDocument, Sizes(), facts)),
            (std::vector<std::string>{"writable-root",
                                      "tmpfs-without-programs: mount-options.exec-paths += /tmp",
                                      "tmpfs", "written: writable += /data"}));
  const auto said = [&](const char* document) {
    const auto decision = DecideBy(kId, document, Sizes(), facts);
    return CodesAndRemedies(decision).front();
  };
  facts.directories["/run"].content_bytes = 701;
  EXPECT_EQ(said(R"({"linux":{"resources":{"memory":{"limit":1400}}},"root":{"path":"rootfs"}})"),
            "memory: ask: request at least 1402 bytes (docker run --memory)");
  facts.directories["/run"].special = "/run/initctl";
  EXPECT_EQ(said(R"({"root":{"path":"rootfs"}})"), "special-file: ask: remove it from the image");
  facts.identity.engine = engine::Engine::kBuildkit;
  EXPECT_EQ(said(R"({"root":{"path":"rootfs"}})"),
            "build: ask: set \"builds\": \"build\" in policy.json, so that build steps "
            "are judged by that profile");
}

TEST(ReadOnlyRootfs, SaysNothingOfWhatWasAskedToBeReadOnly) {
  Facts facts = Image();
  facts.written = {{"/data", "is a volume"}};
  const auto decision =
      DecideBy(kId, R"({"root":{"path":"rootfs","readonly":true}})", Sizes(), facts);
  EXPECT_EQ(decision.outcome, enforce::Outcome::kUnchanged);
  EXPECT_TRUE(decision.findings.empty());
}

}  // namespace
}  // namespace runclad::rules
