#include "runclad/store/trials.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/base/unique_fd.hpp"

namespace runclad::store::trials_test {
namespace {

using ::testing::HasSubstr;

class Trials : public ::testing::Test {
 protected:
  Trials() {
    std::string name = std::filesystem::canonical(::testing::TempDir()) / "trials.XXXXXX";
    if (::mkdtemp(name.data()) != nullptr) directory_ = name;
  }
  ~Trials() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string PathOf(const std::string& id) const { return directory_ + "/" + id; }
  void MakeTrial(const std::string& id) const {
    std::filesystem::create_directories(PathOf(id) + "/policy.d");
    std::ofstream(PathOf(id) + "/" + kTrialDropIn) << "{}";
  }

  std::string directory_;
  const std::string id_ = std::string(60, 'a') + "09f1";
};

TEST_F(Trials, AreFoundByTheWholeId) {
  MakeTrial(id_);
  const auto found = FindTrial(id_, directory_);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, PathOf(id_));
  const auto other = FindTrial(std::string(64, 'b'), directory_);
  ASSERT_TRUE(other);
  EXPECT_FALSE(*other);
}

// An id that a client of containerd chose.
TEST_F(Trials, AreOnlyOfIdsThatEnginesDraw) {
  for (const std::string& id : {std::string("web"), std::string(".."), std::string(),
                                std::string(63, 'a'), std::string(65, 'a'), std::string(64, 'A'),
                                std::string(63, 'a') + "g", std::string(63, 'a') + "/"}) {
    EXPECT_FALSE(CanBeOnTrial(id)) << id;
    MakeTrial(id);
    const auto found = FindTrial(id, directory_);
    ASSERT_TRUE(found) << id;
    EXPECT_FALSE(*found) << id;
  }
}

TEST_F(Trials, AreAbandonedIfNoLearnerHasTheLock) {
  MakeTrial(id_);
  // The next learner removes the containers of abandoned trials: of a directory alone it must not.
  std::filesystem::create_directories(PathOf(std::string(64, 'd')) + "/" + kTrialDropIn);
  EXPECT_THAT(AbandonedTrials(directory_), ::testing::ElementsAre(id_));
  std::filesystem::create_directory(directory_ + "/" + std::string(64, 'c') + ".new");
  EXPECT_THAT(AbandonedTrials(directory_), ::testing::ElementsAre(id_));
  const UniqueFd learner(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(learner.get(), LOCK_EX | LOCK_NB), 0);
  EXPECT_THAT(AbandonedTrials(directory_), ::testing::IsEmpty());
  EXPECT_THAT(AbandonedTrials(directory_ + "/none"), ::testing::IsEmpty());
}

// A user of dockerd can have a directory made at any path, and so lift the host's policy for any
// container.
TEST_F(Trials, AreNotDirectories) {
  for (const char* below : {"", "/policy.d", "/policy.d/~learn.json", "/policy.d/~learn.json/x"}) {
    std::filesystem::create_directories(PathOf(id_) + below);
    const auto found = FindTrial(id_, directory_);
    ASSERT_TRUE(found) << below;
    EXPECT_FALSE(*found) << below;
  }
  // As dockerd makes them with users of its own: no reason to stop somebody's container.
  ASSERT_EQ(::chmod(PathOf(id_).c_str(), 0777), 0);
  EXPECT_TRUE(FindTrial(id_, directory_));
}

TEST_F(Trials, OfOthersThanRootAreErrors) {
  MakeTrial(id_);
  ASSERT_EQ(::chmod(PathOf(id_).c_str(), 0777), 0);
  const auto open = FindTrial(id_, directory_);
  ASSERT_FALSE(open);
  EXPECT_THAT(open.error().message, HasSubstr("could have been made by others than root"));
  std::filesystem::remove_all(PathOf(id_));
  std::ofstream(PathOf(id_)) << "{}";
  const auto file = FindTrial(id_, directory_);
  ASSERT_FALSE(file);
  EXPECT_THAT(file.error().message, HasSubstr("is not a directory"));
  std::filesystem::remove(PathOf(id_));
  std::filesystem::create_directory_symlink("/etc", PathOf(id_));
  EXPECT_FALSE(FindTrial(id_, directory_));
}

}  // namespace
}  // namespace runclad::store::trials_test
