// What monitoring reads. That real parsers read it is tests/metrics.py's to show.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "program.hpp"

namespace runclad::ctl::metrics_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class Metrics : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "only root can see what metrics counts";
    directory_ = "/var/tmp/runclad-metrics.XXXXXX";
    ASSERT_NE(::mkdtemp(directory_.data()), nullptr);
    fs::create_directory(directory_ + "/etc");
    log_ = directory_ + "/audit.jsonl";
    Policy(R"({"extends": "baseline", "log": {"target": "file:)" + log_ + R"("}})");
  }
  void TearDown() override {
    if (!directory_.empty()) fs::remove_all(directory_);
  }

  void Policy(const std::string& text) const {
    std::ofstream(directory_ + "/etc/policy.json") << text << "\n";
  }
  // Appends lines that differ from every other in their time alone.
  void Log(int count, const std::string& outcome = "refused", const std::string& rest = "") {
    std::ofstream log(log_, std::ios::app);
    for (int i = 0; i < count; ++i) {
      log << R"({"engine":"docker","findings":[{"rule":"host-mounts","action":"refused"}],)"
          << R"("mode":"enforce","outcome":")" << outcome << R"(","time":"T)" << ++time_
          << R"(","verb":"create")" << rest << "}\n";
    }
  }
  [[nodiscard]] ProgramRun Run(const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"metrics", "--config", directory_ + "/etc", "--state",
                                          directory_ + "/state"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Runcladctl(arguments);
  }
  // The value of the sample that begins with `sample`; -1: there is none.
  [[nodiscard]] static long ValueOf(const std::string& sample, const std::string& text) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(sample)) return std::stol(line.substr(line.rfind(' ') + 1));
    }
    return -1;
  }
  [[nodiscard]] long Refused() const {
    return ValueOf(R"(runclad_decisions_total{decision="refused")", Run().out);
  }

  std::string directory_;
  std::string log_;
  int time_ = 0;
};

TEST_F(Metrics, CountsEachLineOnceHoweverTheLogIsRotated) {
  Log(3);
  EXPECT_EQ(Refused(), 3);
  EXPECT_EQ(Refused(), 3) << "a second scrape counted lines again";
  Log(2);
  fs::rename(log_, log_ + "-20261126T180530.000042Z");
  Log(1);
  EXPECT_EQ(Refused(), 6) << "after a rename, with lines that were not counted before it";
  // As logrotate compresses: another inode, another name.
  ASSERT_EQ(std::system(("gzip " + log_ + "-*Z").c_str()), 0);
  Log(1);
  EXPECT_EQ(Refused(), 7);
  // As logrotate's copytruncate has it.
  fs::copy_file(log_, log_ + ".1");
  fs::resize_file(log_, 0);
  Log(1);
  EXPECT_EQ(Refused(), 8);
  EXPECT_EQ(ValueOf("runclad_log_lost_files_total", Run().out), 0);
}

TEST_F(Metrics, NeverFallsWhenFilesAreRemovedAndSaysWhatMayBeMissing) {
  Log(3);
  EXPECT_EQ(Refused(), 3);
  fs::rename(log_, log_ + ".1");
  Log(1);
  EXPECT_EQ(Refused(), 4);
  fs::remove(log_ + ".1");
  EXPECT_EQ(Refused(), 4);
  EXPECT_EQ(ValueOf("runclad_log_lost_files_total", Run().out), 0) << "it had been read to its end";
  fs::remove(log_);
  Log(2);
  EXPECT_EQ(Refused(), 6);
  EXPECT_EQ(ValueOf("runclad_log_lost_files_total", Run().out), 1);
}

TEST_F(Metrics, LeavesATornLineUntilItIsWhole) {
  Log(1);
  std::ofstream(log_, std::ios::app) << R"({"outcome":"refused",)";
  EXPECT_EQ(Refused(), 1);
  std::ofstream(log_, std::ios::app) << R"("verb":"create","mode":"enforce"})"
                                     << "\n";
  const std::string text = Run().out;
  EXPECT_EQ(ValueOf(R"(runclad_decisions_total{decision="refused",rule="",)", text), 1) << text;
  EXPECT_EQ(ValueOf("runclad_log_unreadable_lines_total", text), 0);
}

// Users choose names and images, and may exec into what they find: only the ids that root noted,
// and only how those containers were made, are left out.
TEST_F(Metrics, CountsDoctorsProbesApartAndNothingElse) {
  fs::create_directories(directory_ + "/state/probes");
  std::ofstream(directory_ + "/state/probes/a0b1") << "";
  Log(2, "refused", R"(,"container":"a0b1","name":"runclad-doctor-probe")");
  Log(1, "refused", R"(,"container":"c2d3","name":"runclad-doctor-probe")");
  Log(1, "refused", R"(,"container":"","name":"x")");
  std::ofstream(log_, std::ios::app)
      << R"({"engine":"docker","findings":[{"rule":"host-mounts","action":"refused"}],"mode":"enforce",)"
      << R"("outcome":"refused","time":"X","verb":"exec","container":"a0b1"})"
      << "\n";
  const std::string text = Run().out;
  EXPECT_EQ(ValueOf("runclad_probe_decisions_total", text), 2) << text;
  EXPECT_EQ(ValueOf(R"(runclad_findings_total{rule="host-mounts")", text), 3) << text;
  EXPECT_EQ(Refused(), 2) << "of create";
}

// What others could have written says nothing.
TEST_F(Metrics, IgnoresProbesThatOthersCouldHaveNoted) {
  fs::create_directories(directory_ + "/state/probes");
  std::ofstream(directory_ + "/state/probes/a0b1") << "";
  fs::permissions(directory_ + "/state/probes", fs::perms(0777));
  Log(2, "refused", R"(,"container":"a0b1")");
  EXPECT_EQ(Refused(), 2);
}

// A user of dockerd can have directories made at any path.
TEST_F(Metrics, ADirectoryIsNeitherAProbeNorACount) {
  fs::create_directories(directory_ + "/state/probes/a0b1/inside");
  fs::create_directories(directory_ + "/state/metrics/counts.json/inside");
  Log(2, "refused", R"(,"container":"a0b1")");
  EXPECT_EQ(Refused(), 2);
  EXPECT_EQ(ValueOf("runclad_log_counted", Run().out), 1);
}

TEST_F(Metrics, CountsRepeatsAndPutsWhatItDoesNotKnowUnderOther) {
  Log(1, "refused", R"(,"repeats":{"count":41})");
  std::ofstream(log_, std::ios::app)
      << R"({"outcome":"0123456789ab","engine":"ab12","mode":"x","verb":"ff00","findings":[]})"
      << "\nno JSON\n";
  const std::string text = Run().out;
  EXPECT_EQ(
      ValueOf(R"(runclad_decisions_total{decision="refused",rule="host-mounts",mode="enforce",)"
              R"(engine="docker",command="create"})",
              text),
      41);
  EXPECT_EQ(ValueOf(R"(runclad_findings_total{rule="host-mounts",action="refused",mode="enforce"})",
                    text),
            41);
  EXPECT_EQ(
      ValueOf(R"(runclad_decisions_total{decision="other",rule="",mode="other",engine="other",)"
              R"(command="other"})",
              text),
      1);
  EXPECT_EQ(ValueOf("runclad_log_unreadable_lines_total", text), 1);
  EXPECT_THAT(text, Not(HasSubstr("0123456789ab")));
}

TEST_F(Metrics, SeveralReadersCountNothingTwice) {
  Log(2000);
  std::vector<std::thread> readers;
  for (int i = 0; i < 4; ++i) readers.emplace_back([this] { (void)Run({"--timeout", "1"}); });
  for (std::thread& reader : readers) reader.join();
  EXPECT_EQ(Refused(), 2000);
}

TEST_F(Metrics, HasTheEarliestExpiryOfEachWaiver) {
  Policy(R"({"extends": "baseline", "log": {"target": "journald"}, "waivers": [
    {"rule": "privileged", "action": "off", "reason": "r", "expires": "2031-01-02"},
    {"rule": "privileged", "action": "off", "reason": "r", "expires": "2031-01-01"}]})");
  fs::create_directories(directory_ + "/etc/images/docker.io/library");
  std::ofstream(directory_ + "/etc/images/docker.io/library/web.json")
      << R"({"tags": {"1": {"waivers": [{"rule": "privileged", "action": "off", )"
      << R"("reason": "r", "expires": "2032-02-29"}]}}})";
  const std::string text = Run().out;
  EXPECT_EQ(ValueOf(R"(runclad_waiver_expiry_timestamp_seconds{rule="privileged",image=""})", text),
            1925078400)
      << text;  // 2031-01-02T00:00:00Z: the day itself counts
  EXPECT_EQ(ValueOf(R"(runclad_waiver_expiry_timestamp_seconds{rule="privileged",)"
                    R"(image="docker.io/library/web:1"})",
                    text),
            1961712000);
  EXPECT_EQ(ValueOf("runclad_log_counted", text), 0) << "the log is not a file";
  EXPECT_THAT(text, Not(HasSubstr("runclad_decisions_total")));
}

// The log goes elsewhere, and a copy of it to a file.
TEST_F(Metrics, CountsACopyOfTheLogAndNamesItsLevel) {
  Log(2);
  Policy(R"({"extends": "baseline", "log": {"target": "syslog", "level": "notice",
    "forward": {"format": "json", "target": "file:)" +
         directory_ + R"(/audit.jsonl"}}})");
  const std::string text = Run().out;
  EXPECT_EQ(ValueOf("runclad_log_counted", text), 1) << text;
  EXPECT_EQ(ValueOf("runclad_decisions_total", text), 2);
  EXPECT_EQ(ValueOf(R"(runclad_log_level_info{level="notice"})", text), 1);
}

TEST_F(Metrics, WritesATextfileThatOthersMayRead) {
  Log(1);
  const std::string file = directory_ + "/runclad.prom";
  const auto run = Run({"--textfile", file});
  EXPECT_EQ(run.out, "") << run.err;
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  EXPECT_EQ(ValueOf("runclad_decisions_total", text.str()), 1);
  EXPECT_EQ(fs::status(file).permissions(), static_cast<fs::perms>(0644));
  EXPECT_THAT(Run({"--textfile", directory_ + "/runclad.txt"}).err, HasSubstr("ends in .prom"));
  EXPECT_THAT(Run({"--textfile", directory_ + "/none/runclad.prom"}).err,
              HasSubstr("needs a directory that exists"));
}

TEST_F(Metrics, SaysThatThePolicyCannotBeUsed) {
  Policy(R"({"extends": )");
  const auto run = Run();
  EXPECT_EQ(run.status, 1);
  EXPECT_EQ(ValueOf("runclad_policy_usable", run.out), 0);
  EXPECT_EQ(ValueOf("runclad_log_counted", run.out), 0) << "which log is not known";
  EXPECT_THAT(run.out, HasSubstr("\n# "));
}

}  // namespace
}  // namespace runclad::ctl::metrics_test
