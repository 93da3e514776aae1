// Where the destination of a mount leads, through links and what is mounted before it.
#include "runclad/sys/container_tree.hpp"

#include <unistd.h>

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace runclad::sys::container_tree_test {
namespace {

namespace fs = std::filesystem;

class ContainerTreeTest : public ::testing::Test {
 protected:
  ContainerTreeTest()
      : base_(fs::temp_directory_path() / ("runclad-tree-" + std::to_string(::getpid()))) {
    fs::remove_all(base_);
    fs::create_directories(image());
    fs::create_directories(volume());
  }
  ~ContainerTreeTest() override { fs::remove_all(base_); }
  ContainerTreeTest(const ContainerTreeTest&) = delete;
  ContainerTreeTest& operator=(const ContainerTreeTest&) = delete;

  [[nodiscard]] fs::path image() const { return base_ / "image"; }
  [[nodiscard]] fs::path volume() const { return base_ / "volume"; }
  [[nodiscard]] ContainerTree Open() const {
    auto tree = ContainerTree::Open(image());
    EXPECT_TRUE(tree);
    return *std::move(tree);
  }
  // As engines have it.
  [[nodiscard]] ContainerTree OpenWithEngineMounts() const {
    ContainerTree tree = Open();
    tree.Mount("/proc", Content::kProc);
    tree.Mount("/dev", Content::kEmpty);
    tree.Mount("/sys", Content::kKernel);
    return tree;
  }

 private:
  fs::path base_;
};

std::string Certain(const ContainerTree& tree, std::string_view path) {
  const ResolvedPath place = tree.Resolve(path);
  EXPECT_EQ(place.uncertain_because, "") << path;
  EXPECT_TRUE(place.is_complete) << path;
  return place.path;
}

TEST_F(ContainerTreeTest, FollowsLinksWithinTheImage) {
  fs::create_directories(image() / "a/b");
  fs::create_directory_symlink("/a/b", image() / "absolute");
  fs::create_directory_symlink("../../../../a", image() / "a/b/up");
  fs::create_directory_symlink(".", image() / "self");
  fs::create_directory_symlink("self/self/absolute", image() / "chained");
  fs::create_directory_symlink("/", image() / "top");
  const ContainerTree tree = Open();
  EXPECT_EQ(Certain(tree, "/absolute/x"), "/a/b/x");
  EXPECT_EQ(Certain(tree, "/absolute/up/new/path"), "/a/new/path");
  EXPECT_EQ(Certain(tree, "/chained"), "/a/b");
  EXPECT_EQ(Certain(tree, "/self/./self//dev"), "/dev");
  EXPECT_EQ(Certain(tree, "/top"), "/");
  EXPECT_EQ(Certain(tree, "/absent/../dev/"), "/dev");
  EXPECT_EQ(Certain(tree, "../../x"), "/x");
}

TEST_F(ContainerTreeTest, AMountCoversTheImagesDirectory) {
  fs::create_directory_symlink("/elsewhere", image() / "data");
  fs::create_directories(image() / "dev");
  fs::create_directory_symlink("/elsewhere", image() / "dev/shm");
  ContainerTree tree = OpenWithEngineMounts();
  EXPECT_EQ(Certain(tree, "/dev/shm"), "/dev/shm");
  tree.Mount("/elsewhere", Content::kEmpty);
  EXPECT_EQ(Certain(tree, "/data/x"), "/elsewhere/x");
  // And what was mounted below it.
  tree.Mount("/v", Content::kForeign, {volume()});
  tree.Mount("/v/in", Content::kKernel);
  tree.Mount("/v", Content::kEmpty);
  EXPECT_FALSE(tree.Resolve("/v/in/..").path != "/v");
  EXPECT_EQ(Certain(tree, "/v/in/sub/.."), "/v/in");
}

TEST_F(ContainerTreeTest, DirectoriesInAVolumeAreCertain) {
  fs::create_directories(volume() / "sub");
  ContainerTree tree = Open();
  tree.Mount("/data", Content::kForeign, {volume()});
  EXPECT_EQ(Certain(tree, "/data/sub/deeper"), "/data/sub/deeper");
  EXPECT_EQ(Certain(tree, "/data/new/path"), "/data/new/path");
  tree.Mount("/data/sub", Content::kForeign, {volume()});
  EXPECT_EQ(Certain(tree, "/data/sub/sub/sub"), "/data/sub/sub/sub");
}

TEST_F(ContainerTreeTest, ALinkInAVolumeIsFollowedButUncertain) {
  fs::create_directory_symlink("/sys", volume() / "p");
  fs::create_directories(volume() / "d");
  fs::create_directory_symlink("../p", volume() / "d/q");
  ContainerTree tree = OpenWithEngineMounts();
  tree.Mount("/l", Content::kForeign, {volume()});
  for (const char* path : {"/l/p/kernel", "/l/d/q/kernel", "/l/d/../p/./kernel"}) {
    const ResolvedPath place = tree.Resolve(path);
    EXPECT_EQ(place.path, "/sys/kernel") << path;
    EXPECT_NE(place.uncertain_because.find("inside what is mounted at /l"), std::string::npos)
        << path << ' ' << place.uncertain_because;
  }
}

TEST_F(ContainerTreeTest, ChecksEveryLayerOfAnOverlay) {
  const fs::path upper = volume() / "upper";
  const fs::path lower = volume() / "lower";
  fs::create_directories(upper);
  fs::create_directories(lower);
  fs::create_directory_symlink("/proc", lower / "p");
  ContainerTree tree = Open();
  tree.Mount("/o", Content::kForeign, {upper, lower});
  EXPECT_EQ(tree.Resolve("/o/p/sys").path, "/proc/sys");
  EXPECT_NE(tree.Resolve("/o/p/sys").uncertain_because, "");
  EXPECT_EQ(Certain(tree, "/o/q/sys"), "/o/q/sys");
}

TEST_F(ContainerTreeTest, PathsInProcAreUncertain) {
  fs::create_directory_symlink("/proc/self/fd/7", image() / "link");
  const ContainerTree tree = OpenWithEngineMounts();
  EXPECT_EQ(tree.Resolve("/link").path, "/proc/self/fd/7");
  EXPECT_TRUE(tree.Resolve("/link").touches_proc);
  EXPECT_TRUE(tree.Resolve("/link/../../../../srv").touches_proc);
  EXPECT_NE(tree.Resolve("/proc/self/../../srv").uncertain_because, "");
  EXPECT_NE(tree.Resolve("/sys/kernel/../../srv").uncertain_because, "");
  EXPECT_EQ(Certain(tree, "/proc/../srv"), "/srv");
  EXPECT_FALSE(tree.Resolve("/proc/../srv").touches_proc);
  EXPECT_EQ(Certain(tree, "/proc/cpuinfo"), "/proc/cpuinfo");
}

TEST_F(ContainerTreeTest, RecognisesTheProcFileSystemOfARunningContainer) {
  const auto tree = ContainerTree::Open("/proc/self/root");
  ASSERT_TRUE(tree);
  EXPECT_TRUE(tree->Resolve("/proc/self/cwd").touches_proc);
  EXPECT_EQ(tree->Resolve("/proc/self/cwd").path, "/proc/self/cwd");
  EXPECT_FALSE(tree->Resolve("/usr").touches_proc);
}

TEST_F(ContainerTreeTest, AnUnmountedFileSystemIsUncertain) {
  ContainerTree tree = Open();
  tree.Mount("/disk", Content::kUnknown);
  EXPECT_EQ(Certain(tree, "/disk"), "/disk");
  EXPECT_NE(tree.Resolve("/disk/sub").uncertain_because, "");
}

TEST_F(ContainerTreeTest, TheWorkIsBounded) {
  fs::create_directory_symlink("loop", image() / "loop");
  fs::create_directory_symlink("./././wide/../wide", image() / "wide");
  const ContainerTree tree = Open();
  std::string deep;
  while (deep.size() < 40000) deep += "/a";
  const std::string many = deep.substr(0, 4000);
  for (const std::string& path : {std::string("/loop"), std::string("/wide/x"), deep, many}) {
    const ResolvedPath place = tree.Resolve(path);
    EXPECT_FALSE(place.is_complete);
    EXPECT_NE(place.uncertain_because, "");
  }
  EXPECT_EQ(Certain(tree, deep.substr(0, 2000)), deep.substr(0, 2000));
}

TEST_F(ContainerTreeTest, NeedsARootFilesystem) {
  EXPECT_FALSE(ContainerTree::Open(image() / "absent"));
}

}  // namespace
}  // namespace runclad::sys::container_tree_test
