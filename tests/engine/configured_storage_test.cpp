#include "runclad/engine/configured_storage.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::engine {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class ConfiguredStorageTest : public testing::Test {
 protected:
  ConfiguredStorageTest() {
    std::string name = fs::canonical(testing::TempDir()) / "runclad-storage-XXXXXX";
    etc_ = ::mkdtemp(name.data());
  }
  ~ConfiguredStorageTest() override { fs::remove_all(etc_); }

  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = etc_ + "/" + name;
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << text;
    return path;
  }
  [[nodiscard]] ConfiguredStorage Found() const { return FindConfiguredStorage(etc_); }

  std::string etc_;
};

TEST_F(ConfiguredStorageTest, IsNoneWithoutFiles) {
  EXPECT_THAT(Found().data_directories, IsEmpty());
  EXPECT_THAT(Found().run_directories, IsEmpty());
}

TEST_F(ConfiguredStorageTest, IsThatOfEveryEngine) {
  Write(
      "docker/daemon.json",
      R"({"runtimes": {"x": {"path": "/x"}}, "data-root": "/srv/docker", "exec-root": "/srv/run"})");
  Write("containerd/config.toml", R"(version = 2
root = "/srv/containerd"
  state = '/srv/state'   # with the sockets
# root = "/not/this"
[plugins."io.containerd.snapshotter.v1.overlayfs"]
  root_path = "/srv/snapshots"
[grpc]
  address = "/run/containerd/containerd.sock"
)");
  Write("containers/storage.conf",
        "[storage]\ngraphroot=\"/srv/podman\"\nrunroot = \"/srv/podman-run\"\n");
  Write("crio/crio.conf", "[crio]\ncrio.root = \"/srv/crio\"\nrunroot = 7\n");
  Write("crio/crio.conf.d/10-storage.conf", "[crio]\nrunroot = \"/srv/crio-run\"");
  Write("buildkit/buildkitd.toml",
        "root = \"/srv/buildkit\"\nroot = \"relative\"\nroot = \"/open\n");
  EXPECT_THAT(Found().data_directories,
              ElementsAre("/srv/docker", "/srv/containerd", "/srv/snapshots", "/srv/buildkit",
                          "/srv/podman", "/srv/crio"));
  EXPECT_THAT(Found().run_directories,
              ElementsAre("/srv/run", "/srv/state", "/srv/podman-run", "/srv/crio-run"));
}

TEST_F(ConfiguredStorageTest, FollowsLinksOfRoot) {
  const std::string file = Write("real.toml", "root = \"/srv/containerd\"\n");
  fs::create_directories(etc_ + "/containerd");
  fs::create_symlink(file, etc_ + "/containerd/config.toml");
  EXPECT_THAT(Found().data_directories, ElementsAre("/srv/containerd"));
}

TEST_F(ConfiguredStorageTest, LeavesOutWhatCannotBeTrustedOrRead) {
  const std::string text = "root = \"/srv/containerd\"\n";
  const std::string file = Write("containerd/config.toml", text);
  ASSERT_THAT(Found().data_directories, ElementsAre("/srv/containerd"));
  ASSERT_EQ(::chmod(file.c_str(), 0666), 0);
  EXPECT_THAT(Found().data_directories, IsEmpty()) << "writable by everybody";
  fs::remove(file);
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  EXPECT_THAT(Found().data_directories, IsEmpty()) << "a FIFO";
  fs::remove(file);
  Write("containerd/config.toml", text + std::string(1024UL * 1024, '#'));
  EXPECT_THAT(Found().data_directories, IsEmpty()) << "too large";
  Write("docker/daemon.json", R"({"data-root": "/srv/docker", )");
  EXPECT_THAT(Found().data_directories, IsEmpty()) << "not JSON";
}

}  // namespace
}  // namespace runclad::engine
