#include "runclad/enforce/repeats.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/base/unique_fd.hpp"

namespace runclad::enforce::repeats_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class Repeats : public ::testing::Test {
 protected:
  // A decision at `now`; what is written of it is added to `lines_`.
  Status Decide(const std::string& key, std::int64_t now) {
    return CountOrLog(
        file_.get(), key, now,
        [&] {
          ++made_;
          return R"({"findings":[",\"schemaVersion\":"],"key":")" + key +
                 R"(","schemaVersion":1,"time":"T)" + std::to_string(now) + R"(","verb":"exec"})";
        },
        [&](const std::string& line) -> Status {
          if (fails_) return Error{"the log is full"};
          lines_.push_back(line);
          return {};
        });
  }

  UniqueFd file_{::memfd_create("repeats", MFD_CLOEXEC)};
  std::vector<std::string> lines_;
  int made_ = 0;
  bool fails_ = false;
};

std::string Line(const std::string& key, const std::string& repeats, const std::string& time) {
  return R"({"findings":[",\"schemaVersion\":"],"key":")" + key + '"' + repeats +
         R"(,"schemaVersion":1,"time":")" + time + R"(","verb":"exec"})";
}

TEST_F(Repeats, FirstHasItsLineAndTheRestACount) {
  for (std::int64_t now = 100; now < 150; now += 10) ASSERT_TRUE(Decide("a", now));
  EXPECT_THAT(lines_, ElementsAre(Line("a", "", "T100")));
  EXPECT_EQ(made_, 1) << "a line that is not written must not be made";
  EXPECT_EQ(TakeRepeats(file_.get()),
            Line("a",
                 R"(,"repeats":{"count":4,"first":"1970-01-01T00:01:50Z",)"
                 R"("last":"1970-01-01T00:02:20Z"})",
                 "1970-01-01T00:02:20Z"));
  EXPECT_EQ(TakeRepeats(file_.get()), "") << "it was taken before";
}

// What an earlier version left is not read as something else: the next decision has its line.
TEST_F(Repeats, FileOfAnotherVersionIsNotRead) {
  for (const std::int64_t now : {1, 2}) ASSERT_TRUE(Decide("a", now));
  ASSERT_EQ(lines_.size(), 1U);
  ASSERT_EQ(::pwrite(file_.get(), "3\n", 2, 0), 2);
  EXPECT_EQ(TakeRepeats(file_.get()), "");
  ASSERT_TRUE(Decide("a", 3));
  EXPECT_THAT(lines_, ElementsAre(Line("a", "", "T1"), Line("a", "", "T3")));
}

TEST_F(Repeats, CountIsLoggedBeforeTheNextDecisionThatDiffers) {
  for (const std::int64_t now : {1, 2, 3}) ASSERT_TRUE(Decide("a", now));
  ASSERT_TRUE(Decide("b", 4));
  ASSERT_EQ(lines_.size(), 3U);
  EXPECT_THAT(lines_[1], HasSubstr(R"("repeats":{"count":2,)"));
  EXPECT_THAT(lines_[2], HasSubstr(R"("key":"b")"));
}

TEST_F(Repeats, LongSeriesHasALineEveryQuarterOfAnHour) {
  for (std::int64_t now = 0; now < 3600; now += 10) ASSERT_TRUE(Decide("a", now));
  // No decision is in two lines.
  std::size_t counted = 0;
  std::size_t logged = 0;
  for (const std::string& line : lines_) {
    const auto at = line.find("\"count\":");
    if (at == std::string::npos) {
      ++logged;
    } else {
      counted += std::stoul(line.substr(at + 8));
    }
  }
  EXPECT_EQ(logged, 1U);
  EXPECT_EQ(counted, 3U * 90) << "of 360, the last 89 are not logged yet";
}

TEST_F(Repeats, FailedWriteCountsNothing) {
  fails_ = true;
  EXPECT_FALSE(Decide("a", 1));
  fails_ = false;
  ASSERT_TRUE(Decide("a", 2));
  EXPECT_EQ(lines_.size(), 1U) << "the first line was never written";
}

TEST_F(Repeats, ClockThatIsSetBackHidesNothing) {
  ASSERT_TRUE(Decide("a", 5000));
  ASSERT_TRUE(Decide("a", 10));
  EXPECT_EQ(lines_.size(), 2U);
}

TEST_F(Repeats, WithoutAFileOrWithADamagedOneEachHasItsLine) {
  ASSERT_TRUE(Decide("a", 1));
  ASSERT_EQ(::ftruncate(file_.get(), 10), 0);
  ASSERT_TRUE(Decide("a", 2));
  EXPECT_EQ(lines_.size(), 2U);
  file_ = UniqueFd();
  ASSERT_TRUE(Decide("a", 3));
  EXPECT_EQ(lines_.size(), 3U);
  EXPECT_EQ(TakeRepeats(-1), "");
}

TEST_F(Repeats, KeyTooLongToKeepIsNotCounted) {
  const std::string key(300 << 10, 'k');
  ASSERT_TRUE(Decide(key, 1));
  ASSERT_TRUE(Decide(key, 2));
  EXPECT_EQ(lines_.size(), 2U);
}

}  // namespace
}  // namespace runclad::enforce::repeats_test
