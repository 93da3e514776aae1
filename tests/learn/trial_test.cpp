// The lock that only one learner has.
#include "learn/trial.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::learn::trial_test {
namespace {

// Doctor looks whether a learner has it, and has it locked itself meanwhile.
TEST(LockTrials, WaitsForReaders) {
  std::string name = std::filesystem::canonical(::testing::TempDir()) / "trials.XXXXXX";
  ASSERT_NE(::mkdtemp(name.data()), nullptr);
  const std::string directory = name + "/trials";
  ASSERT_TRUE(LockTrials(directory));  // made, and unlocked again
  UniqueFd doctor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  ASSERT_EQ(::flock(doctor.get(), LOCK_SH), 0);
  std::thread ends([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    doctor = UniqueFd();
  });
  const auto lock = LockTrials(directory);
  ends.join();
  ASSERT_TRUE(lock) << lock.error().message;
  const auto second = LockTrials(directory);
  ASSERT_FALSE(second);
  EXPECT_THAT(second.error().message, ::testing::HasSubstr("another runcladctl learn is running"));
  std::filesystem::remove_all(name);
}

}  // namespace
}  // namespace runclad::learn::trial_test
