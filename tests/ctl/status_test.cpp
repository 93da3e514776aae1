#include <unistd.h>

#include <cstdint>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/base/time.hpp"

#include "program.hpp"

namespace runclad::ctl::status_test {
namespace {

namespace fs = std::filesystem;

// A directory with a policy that logs to audit.jsonl beside it; empty if it cannot be made.
std::string MakeHost() {
  std::string directory = "/var/tmp/runclad-status.XXXXXX";
  if (::mkdtemp(directory.data()) == nullptr) return {};
  std::ofstream(directory + "/policy.json")
      << R"({"extends": "baseline", "log": {"target": "file:)" + directory + R"(/audit.jsonl"}})"
      << "\n";
  return directory;
}

TEST(Status, CountsWhatWasDecidedTodayInRotatedFilesToo) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can see what status looks at";
  const std::string directory = MakeHost();
  ASSERT_FALSE(directory.empty());
  const std::string log = directory + "/audit.jsonl";
  const std::string today = FormatDay(::time(nullptr));
  const auto line = [](const std::string& day, const std::string& outcome,
                       const std::string& action) {
    return R"({"time": ")" + day + R"(T00:00:01Z", "name": "web", "outcome": ")" + outcome +
           R"(", "findings": [{"rule": "host-mounts", "action": ")" + action + R"("}]})" + "\n";
  };
  std::ofstream(log + ".1") << line(today, "refused", "refused");
  std::ofstream(log) << line("2020-01-01", "refused", "refused")
                     << line(today, "unchanged", "warned") << line(today, "refused", "refused")
                     << "torn\n"
                     << R"({"time": ")" + today +
                            R"(T00:00:02Z", "outcome": "rewritten", "repeats": {"count": 41}})" +
                            "\n";
  const auto result = Runcladctl({"status", "--json", "--config", directory});
  ASSERT_EQ(result.status, 0) << result.err;
  const auto status = result.json();
  EXPECT_EQ(status["today"]["outcomes"]["refused"], 2);
  EXPECT_EQ(status["today"]["outcomes"]["unchanged"], 1);
  EXPECT_EQ(status["today"]["outcomes"]["rewritten"], 41);
  EXPECT_EQ(status["today"]["warned"], 1);
  EXPECT_EQ(status["today"]["refusals"][0], "web: host-mounts");
  EXPECT_EQ(status["policy"]["mode"], "enforce");
  const auto text = Runcladctl({"status", "--config", directory}).out;
  EXPECT_THAT(text, ::testing::HasSubstr("2 refused; 41 rewritten; 1 unchanged; 1 let pass with"));
  fs::remove_all(directory);
}

TEST(Status, SaysThatItReadOnlyThePartOfALogThatIsTooLarge) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root can see what status looks at";
  const std::string directory = MakeHost();
  ASSERT_FALSE(directory.empty());
  const std::string log = directory + "/audit.jsonl";
  const std::string line =
      R"({"time": ")" + FormatDay(::time(nullptr)) + R"(T00:00:01Z", "outcome": "refused"})" + "\n";
  constexpr std::uint64_t kTooMuch = std::uint64_t{801} << 20;
  std::ofstream(log + ".1") << line;
  std::ofstream(log) << line;
  fs::resize_file(log, kTooMuch);  // a hole, which is a line that is torn
  std::ofstream(log, std::ios::app) << "\n" << line << line;
  const auto result = Runcladctl({"status", "--json", "--config", directory});
  fs::remove_all(directory);
  ASSERT_EQ(result.status, 0) << result.err;
  const auto status = result.json();
  EXPECT_EQ(status["today"]["outcomes"].value("refused", 0), 2);
  EXPECT_THAT(status["log"]["faults"].dump(),
              ::testing::HasSubstr("only a part of the log was read"));
}

}  // namespace
}  // namespace runclad::ctl::status_test
