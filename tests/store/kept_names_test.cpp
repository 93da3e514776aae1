#include "runclad/store/kept_names.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>

#include <gtest/gtest.h>

namespace runclad::store::kept_names_test {
namespace {

namespace fs = std::filesystem;
using engine::Tier;

const std::string kDigest = "sha256:" + std::string(64, 'a');
const std::string kOther = "sha256:" + std::string(64, 'b');

class KeptNames : public ::testing::Test {
 protected:
  KeptNames() {
    std::string name = fs::canonical(::testing::TempDir()) / "runclad-names-XXXXXX";
    base_ = mkdtemp(name.data());
    state_ = base_ / "state";
    layout_.engine = engine::Engine::kDocker;
    layout_.id = "abc";
    layout_.data_root = base_ / "docker";
    fs::create_directories(base_ / "docker/containers/abc");
  }
  ~KeptNames() override { fs::remove_all(base_); }
  KeptNames(const KeptNames&) = delete;
  KeptNames& operator=(const KeptNames&) = delete;
  KeptNames(KeptNames&&) = delete;
  KeptNames& operator=(KeptNames&&) = delete;

  static engine::ImageName Name(const std::string& text, Tier tier = Tier::kTag) {
    return {*engine::ParseReference(text), tier};
  }
  void Keep(const engine::ImageName& name, const std::string& digest = kDigest) const {
    const auto written = WriteKeptName(layout_, digest, name, state_);
    EXPECT_TRUE(written) << written.error().message;
  }
  [[nodiscard]] std::string Found(const std::string& digest = kDigest) const {
    const auto name = FindKeptName(layout_, digest, state_);
    return name ? name->reference.text() + " " + std::string(engine::Name(name->tier)) : "";
  }
  static void MakeOld(const fs::path& path) {
    const timespec times[] = {{std::time(nullptr) - 1000, 0}, {std::time(nullptr) - 1000, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  }
  [[nodiscard]] fs::path File() const { return fs::path(state_) / "names/abc.json"; }

  fs::path base_;
  std::string state_;
  engine::Layout layout_;
};

TEST_F(KeptNames, BelongToAContainerAndADigest) {
  EXPECT_EQ(Found(), "");
  Keep(Name("nginx:1.27", Tier::kRepositoryDigest));
  EXPECT_EQ(Found(), "docker.io/library/nginx:1.27 repository-digest");
  EXPECT_EQ(Found(kOther), "") << "the id has another image by now";
  layout_.data_root = base_ / "other";
  EXPECT_EQ(Found(), "") << "another engine's container of the same id";
}

TEST_F(KeptNames, KeepTheFirstName) {
  Keep(Name("nginx:1.27"));
  Keep(Name("evil:1"));
  EXPECT_EQ(Found(), "docker.io/library/nginx:1.27 tag");
  Keep(Name("redis:7"), kOther);
  EXPECT_EQ(Found(kOther), "docker.io/library/redis:7 tag") << "a new container of the old id";
  EXPECT_EQ(Found(), "");
}

TEST_F(KeptNames, RejectFilesThatOthersCanWrite) {
  Keep(Name("nginx:1.27"));
  ASSERT_EQ(chmod(File().c_str(), 0620), 0);
  EXPECT_EQ(Found(), "");
  ASSERT_EQ(chmod(File().c_str(), 0600), 0);
  ASSERT_EQ(chmod((fs::path(state_) / "names").c_str(), 0770), 0);
  EXPECT_EQ(Found(), "");
  EXPECT_FALSE(WriteKeptName(layout_, kDigest, Name("nginx:1.27"), state_));
}

TEST_F(KeptNames, RejectMalformedNames) {
  Keep(Name("nginx:1.27"));
  for (const char* text : {"", "[]", "{}", R"({"name": 1})", R"({"name": "../x", "digest": ""})"}) {
    std::ofstream(File(), std::ios::trunc) << text;
    EXPECT_EQ(Found(), "") << text;
  }
}

TEST_F(KeptNames, CarryAFormatVersion) {
  Keep(Name("nginx:1.27"));
  std::ifstream file(File());
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::string version = R"("version":1)";
  const auto at = text.find(version);
  ASSERT_NE(at, std::string::npos);
  const auto rewrite = [&](const char* member) {
    std::ofstream(File(), std::ios::trunc) << std::string(text).replace(at, version.size(), member);
  };
  rewrite(R"("version":2)");
  EXPECT_EQ(Found(), "") << "of a later version";
  rewrite(R"("other":1)");
  EXPECT_NE(Found(), "") << "of a version without numbers";
}

TEST_F(KeptNames, OfRemovedContainersAreSwept) {
  Keep(Name("nginx:1.27"));
  MakeOld(File());
  layout_.id = "def";
  fs::create_directories(base_ / "docker/containers/def");
  MakeOld(fs::path(state_) / "names/swept");
  Keep(Name("redis:7"));
  EXPECT_TRUE(fs::exists(File())) << "its container is only stopped";

  fs::remove_all(base_ / "docker/containers/abc");
  const fs::path left = fs::path(state_) / "names/.runclad-1";
  std::ofstream(left) << "cut sho";
  MakeOld(left);
  Keep(Name("redis:7"));
  EXPECT_TRUE(fs::exists(File())) << "swept a moment ago";
  MakeOld(fs::path(state_) / "names/swept");
  Keep(Name("redis:7"));
  EXPECT_FALSE(fs::exists(File()));
  EXPECT_FALSE(fs::exists(left)) << "its writer died";
  EXPECT_EQ(Found(), "docker.io/library/redis:7 tag");
}

TEST_F(KeptNames, AreSweptInBatches) {
  Keep(Name("nginx:1.27"));
  const fs::path names = fs::path(state_) / "names";
  constexpr int kDead = 150;
  for (int i = 0; i < kDead; ++i) {
    const fs::path path = names / ("dead" + std::to_string(i) + ".json");
    std::ofstream(path) << R"({"container": ")" << (base_ / "docker/containers/dead").string()
                        << "\"}";
    MakeOld(path);
  }
  const auto left = [&] { return std::distance(fs::directory_iterator(names), {}); };
  constexpr int kOthers = 2;  // the living one and the stamp
  ASSERT_EQ(left(), kDead + kOthers);
  MakeOld(names / "swept");
  Keep(Name("nginx:1.27"));
  EXPECT_EQ(left(), kDead + kOthers - 64);
  Keep(Name("nginx:1.27"));
  Keep(Name("nginx:1.27"));
  EXPECT_EQ(left(), kOthers);
}

TEST_F(KeptNames, AreSweptEvenIfTheClockChanged) {
  Keep(Name("nginx:1.27"));
  const fs::path names = fs::path(state_) / "names";
  const auto ahead = fs::file_time_type::clock::now() + std::chrono::hours(100'000);
  const auto write = [&](const char* name, const std::string& text) {
    std::ofstream(names / name) << text;
    fs::last_write_time(names / name, ahead);
  };
  write("dead.json", R"({"container": "/nowhere"})");
  write(".runclad-1", "cut sho");
  write("odd.json", "[");
  write("living.json", R"({"container": "/"})");
  fs::last_write_time(names / "swept", ahead);
  Keep(Name("nginx:1.27"));
  const auto is_dated_now = [&](const char* name) {
    return fs::last_write_time(names / name) < ahead - std::chrono::hours(1);
  };
  for (const char* name : {"dead.json", ".runclad-1", "odd.json", "swept"}) {
    EXPECT_TRUE(is_dated_now(name)) << name;
  }
  EXPECT_FALSE(is_dated_now("living.json")) << "nothing is done about it";
  for (const char* name : {"dead.json", ".runclad-1", "odd.json", "swept"}) MakeOld(names / name);
  Keep(Name("nginx:1.27"));
  EXPECT_FALSE(fs::exists(names / "dead.json"));
  EXPECT_FALSE(fs::exists(names / ".runclad-1"));
  EXPECT_TRUE(fs::exists(names / "odd.json")) << "nobody can say whose it is: it stays for a month";
  const auto a_month_ago = fs::file_time_type::clock::now() - std::chrono::hours(24 * 31);
  fs::last_write_time(names / "odd.json", a_month_ago);
  MakeOld(names / "swept");
  Keep(Name("nginx:1.27"));
  EXPECT_FALSE(fs::exists(names / "odd.json"));
}

}  // namespace
}  // namespace runclad::store::kept_names_test
