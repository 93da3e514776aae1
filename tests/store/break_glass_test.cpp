#include "runclad/store/break_glass.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace runclad::store::break_glass_test {
namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::minutes;
using ::testing::HasSubstr;

class BreakGlassSwitch : public ::testing::Test {
 protected:
  BreakGlassSwitch() {
    std::string pattern = ::testing::TempDir() + "/break-glass-XXXXXX";
    directory_ = fs::canonical(::mkdtemp(pattern.data()));
    path_ = directory_ / "switch.json";
  }
  ~BreakGlassSwitch() override { fs::remove_all(directory_); }

  void Start(std::chrono::seconds time = hours(1)) const {
    const auto started = StartBreakGlass(time, "INC-1", "alice", path_);
    ASSERT_TRUE(started) << started.error().message;
  }
  // Changes the file as root could.
  void Change(const std::function<void(nlohmann::json&)>& change) const {
    std::ifstream in(path_);
    nlohmann::json document = nlohmann::json::parse(in);
    change(document);
    std::ofstream(path_) << document.dump();
  }
  [[nodiscard]] bool IsOn() const {
    const auto found = FindBreakGlass(path_);
    return found && found->has_value();
  }
  [[nodiscard]] std::string Fault() const {
    const auto found = FindBreakGlass(path_);
    return found ? "" : found.error().message;
  }

  fs::path directory_;
  std::string path_;
};

TEST_F(BreakGlassSwitch, IsOnForItsTimeAndSaysWhyAndByWhom) {
  EXPECT_FALSE(IsOn());
  EXPECT_EQ(Fault(), "");
  Start();
  const auto found = FindBreakGlass(path_);
  ASSERT_TRUE(found && found->has_value());
  EXPECT_EQ((*found)->reason, "INC-1");
  EXPECT_EQ((*found)->by, "alice");
  EXPECT_GT((*found)->left, minutes(59));
  EXPECT_LE((*found)->left, hours(1));
  EXPECT_TRUE(*EndBreakGlass(path_));
  EXPECT_FALSE(IsOn());
  EXPECT_FALSE(*EndBreakGlass(path_));
}

TEST_F(BreakGlassSwitch, IsForAtMostADayAndHasAReason) {
  EXPECT_FALSE(StartBreakGlass(hours(25), "INC-1", "alice", path_));
  EXPECT_FALSE(StartBreakGlass(std::chrono::seconds(0), "INC-1", "alice", path_));
  EXPECT_FALSE(StartBreakGlass(hours(1), "", "alice", path_));
  Start(hours(24));
  Change([](nlohmann::json& file) { file["to"] = file["from"].get<std::uint64_t>() + 86401; });
  EXPECT_THAT(Fault(), HasSubstr("longer than 24 hours"));
}

// Whatever the clock says: it counts the time since boot.
TEST_F(BreakGlassSwitch, ExpiresByTheTimeSinceBoot) {
  Start();
  Change([](nlohmann::json& file) { file["until"] = "2999-01-01T00:00:00Z"; });
  EXPECT_TRUE(IsOn());
  Change([](nlohmann::json& file) { file["to"] = file["from"]; });
  EXPECT_FALSE(IsOn());
  EXPECT_EQ(Fault(), "");
}

TEST_F(BreakGlassSwitch, EndsWithTheBoot) {
  Start();
  Change([](nlohmann::json& file) { file["boot"] = "00000000-0000-0000-0000-000000000000"; });
  EXPECT_FALSE(IsOn());
  Start();
  Change([](nlohmann::json& file) {
    file["from"] = file["from"].get<std::uint64_t>() + 100;
    file["to"] = file["to"].get<std::uint64_t>() + 100;
  });
  EXPECT_FALSE(IsOn()) << "it has not begun";
}

TEST_F(BreakGlassSwitch, IsOffIfOthersThanRootCouldHaveCreatedIt) {
  Start();
  ::chmod(path_.c_str(), 0666);
  EXPECT_THAT(Fault(), HasSubstr("writable by others"));
  Start();
  ::chmod(directory_.c_str(), 0777);
  EXPECT_THAT(Fault(), HasSubstr("in a directory of others"));
  ::chmod(directory_.c_str(), 0700);
  fs::rename(path_, directory_ / "other");
  fs::create_symlink(directory_ / "other", path_);
  EXPECT_THAT(Fault(), HasSubstr("cannot be opened"));
  fs::remove(path_);
  std::ofstream(path_) << "{}";
  EXPECT_THAT(Fault(), HasSubstr("lacks a member"));
}

}  // namespace
}  // namespace runclad::store::break_glass_test
