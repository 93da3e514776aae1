// Which files are believed.
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../parameter_values.hpp"
#include "test_rules.hpp"

namespace runclad::policy::load_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class PolicyDirectory : public ::testing::Test {
 protected:
  PolicyDirectory() {
    std::string name = fs::canonical(::testing::TempDir()) / "runclad-policy-XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~PolicyDirectory() override { fs::remove_all(directory_); }
  PolicyDirectory(const PolicyDirectory&) = delete;
  PolicyDirectory& operator=(const PolicyDirectory&) = delete;
  PolicyDirectory(PolicyDirectory&&) = delete;
  PolicyDirectory& operator=(PolicyDirectory&&) = delete;

  [[nodiscard]] fs::path File() const { return directory_ / "policy.json"; }
  void Write(const std::string& text) const {
    std::ofstream(File()) << text;
    ASSERT_EQ(chmod(File().c_str(), 0644), 0);
  }
  [[nodiscard]] Result<Effective> LoadIt(bool must_exist = false) const {
    return Load(directory_, kRules, {.directory_must_exist = must_exist, .profile = TestProfile});
  }
  [[nodiscard]] std::string Fault() const {
    const auto policy = LoadIt();
    return policy ? "(none)" : policy.error().message;
  }
  [[nodiscard]] std::string Name() const { return directory_.string(); }

  fs::path directory_;
};

TEST_F(PolicyDirectory, IsRead) {
  Write(R"({"extends": "baseline"})");
  const auto policy = LoadIt(/*must_exist=*/true);
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->profile, "baseline");
}

TEST_F(PolicyDirectory, TheRevisionThatWasAppliedIsReadInPlaceOfTheFiles) {
  Write("{ broken");
  const fs::path revision = directory_ / "policies/7/policy";
  fs::create_directories(revision);
  std::ofstream(revision / "policy.json") << R"({"extends": "baseline"})";
  fs::create_symlink(revision, directory_ / "applied");
  const auto policy = LoadIt();
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->profile, "baseline");
  EXPECT_EQ(policy->directory, revision.string());
  EXPECT_FALSE(Load(directory_, kRules, {.ignores_applied = true, .profile = TestProfile}));

  // Without it, the files are not what was put in force.
  Write(R"({"extends": "baseline"})");
  fs::remove_all(revision);
  EXPECT_THAT(Fault(), HasSubstr("does not exist"));
}

TEST_F(PolicyDirectory, ARevisionThatBreaksFallsBackToItsCopyIfConfigured) {
  for (const char* name : {"policy", "copy"}) {
    fs::create_directories(directory_ / "7" / name);
    std::ofstream(directory_ / "7" / name / "policy.json") << R"({"extends": "baseline"})";
  }
  fs::create_symlink(directory_ / "7/policy", directory_ / "applied");
  ASSERT_TRUE(LoadIt());
  EXPECT_EQ(LoadIt()->fell_back_because, "");
  std::ofstream(directory_ / "7/policy/policy.json") << "{ broken";
  const auto policy = LoadIt();
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->profile, "baseline");
  EXPECT_EQ(policy->directory, Name() + "/7/copy");
  EXPECT_THAT(policy->fell_back_because, HasSubstr("7/policy/policy.json line 1"));
  // The copy must be as good as anything that is read.
  chmod((directory_ / "7/copy/policy.json").c_str(), 0666);
  EXPECT_THAT(Fault(), HasSubstr("7/policy/policy.json line 1"));
  fs::remove_all(directory_ / "7/copy");
  EXPECT_THAT(Fault(), HasSubstr("7/policy/policy.json line 1"));
}

// Judged by the engine's own path on disk, which the identity holds.
TEST_F(PolicyDirectory, NamesTheProfileForBuilds) {
  const auto profile_of = [&](engine::Engine engine) {
    engine::Identity identity;
    identity.engine = engine;
    const auto policy = Load(directory_, kRules, {.identity = &identity, .profile = TestProfile});
    return policy ? policy->profile : policy.error().message;
  };
  Write(R"({"extends": "baseline"})");
  EXPECT_EQ(profile_of(engine::Engine::kBuildkit), "baseline") << "what it says for all";
  Write(R"({"extends": "baseline", "builds": "build"})");
  EXPECT_EQ(profile_of(engine::Engine::kBuildkit), "build");
  EXPECT_EQ(profile_of(engine::Engine::kDocker), "baseline");
  EXPECT_EQ(profile_of(engine::Engine::kUnknown), "baseline");
  EXPECT_EQ(LoadIt()->profile, "baseline") << "for nobody in particular";
  EXPECT_EQ(LoadIt()->builds, "build");
  Write(R"({"builds": "build", "rules": {"pids-limit": {"action": "fix"}}})");
  engine::Identity builder;
  builder.engine = engine::Engine::kBuildkit;
  const auto policy = Load(directory_, kRules, {.identity = &builder, .profile = TestProfile});
  EXPECT_EQ(policy->rule("pids-limit").action, Action::kFix) << "the host's rules are for all";
  Write("{\n\"builds\": \"biuld\"}");
  EXPECT_EQ(Fault(), "policy " + Name() +
                         "/policy.json line 2: unknown profile \"biuld\"; did you mean "
                         "\"build\"?");
}

TEST_F(PolicyDirectory, WithoutAFileMeansTheCompiledInDefault) {
  const auto policy = LoadIt(/*must_exist=*/true);
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->profile, "restricted");
  EXPECT_EQ(IntegerOf(policy->rule("pids-limit").parameters, "default"), 2048);
}

TEST_F(PolicyDirectory, AbsentMeansTheCompiledInDefaultUnlessNamed) {
  fs::remove(directory_);
  EXPECT_TRUE(LoadIt(/*must_exist=*/false));
  const auto policy = LoadIt(/*must_exist=*/true);
  ASSERT_FALSE(policy);
  EXPECT_EQ(policy.error().message, "policy: " + Name() + " cannot be opened (ENOENT)");
}

TEST_F(PolicyDirectory, ErrorsNameTheFile) {
  Write("{\n\"mode\": \"adit\"}");
  EXPECT_EQ(Fault(), "policy " + Name() +
                         "/policy.json line 2: \"mode\" is enforce or audit, not \"adit\"; did "
                         "you mean \"audit\"?");
}

TEST_F(PolicyDirectory, RefusesAnEmptyFile) {
  Write("");
  EXPECT_THAT(Fault(), HasSubstr("policy.json line 1, column 1: not JSON"));
}

TEST_F(PolicyDirectory, RefusesAFileThatOthersCanWrite) {
  for (const mode_t mode : {0664U, 0646U}) {
    Write("{}");
    ASSERT_EQ(chmod(File().c_str(), mode), 0);
    EXPECT_EQ(Fault(), "policy " + Name() + ": policy.json is writable by others than its owner");
  }
}

TEST_F(PolicyDirectory, RefusesADirectoryThatOthersCanWrite) {
  Write("{}");
  ASSERT_EQ(chmod(directory_.c_str(), 0775), 0);
  EXPECT_EQ(Fault(), "policy " + Name() + " is writable by others than its owner");
}

TEST_F(PolicyDirectory, RefusesAnEmptyDirectoryThatOthersCanWrite) {
  ASSERT_EQ(chmod(directory_.c_str(), 0777), 0);
  EXPECT_EQ(Fault(), "policy " + Name() + " is writable by others than its owner");
}

TEST_F(PolicyDirectory, RefusesOtherOwners) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root to give files away";
  Write("{}");
  ASSERT_EQ(chown(File().c_str(), 12345, 0), 0);
  EXPECT_EQ(Fault(), "policy " + Name() + ": policy.json is owned by uid 12345, not by root");
  ASSERT_EQ(chown(directory_.c_str(), 12345, 0), 0);
  EXPECT_EQ(Fault(), "policy " + Name() + " is owned by uid 12345, not by root");
}

TEST_F(PolicyDirectory, DoesNotFollowLinks) {
  std::ofstream(directory_ / "real.json") << "{}";
  fs::create_symlink("real.json", File());
  EXPECT_EQ(Fault(), "policy " + Name() + ": policy.json cannot be opened (ELOOP)");
}

TEST_F(PolicyDirectory, ADanglingLinkToAFileIsAnError) {
  fs::create_symlink("nowhere.json", File());
  EXPECT_EQ(Fault(), "policy " + Name() + ": policy.json cannot be opened (ELOOP)");
}

TEST_F(PolicyDirectory, ADanglingLinkToADirectoryIsAnError) {
  fs::remove(directory_);
  fs::create_symlink("nowhere", directory_);
  EXPECT_EQ(Fault(), "policy: " + Name() + " cannot be opened (ELOOP)");
}

TEST_F(PolicyDirectory, AFileInPlaceOfTheDirectoryIsAnError) {
  fs::remove(directory_);
  std::ofstream(directory_) << "{}";
  EXPECT_EQ(Fault(), "policy: " + Name() + " cannot be opened (ENOTDIR)");
}

// A user of dockerd can have directories made at any path.
TEST_F(PolicyDirectory, ADirectoryIsNoDropIn) {
  Write(R"({"mode": "audit"})");
  fs::create_directories(directory_ / "policy.d/99.json/inside");
  const auto policy = LoadIt();
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy->mode, Mode::kAudit);
  fs::remove(File());
  fs::create_directories(File() / "inside");
  EXPECT_EQ(Fault(), "policy " + Name() + ": policy.json: not a regular file");
}

TEST_F(PolicyDirectory, RefusesAFifoWithoutBlocking) {
  ASSERT_EQ(mkfifo(File().c_str(), 0644), 0);
  EXPECT_EQ(Fault(), "policy " + Name() + ": policy.json: not a regular file");
}

TEST_F(PolicyDirectory, RefusesAFileLargerThanAMebibyte) {
  Write("{}" + std::string((1 << 20) - 2, ' '));
  EXPECT_EQ(Fault(), "(none)");
  Write("{}" + std::string((1 << 20) - 1, ' '));
  EXPECT_EQ(Fault(), "policy " + Name() + ": policy.json: larger than the 1048576 bytes allowed");
}

}  // namespace
}  // namespace runclad::policy::load_test
