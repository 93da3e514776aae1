// What the most favoured container gets, whichever file it is in.
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../parameter_values.hpp"
#include "test_rules.hpp"

namespace runclad::policy::loosest_test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::array<std::string_view, 1> kWanted = {"host-mounts"};

class LoosestPolicy : public ::testing::Test {
 protected:
  LoosestPolicy() {
    std::string name = fs::canonical(::testing::TempDir()) / "runclad-loosest-XXXXXX";
    base_ = mkdtemp(name.data());
    fs::create_directories(base_ / "etc");
    fs::create_directories(base_ / "shipped");
  }
  ~LoosestPolicy() override { fs::remove_all(base_); }
  LoosestPolicy(const LoosestPolicy&) = delete;
  LoosestPolicy& operator=(const LoosestPolicy&) = delete;
  LoosestPolicy(LoosestPolicy&&) = delete;
  LoosestPolicy& operator=(LoosestPolicy&&) = delete;

  // `path` below etc/ or shipped/.
  void Write(const std::string& path, const std::string& text) const {
    const fs::path file = base_ / path;
    fs::create_directories(file.parent_path());
    std::ofstream(file) << text;
    ASSERT_EQ(chmod(file.c_str(), 0644), 0);
  }
  void WriteMounts(const std::string& path, const std::string& mounts) const {
    Write(path, R"({"rules": {"host-mounts": )" + mounts + "}}");
  }
  [[nodiscard]] Effective Loosest() const {
    const std::string shipped = base_ / "shipped";
    const auto policy = LoadLoosest(base_ / "etc", kRules, kWanted,
                                    {.shipped_directory = shipped, .profile = TestProfile});
    EXPECT_TRUE(policy) << policy.error().message;
    return policy ? *policy : Effective();
  }
  [[nodiscard]] std::vector<std::string> Listed(std::string_view parameter) const {
    return StringsOf(Loosest().rule("host-mounts").parameters, parameter);
  }

  fs::path base_;
};

TEST_F(LoosestPolicy, IsTheHostPolicyIfNoFileGrantsMore) {
  EXPECT_THAT(Listed("allow"), ElementsAre("/srv/shared"));
  EXPECT_THAT(Listed("deny"), ElementsAre("/etc", "/run"));
}

TEST_F(LoosestPolicy, HasTheListsOfEveryKindOfFile) {
  WriteMounts("etc/policy.d/10.json", R"({"allow": ["/host"]})");
  WriteMounts("etc/images/docker.io/library/nginx.json", R"({"allow": ["/image"]})");
  WriteMounts("etc/images/docker.io/_default.json", R"({"allow": ["/shared"]})");
  WriteMounts("etc/digests/sha256/" + std::string(64, 'a') + ".json", R"({"allow": ["/digest"]})");
  WriteMounts("etc/pods/web.json", R"({"allow": ["/pod"]})");
  WriteMounts("shipped/images/docker.io/library/redis.json", R"({"allow": ["/shipped"]})");
  Write("etc/images/docker.io/library/tagged.json",
        R"({"tags": {"1": {"rules": {"host-mounts": {"allow": ["/tag"]}}}}})");
  Write("etc/images/docker.io/library/escaped.json",
        R"({"rules": {"host\u002dmounts": {"allow": ["/escaped"]}}})");
  EXPECT_THAT(Listed("allow"),
              ::testing::UnorderedElementsAre("/host", "/image", "/shared", "/digest", "/pod",
                                              "/shipped", "/tag", "/escaped"));
}

TEST_F(LoosestPolicy, HasWhatWaiversLift) {
  Write("etc/images/docker.io/library/nginx.json", R"({"waivers": [
    {"rule": "host-mounts", "reason": "logs", "allow": ["/waived"], "deny": ["/etc"],
     "expires": "2001-01-01"}]})");
  EXPECT_THAT(Listed("allow"), ElementsAre("/srv/shared", "/waived"));
  EXPECT_THAT(Listed("deny"), ElementsAre("/run"));
}

TEST_F(LoosestPolicy, IgnoresWhatAnImageIsDenied) {
  WriteMounts("etc/images/docker.io/library/nginx.json", R"({"deny": ["/srv"], "allow": []})");
  EXPECT_THAT(Listed("deny"), ElementsAre("/etc", "/run"));
  EXPECT_THAT(Listed("allow"), ElementsAre("/srv/shared"));
}

TEST_F(LoosestPolicy, IncludesWhatABuildGets) {
  Write("etc/policy.json", R"({"builds": "build"})");
  EXPECT_THAT(Listed("deny"), IsEmpty());
  EXPECT_THAT(Listed("allow"), ElementsAre("/srv/shared"));
}

TEST_F(LoosestPolicy, LeavesTheOtherRulesAndTheActionsAlone) {
  Write("etc/policy.json", R"({"builds": "build"})");
  Write("etc/images/docker.io/library/nginx.json", R"({"rules": {"pids-limit": {"default": 4096}},
    "waivers": [{"rule": "host-mounts", "reason": "test", "action": "off"}]})");
  const Effective policy = Loosest();
  EXPECT_EQ(policy.rule("host-mounts").action, Action::kRefuse);
  EXPECT_EQ(IntegerOf(policy.rule("pids-limit").parameters, "default"), 2048);
}

// Its containers are not created, and all others are.
TEST_F(LoosestPolicy, AFileThatCannotBeReadGrantsNothing) {
  Write("etc/images/docker.io/library/nginx.json", R"({"rules": {"host-mounts": )");
  EXPECT_THAT(Listed("allow"), ElementsAre("/srv/shared"));
}

}  // namespace
}  // namespace runclad::policy::loosest_test
