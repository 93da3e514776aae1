#include "runclad/engine/configured_storage.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::engine::configured_storage_test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ConfiguredStorageTest : public ::testing::Test {
 protected:
  ConfiguredStorageTest() {
    std::string name = fs::canonical(::testing::TempDir()) / "runclad-storage-XXXXXX";
    etc_ = ::mkdtemp(name.data());
  }
  ~ConfiguredStorageTest() override { fs::remove_all(etc_); }

  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = etc_ + "/" + name;
    fs::create_directories(fs::path(path).parent_path());
    std::ofstream(path) << text;
    return path;
  }
  [[nodiscard]] ConfiguredStorage Found() const {
    return FindConfiguredStorage(etc_, etc_ + "/share");
  }

  std::string etc_;
};

TEST_F(ConfiguredStorageTest, IsEmptyWithoutFiles) {
  EXPECT_THAT(Found().data_directories, IsEmpty());
  EXPECT_THAT(Found().run_directories, IsEmpty());
}

TEST_F(ConfiguredStorageTest, IncludesEveryEngine) {
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
  Write("buildkit/buildkitd.toml", "root = \"/srv/buildkit\"\n[worker.oci]\nroot = \"relative\"\n");
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

// Every spelling that the engines' own readers take.
TEST_F(ConfiguredStorageTest, AcceptsEverySpellingOfToml) {
  for (const char* text : {
           "[storage]\ngraphroot = \"/srv/x\"\n",
           "storage = { driver = \"overlay\", graphroot = \"/srv/x\" }",
           "storage = {options = {mount = [\"a\", {\"graphroot\" = '/srv/x'}]}}\n",
           "\"storage\".\"graphroot\" = \"/srv/x\"",
           "'storage' . 'graphroot' = '/srv/x' # a comment\r\n",
           "storage.GraphRoot = \"\\u002fsrv/\\x78\"",
           "[storage]\n  \"graph\\u0072oot\" = \"\"\"\n/srv\\\n   /x\"\"\"",
           "[storage]\ngraphroot = '''/srv/x'''\n",
           "\xEF\xBB\xBF[storage]\ngraphroot=\"/srv/x\"",
           "[storage.options]\nadditionalimagestores = [\n  # theirs\n  \"/srv/x\",\n]\n",
           "[storage.options]\nadditionallayerstores = [\"/srv/x:ref\"]\n",
           "[crio]\nstorage_option = [ \"overlay.imagestore=/srv/x\" ]\n",
           "[engine]\nstatic_dir=\"/srv/x\"\n",
           "t = 1979-05-27 07:32:00Z\nf = 1e-3\nn = -0x1f\n[[a.b]]\nroot=\"/srv/x\"",
       }) {
    SCOPED_TRACE(text);
    Write("containers/containers.conf", text);
    EXPECT_THAT(Found().data_directories, ElementsAre("/srv/x"));
    EXPECT_EQ(Found().unclear_because, "");
  }
}

TEST_F(ConfiguredStorageTest, ReadsPodmansDefaultsAndDropIns) {
  Write("share/containers/storage.conf", "[storage]\ngraphroot = \"/srv/shared\"\n");
  Write("containers/containers.conf.d/1.conf",
        "[engine]\ntmp_dir = \"/srv/run\"\nvolume_path = \"/srv/volumes\"\n");
  EXPECT_THAT(Found().data_directories, ElementsAre("/srv/shared"));
  EXPECT_THAT(Found().volume_directories, ElementsAre("/srv/volumes"));
  EXPECT_THAT(Found().run_directories, ElementsAre("/srv/run"));
}

// What podman unpacks there is its users', as in its storage.
TEST_F(ConfiguredStorageTest, ReadsWherePodmanUnpacksImages) {
  for (const char* place : {"/srv/unpacked", "/var/tmp", "/tmp/podman", "storage"}) {
    Write("containers/containers.conf",
          "[engine]\nimage_copy_tmp_dir = \"" + std::string(place) + "\"\n");
    const bool is_podmans = std::string(place) == "/srv/unpacked";
    EXPECT_EQ(Found().data_directories.size(), is_podmans ? 1U : 0U) << place;
  }
}

// With a wildcard for what is a user's.
TEST_F(ConfiguredStorageTest, ReadsTheStorageOfUsers) {
  Write("containers/storage.conf",
        "[storage]\nrootless_storage_path = \"/srv/users/$USER/storage\"\n");
  EXPECT_THAT(Found().data_directories, ElementsAre("/srv/users/*/storage"));
  Write("containers/storage.conf", "[storage]\nrootless_storage_path = \"$HOME/storage\"\n");
  EXPECT_THAT(Found().data_directories, ElementsAre("/home/*/storage", "/root/storage"));
}

TEST_F(ConfiguredStorageTest, ReportsWhatItCannotRead) {
  struct Case {
    const char* text;
    const char* line;
  };
  for (const Case& one : {
           Case{"root = \"/open\n", "line 1 of"},
           Case{"root = \"/x\"\n\nstate = {a = 1\n", "line 4 of"},
           Case{"a = \"\\q\"\n", "line 1 of"},
           Case{"a = [\"x\" \"y\"]\n", "line 1 of"},
           Case{"a = \"\\ud800\"\n", "line 1 of"},
           Case{"\n[table\n", "line 2 of"},
           Case{"a\n", "line 1 of"},
           Case{"a = \n", "line 1 of"},
           Case{"a = 1 b = 2\n", "line 1 of"},
           Case{"a = '''x\n", "line 2 of"},
       }) {
    SCOPED_TRACE(one.text);
    Write("containers/storage.conf", one.text);
    EXPECT_EQ(Found().unclear_because, std::string(one.line) + " " + etc_ +
                                           "/containers/storage.conf cannot be read as TOML");
  }
  Write("containers/storage.conf", std::string(100, '[') + "a = " + std::string(100, '['));
  EXPECT_NE(Found().unclear_because, "");
  Write("containers/storage.conf", "a = " + std::string(100000, '['));
  EXPECT_NE(Found().unclear_because, "") << "nested too deep";
}

TEST_F(ConfiguredStorageTest, ReadsFilesOfAnyOwner) {
  const std::string text = "root = \"/srv/containerd\"\n";
  const std::string file = Write("containerd/config.toml", text);
  ASSERT_EQ(::chmod(file.c_str(), 0666), 0);
  EXPECT_THAT(Found().data_directories, ElementsAre("/srv/containerd"));
  fs::remove(file);
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  EXPECT_THAT(Found().data_directories, IsEmpty()) << "a FIFO";
  EXPECT_EQ(Found().unclear_because, "");
  fs::remove(file);
  Write("containerd/config.toml", text + std::string(1024UL * 1024, '#'));
  EXPECT_EQ(Found().unclear_because,
            etc_ + "/containerd/config.toml cannot be read or exceeds 1 MiB");
  fs::remove(file);
  Write("docker/daemon.json", R"({"data-root": "/srv/docker", )");
  EXPECT_THAT(Found().data_directories, IsEmpty()) << "dockerd does not start with it";
}

}  // namespace
}  // namespace runclad::engine::configured_storage_test
