// Where a path leads in a root filesystem, and what it costs to find out.
#include "runclad/sys/rootfs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "../mount_namespace.hpp"

namespace runclad::sys::rootfs_test {
namespace {

using runclad::testing::MakeDirectories;
using runclad::testing::WriteFile;

class RootfsResolve : public ::testing::Test {
 protected:
  void SetUp() override { MakeDirectories(root_); }
  void TearDown() override { std::filesystem::remove_all(root_); }

  void Link(const std::string& target, const std::string& path) const {
    std::filesystem::create_symlink(target, root_ + path);
  }
  // The path, or the sentence that says why there is none.
  [[nodiscard]] std::string Resolved(const std::string& path) const {
    const auto rootfs = Rootfs::Open(root_);
    const auto resolved = rootfs->Resolve(path);
    return resolved ? *resolved : resolved.error().message;
  }
  // `depth` directories "d" inside each other, below `parent`; too deep for one path.
  void MakeDeep(const std::string& parent, int depth) const {
    int at = ::open((root_ + parent).c_str(), O_PATH | O_DIRECTORY);
    for (int i = 0; i < depth; ++i) {
      ASSERT_EQ(::mkdirat(at, "d", S_IRWXU), 0);
      const int next = ::openat(at, "d", O_PATH | O_DIRECTORY);
      ::close(at);
      at = next;
    }
    ::close(at);
  }
  static std::string Repeat(const std::string& text, int count) {
    std::string repeated;
    for (int i = 0; i < count; ++i) repeated += text;
    return repeated;
  }

  // NOLINTNEXTLINE(concurrency-mt-unsafe): nothing else runs
  const std::string root_ = ::testing::TempDir() + "rootfs-" + std::to_string(::getpid());
};

TEST_F(RootfsResolve, FollowsLinksInside) {
  MakeDirectories(root_ + "/a/b/c");
  WriteFile(root_ + "/a/file");
  Link("/a/b", "/absolute");
  Link("../b/./c", "/a/b/relative");
  Link("absolute/relative", "/both");
  Link("../../../etc", "/up");
  const struct {
    std::string path;
    std::string resolved;
  } kCases[] = {
      {"", "/"},
      {"/", "/"},
      {"//a//b/", "/a/b"},
      {"/../a/./x/../b", "/a/b"},
      {"/absolute/c", "/a/b/c"},
      {"/both/new", "/a/b/c/new"},
      {"/both/../../up", "/a/up"},
      {"/up/passwd", "/etc/passwd"},
      {"/none/../absolute", "/a/b"},
      {"/none/absolute", "/none/absolute"},
      {"/a/file/absolute", "/a/file/absolute"},
      {"/a/file/../../absolute", "/a/b"},
  };
  for (const auto& test : kCases) EXPECT_EQ(Resolved(test.path), test.resolved) << test.path;
}

TEST_F(RootfsResolve, LeavesCircularLinksUnresolved) {
  Link("circle/on", "/circle");
  Link("/circle", "/start");
  EXPECT_TRUE(Resolved("/start/x").starts_with("/circle/on")) << Resolved("/start/x");
  for (int i = 0; i < 200; ++i) Link(std::to_string(i), "/" + std::to_string(i + 1));
  EXPECT_EQ(Resolved("/200/x"), "/0/x");
}

TEST_F(RootfsResolve, FollowsDeeplyNestedLinks) {
  constexpr int kDepth = 200;
  MakeDeep("", kDepth);
  const std::string deep = Repeat("/d", kDepth);
  Link("../../../../up", deep + "/link");
  Link("/d", deep + "/home");
  EXPECT_EQ(Resolved(deep + "/link"), Repeat("/d", kDepth - 4) + "/up");
  EXPECT_EQ(Resolved(deep + Repeat("/..", 100) + Repeat("/d", 100) + "/home/x"), "/d/x");
}

TEST_F(RootfsResolve, RefusesPathsLongerThanPathMax) {
  EXPECT_EQ(Resolved(Repeat("/a", 2047)), Repeat("/a", 2047));
  EXPECT_EQ(
      Resolved(Repeat("/a", 2048)),
      "the path \"" + Repeat("/a", 40) + "…\" is longer than the 4095 bytes that a path may have");
  constexpr int kHalf = 1200;
  Link(Repeat("/a", kHalf), "/half");
  EXPECT_EQ(Resolved("/half" + Repeat("/a", 800)), Repeat("/a", kHalf + 800));
  EXPECT_EQ(Resolved("/half" + Repeat("/a", kHalf)),
            "the path \"/half" + Repeat("/a", 37) +
                "/…\" leads through links to a path of more than 4095 bytes");
}

// The time would tell on a quiet machine; what it cannot exceed is what is counted here.
TEST_F(RootfsResolve, IsBoundedToHalfAMillionComponents) {
  const std::string long_way = Repeat("d/../", 800);
  MakeDirectories(root_ + "/d");
  for (int i = 0; i < 40; ++i) {
    Link(long_way + (i == 0 ? "d" : std::to_string(i - 1)), "/" + std::to_string(i));
  }
  const auto rootfs = Rootfs::Open(root_);
  const auto begin = std::chrono::steady_clock::now();
  int calls = 0;
  auto resolved = rootfs->Resolve("/39");
  for (; resolved && calls < 100; ++calls) resolved = rootfs->Resolve("/39");
  EXPECT_LT(calls, 20);
  ASSERT_FALSE(resolved);
  EXPECT_EQ(resolved.error().message,
            "the path \"/39\" and others need more than 500000 lookups in the container's files");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(20));
}

}  // namespace
}  // namespace runclad::sys::rootfs_test
