// The report of a host that is made up: what its forms say, and that nothing which a container
// brings along is more than text. With RUNCLAD_REPORT_SAMPLES=DIRECTORY the pages are written
// there, for a browser (tests/report/run.sh).
#include "ctl/report.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/base/time.hpp"

#include "ctl/markup.hpp"

namespace runclad::ctl::report_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr std::string_view kHostile =
    "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>\x1b[31m\u202e&lt;";
constexpr std::uint64_t kDockersCapabilities = 0xa80425fb;

look::Container Named(std::string name, std::size_t number) {
  look::Container container;
  container.name = std::move(name);
  std::string digits = std::to_string(number);
  container.id = std::string(64 - digits.size(), 'a') + digits;
  container.identity.engine = engine::Engine::kDocker;
  container.credentials.bounding = container.credentials.effective = kDockersCapabilities;
  container.credentials.seccomp_mode = 2;
  container.credentials.seccomp_filters = 1;
  container.filter.source = look::FilterSummary::Source::kKernel;
  container.filter.known = 373;
  container.filter.allowed = 341;
  container.is_host_root = container.can_be_host_root = true;
  container.user_inside = 0;
  container.label = "docker-default (enforce)";
  for (const char* kind : {"ipc", "mnt", "net", "pid", "uts"}) {
    container.namespaces.push_back({kind, number * 8 + 100, false, {}});
  }
  container.namespaces.push_back({"user", 1, true, {}});
  return container;
}

look::MountState Bind(std::string point, std::string root) {
  look::MountState mount;
  mount.point = std::move(point);
  mount.root = std::move(root);
  mount.type = "ext4";
  mount.is_writable = mount.may_execute = mount.is_host_bind = true;
  return mount;
}

// The one that stands first: its engine's socket, every capability, no filter.
look::Container Worst() {
  look::Container container = Named("ci-runner", 1);
  container.credentials.bounding = container.credentials.effective = (std::uint64_t{1} << 41) - 1;
  container.credentials.seccomp_mode = container.credentials.seccomp_filters = 0;
  container.filter = look::Summarize({});
  container.label.clear();
  container.mounts = {Bind("/var/run/docker.sock", "/run/docker.sock"), Bind("/host", "/")};
  for (look::NamespaceState& own : container.namespaces) {
    own.is_host = own.kind == "pid" || own.kind == "net" || own.kind == "user";
  }
  return container;
}

void Harden(look::Container& container) {
  container.credentials.bounding = std::uint64_t{1} << 10;
  container.credentials.effective = 0;
  container.credentials.no_new_privileges = true;
  container.credentials.uids.fill(1000);
  container.is_host_root = false;
  container.user_inside = 1000;
  container.is_root_writable = false;
  container.filter.allowed = 180;
  container.limits.memory = 64 << 20;
  container.limits.pids = 100;
  container.limits.cpus = 0.5;
  container.promise = look::Promise::kKept;
  container.profile = "restricted";
  container.mode = "enforce";
}

look::Container Made(std::size_t number) {
  constexpr std::array<const char*, 8> kNames = {"web",   "db",    "queue", "mailer",
                                                 "cache", "proxy", "batch", "search"};
  look::Container container =
      Named(std::string(kNames.at(number % kNames.size())) + "-" + std::to_string(number), number);
  if (number % 3 != 0) Harden(container);
  if (number % 7 == 0) container.credentials.bounding |= std::uint64_t{1} << 12;
  if (number % 11 == 0) container.mounts.push_back(Bind("/srv/data", "/srv/data"));
  if (number % 13 == 0) container.namespaces[2].is_host = true;
  if (number % 5 == 0) {
    container.namespaces[2].inode = 7;
    container.namespaces[2].shared_with = {"another"};
  }
  return container;
}

Report Sample(std::size_t count) {
  Report report;
  report.host = "node-7.example.com";
  report.kernel = "6.12.48+deb13-amd64";
  report.time = 1795700000;  // 2026-11-26
  report.policy = "enforce, sha256:3f2a9c0e6d";
  std::vector<look::Container> containers = {Worst(), Named(std::string(kHostile), 2)};
  containers.back().mounts.push_back(Bind(std::string(kHostile), "/"));
  for (std::size_t i = 3; i <= count; ++i) containers.push_back(Made(i));
  for (look::Container& container : containers) {
    ReportedContainer entry;
    entry.container = std::move(container);
    entry.score = look::ScoreOf(entry.container);
    for (const look::Control& control : look::Controls()) {
      entry.assessments.push_back(look::Assess(control, entry.container));
    }
    entry.pod_security = look::PodSecurityLevel(entry.container);
    entry.drift.emplace();
    report.containers.push_back(std::move(entry));
  }
  std::ranges::stable_sort(report.containers, std::ranges::greater{},
                           [](const ReportedContainer& entry) { return entry.score.exposure; });
  look::Change changed;
  changed.path = "/usr/local/bin/" + std::string(kHostile);
  changed.is_program = changed.sets_id = true;
  report.containers[1].drift->changes = {changed};
  report.containers[2].drift.reset();
  report.containers[2].no_drift_because = "its root filesystem is not an overlay";
  for (int day = 0; day < 30; ++day) {
    report.days.push_back({FormatDay(report.time - (29 - day) * 86400),
                           static_cast<std::uint64_t>(day * 7 % 12), day % 4 == 0 ? 3U : 0U});
  }
  report.waivers = {
      {"images/docker.io/library/ci.json", "host-mounts", std::string(kHostile), "2026-12-01", 5},
      {"policy.json", "seccomp", "legacy batch jobs", "", std::nullopt}};
  report.compared = {{"5.4", "WARN"}, {"5.10", "PASS"}};
  return report;
}

TEST(Markup, EscapesWhatIsMarkup) {
  EXPECT_EQ(Markup("<a href='x'>\"&"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;");
  EXPECT_THAT(Markup("\x1b[31m"), Not(HasSubstr("\x1b")));
}

TEST(Report, NamesTheMostExposedContainerFirst) {
  const std::string page = AsHtml(Sample(12));
  const std::size_t worst = page.find("<h2 id=\"worst\">");
  ASSERT_NE(worst, std::string::npos);
  EXPECT_THAT(page.substr(worst, 100), HasSubstr("ci-runner"));
  EXPECT_THAT(page, HasSubstr("sensitive-mounts"));
}

TEST(Report, RunsNothingThatAContainerBringsAlong) {
  const std::string page = AsHtml(Sample(12));
  EXPECT_THAT(page, Not(HasSubstr("<script")));
  EXPECT_THAT(page, Not(HasSubstr("<img")));
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  EXPECT_THAT(page, Not(HasSubstr("\u202e")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;"));
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
}

TEST(Report, JunitIsMarkupToo) {
  const std::string text = ReportAsJunit(Sample(3));
  EXPECT_THAT(text, Not(HasSubstr("<script")));
  EXPECT_THAT(text, HasSubstr("<testsuite name=\"ci-runner\""));
  EXPECT_THAT(text, HasSubstr("<skipped/>"));
}

TEST(Report, SarifHasARuleForEachResult) {
  const auto sarif = nlohmann::json::parse(ReportAsSarif(Sample(3)));
  const auto& run = sarif["runs"][0];
  std::set<std::string> rules;
  for (const auto& rule : run["tool"]["driver"]["rules"]) rules.insert(rule["id"]);
  ASSERT_FALSE(run["results"].empty());
  for (const auto& result : run["results"]) {
    EXPECT_TRUE(rules.contains(result["ruleId"])) << result["ruleId"];
  }
}

TEST(Report, JsonHasTheSameFigures) {
  const Report report = Sample(12);
  const auto json = nlohmann::json::parse(ReportAsJson(report));
  ASSERT_THAT(json["containers"], SizeIs(report.containers.size()));
  EXPECT_EQ(json["containers"][0]["name"], "ci-runner");
  EXPECT_EQ(json["containers"][0]["controls"]["CIS 5.5"]["result"], "fail");
  EXPECT_EQ(json["waivers"][0]["daysLeft"], 5);
  EXPECT_EQ(json["refusals"].size(), 30U);
}

TEST(Report, OfAHostWithoutContainersIsAPage) {
  Report report;
  EXPECT_THAT(AsHtml(report), HasSubstr("No container is running."));
}

TEST(Report, OfFiveHundredContainersStaysSmall) {
  constexpr std::size_t kMostBytes = 3'000'000;
  EXPECT_LT(AsHtml(Sample(500)).size(), kMostBytes);
}

TEST(Report, WritesSamplesForABrowser) {
  const char* const directory = std::getenv("RUNCLAD_REPORT_SAMPLES");
  if (directory == nullptr) GTEST_SKIP() << "RUNCLAD_REPORT_SAMPLES is not set";
  for (const std::size_t count : {12, 500}) {
    std::ofstream(std::string(directory) + "/" + std::to_string(count) + ".html")
        << AsHtml(Sample(count));
  }
}

TEST(DockerBench, IsReadBySection) {
  const auto found = ParseDockerBench(R"({"dockerbenchsecurity": "1.6.0", "tests": [
      {"id": "4", "results": [{"id": "4.1", "result": "WARN"}]},
      {"id": "5", "results": [{"id": "5.4", "result": "WARN", "items": ["web"]},
                              {"id": "5.10", "result": "PASS"}]}]})");
  ASSERT_TRUE(found);
  EXPECT_THAT(*found, ElementsAre(std::pair("5.10", "PASS"), std::pair("5.4", "WARN")));
  EXPECT_FALSE(ParseDockerBench("{}"));
  EXPECT_FALSE(ParseDockerBench("["));
  EXPECT_FALSE(ParseDockerBench(R"({"dockerbenchsecurity": "1", "tests": [7]})"));
}

TEST(Waivers, AreFoundInTagsToo) {
  const auto found = WaiversIn("a.json", R"({
      "waivers": [{"rule": "user", "reason": "x", "expires": "1970-01-11"}],
      "tags": {"1.27": {"waivers": [{"rule": "seccomp", "reason": "y"}]}}})",
                               8);
  ASSERT_THAT(found, SizeIs(2));
  EXPECT_EQ(found[0].days_left, 2);
  EXPECT_EQ(found[1].rule, "seccomp");
  EXPECT_FALSE(found[1].days_left);
  EXPECT_THAT(WaiversIn("a.json", "no json", 8), IsEmpty());
}

TEST(Refusals, AreCountedByDay) {
  std::vector<DayOfRefusals> days = {{"2026-11-25", 0, 0}, {"2026-11-26", 0, 0}};
  const auto count = [&](const std::string& line) { CountRefusal(line, days); };
  count(R"({"outcome": "refused", "time": "2026-11-26T10:00:00Z"})");
  count(R"({"outcome": "refused", "time": "2026-11-26T10:00:00Z", "repeats": {"count": 4}})");
  count(R"({"outcome": "would-refuse", "time": "2026-11-25T10:00:00Z"})");
  count(
      R"({"outcome": "rewritten", "time": "2026-11-25T10:00:00Z", "x": "\"outcome\": \"refused\""})");
  count(R"({"outcome": "refused", "time": "2026-10-01T10:00:00Z"})");
  count("refused");
  EXPECT_EQ(days[0].refused, 0U);
  EXPECT_EQ(days[0].would_refuse, 1U);
  EXPECT_EQ(days[1].refused, 5U);
}

}  // namespace
}  // namespace runclad::ctl::report_test
