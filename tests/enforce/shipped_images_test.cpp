// The image files that are shipped: each is found by its own name, read without a fault, and grants
// what it says, for a tag is worth no more than Docker's default container.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/policy/effective.hpp"
#include "runclad/rules/rule.hpp"

#include "../parameter_values.hpp"
#include "test_paths.hpp"

namespace runclad::enforce::shipped_images_test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::string_view kImages = RUNCLAD_SOURCE_DIR "/profiles/images";

class ShippedImages : public ::testing::Test {
 protected:
  ShippedImages() {
    std::string name = fs::canonical(::testing::TempDir()) / "runclad-shipped-XXXXXX";
    base_ = mkdtemp(name.data());
    fs::create_directories(base_ / "etc");
    // A checkout may belong to anybody.
    for (const auto& entry : fs::recursive_directory_iterator(kImages)) {
      if (!entry.is_regular_file()) continue;
      const std::string relative = fs::relative(entry.path(), kImages);
      const fs::path copy = base_ / "shipped/images" / relative;
      fs::create_directories(copy.parent_path());
      std::ifstream file(entry.path());
      texts_[relative] = std::string(std::istreambuf_iterator<char>(file), {});
      std::ofstream(copy) << texts_[relative];
      EXPECT_EQ(chmod(copy.c_str(), 0644), 0);
    }
  }
  ~ShippedImages() override { fs::remove_all(base_); }
  ShippedImages(const ShippedImages&) = delete;
  ShippedImages& operator=(const ShippedImages&) = delete;
  ShippedImages(ShippedImages&&) = delete;
  ShippedImages& operator=(ShippedImages&&) = delete;

  // The policy of a container whose image is known by this name only.
  [[nodiscard]] Result<policy::Effective> LoadFor(const std::string& name) const {
    engine::Identity identity;
    identity.config_digest = "sha256:" + std::string(64, 'c');
    identity.names.push_back({*engine::ParseReference(name), engine::Tier::kTag});
    const std::string shipped = base_ / "shipped";
    return policy::Load(base_ / "etc", rules::Schemas(),
                        {.identity = &identity, .shipped_directory = shipped});
  }

  fs::path base_;
  std::map<std::string, std::string> texts_;  // by path: "docker.io/library/nginx.json"
};

TEST_F(ShippedImages, AreValid) {
  EXPECT_GE(texts_.size(), 30U);
  for (const auto& [path, text] : texts_) {
    for (const policy::Fault& fault :
         policy::FindFaults(text, policy::FileKind::kImage, rules::Schemas())) {
      ADD_FAILURE() << path << ":" << fault.line << ": " << fault.message;
    }
  }
}

TEST_F(ShippedImages, AreFoundByNameAndApplyInFull) {
  for (const auto& [path, text] : texts_) {
    const std::string name = path.substr(0, path.size() - std::string_view(".json").size());
    const auto policy = LoadFor(name + ":latest");
    ASSERT_TRUE(policy) << path << ": " << policy.error().message;
    EXPECT_THAT(policy->image.names, ElementsAre(name + ":latest"));
    EXPECT_EQ(policy->image.files.size(), 1U) << path;
    for (const policy::Cut& cut : policy->cuts) {
      ADD_FAILURE() << path << ": " << cut.parameter << " " << cut.value << " " << cut.because;
    }
  }
}

TEST_F(ShippedImages, ReplaceTheProfilesCapabilities) {
  const auto nginx = LoadFor("docker.io/library/nginx:1.27");
  ASSERT_TRUE(nginx) << nginx.error().message;
  EXPECT_THAT(policy::StringsOf(nginx->rule("capabilities").parameters, "allow"),
              ElementsAre("CAP_CHOWN", "CAP_NET_BIND_SERVICE", "CAP_SETGID", "CAP_SETUID"));
  EXPECT_THAT(policy::StringsOf(nginx->rule("read-only-rootfs").parameters, "writable"),
              ElementsAre("/var/cache/nginx"));
  const auto memcached = LoadFor("docker.io/library/memcached:1");
  ASSERT_TRUE(memcached) << memcached.error().message;
  EXPECT_THAT(policy::StringsOf(memcached->rule("capabilities").parameters, "allow"), IsEmpty());
}

}  // namespace
}  // namespace runclad::enforce::shipped_images_test
