// What is kept of an image, who may add to it, and what a container cannot make of it.
#include "runclad/store/hidden_cache.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/host/image_content.hpp"

#include "../mount_namespace.hpp"

namespace runclad::store::hidden_cache_test {
namespace {

namespace fs = std::filesystem;
using runclad::testing::InPrivateMounts;
using runclad::testing::MakeDirectories;
using runclad::testing::WriteFile;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Strings = std::vector<std::string>;

engine::Identity ImageOf(char digit, engine::Engine engine = engine::Engine::kDocker) {
  engine::Identity identity;
  identity.engine = engine;
  identity.config_digest = "sha256:" + std::string(64, digit);
  return identity;
}

host::HiddenLists Hiding(const Strings& programs, const Strings& packages = {}) {
  return {.paths = {}, .programs = programs, .packages = packages};
}

std::string ContentOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Kept : public ::testing::Test {
 protected:
  void TearDown() override { fs::remove_all(state_); }

  [[nodiscard]] HiddenCache Cache(char digit = 'a', const Strings& programs = {"wget"},
                                  engine::Engine engine = engine::Engine::kDocker) const {
    return {ImageOf(digit, engine), Hiding(programs), state_};
  }
  void Keep(const Strings& paths) const {
    host::HiddenFacts facts;
    facts.paths = paths;
    facts.kept = {{"/bin/nc", "is the same file as /bin/sh"}};
    const auto kept = Cache().Keep(facts);
    EXPECT_TRUE(kept) << kept.error().message;
  }
  [[nodiscard]] fs::path File() const { return fs::directory_iterator(state_ + "/hidden")->path(); }

  const std::string state_ = ::testing::TempDir() + "hidden-cache-" + std::to_string(::getpid());
};

TEST_F(Kept, RoundTrips) {
  EXPECT_FALSE(Cache().Find());
  Keep({"/bin/wget", "/opt/\xff\n"});
  const auto facts = Cache().Find();
  ASSERT_TRUE(facts);
  EXPECT_THAT(facts->paths, ElementsAre("/bin/wget", "/opt/\xff\n"));
  ASSERT_EQ(facts->kept.size(), 1U);
  EXPECT_EQ(facts->kept.front().path + " " + facts->kept.front().because,
            "/bin/nc is the same file as /bin/sh");
}

TEST_F(Kept, IsKeyedByImageEngineAndQuestion) {
  Keep({"/bin/wget"});
  EXPECT_FALSE(Cache('b').Find());
  EXPECT_FALSE(Cache('a', {"wget", "nc"}).Find());
  EXPECT_FALSE(Cache('a', {"wget"}, engine::Engine::kPodman).Find());
  // Under the name of the other question, as if the names' hashes were the same.
  const std::string bytes = ContentOf(File());
  ASSERT_TRUE(Cache('b').Keep({}));
  for (const auto& entry : fs::directory_iterator(state_ + "/hidden")) {
    std::ofstream(entry.path(), std::ios::binary) << bytes;
  }
  EXPECT_FALSE(Cache('b').Find());
  EXPECT_TRUE(Cache().Find());
}

TEST_F(Kept, IsRejectedIfTruncatedOrChanged) {
  Keep({"/bin/wget"});
  const std::string bytes = ContentOf(File());
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    std::ofstream(File(), std::ios::binary) << bytes.substr(0, size);
    EXPECT_FALSE(Cache().Find()) << size;
    std::ofstream(File(), std::ios::binary)
        << bytes.substr(0, size) << std::string(bytes.size() - size, '\0');
    EXPECT_EQ(Cache().Find().has_value(), size + 1 == bytes.size()) << size;
    std::string flipped = bytes;
    flipped[size] ^= 1;
    std::ofstream(File(), std::ios::binary) << flipped;
    EXPECT_FALSE(Cache().Find()) << size;
  }
}

TEST_F(Kept, IsRejectedIfOthersCanWriteIt) {
  Keep({"/bin/wget"});
  struct stat status {};
  ASSERT_EQ(::stat(File().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  ASSERT_EQ(::chmod(File().c_str(), 0602), 0);
  EXPECT_FALSE(Cache().Find());
  ASSERT_EQ(::chmod(File().c_str(), 0600), 0);
  if (::geteuid() == 0) {
    ASSERT_EQ(::chown(File().c_str(), 1000, 1000), 0);
    EXPECT_FALSE(Cache().Find());
    ASSERT_EQ(::chown(File().c_str(), 0, 0), 0);
  }
  ASSERT_EQ(::chmod((state_ + "/hidden").c_str(), 0777), 0);
  EXPECT_FALSE(Cache().Find());
  EXPECT_FALSE(Cache('b').Keep({}));
  ASSERT_EQ(::chmod((state_ + "/hidden").c_str(), 0700), 0);
  EXPECT_TRUE(Cache().Find());
  const std::string elsewhere = state_ + "/elsewhere";
  fs::rename(File(), elsewhere);
  ASSERT_TRUE(Cache().Keep({}));
  const fs::path name = File();
  fs::remove(name);
  fs::create_symlink(elsewhere, name);
  EXPECT_FALSE(Cache().Find());
}

TEST_F(Kept, IsBoundedInNumberAndSize) {
  for (int i = 0; i < 270; ++i) {
    ASSERT_TRUE(Cache('a', {std::to_string(i)}).Keep({}));
    for (const auto& entry : fs::directory_iterator(state_ + "/hidden")) {
      if (i == 0)
        fs::last_write_time(entry, fs::file_time_type::clock::now() - std::chrono::hours(1));
    }
  }
  const fs::directory_iterator files(state_ + "/hidden");
  EXPECT_EQ(std::distance(fs::begin(files), fs::end(files)), 256);
  EXPECT_FALSE(Cache('a', {"0"}).Find()) << "the oldest";
  EXPECT_TRUE(Cache('a', {"269"}).Find());
  Keep({std::string(2 << 20, 'x')});
  EXPECT_FALSE(Cache().Find());
}

TEST_F(Kept, IsReducedTo256InBatches) {
  Keep({"/bin/wget"});
  const fs::path directory = state_ + "/hidden";
  const auto now = fs::file_time_type::clock::now();
  constexpr int kMany = 500;
  for (int i = 0; i < kMany; ++i) {
    const fs::path path = directory / std::to_string(i);
    std::ofstream{path};
    fs::last_write_time(path, now - std::chrono::hours(1 + i));
  }
  const auto count = [&] { return std::distance(fs::directory_iterator(directory), {}); };
  Keep({"/bin/wget"});
  EXPECT_EQ(count(), kMany + 1 - 64);
  EXPECT_FALSE(fs::exists(directory / "499"));
  EXPECT_FALSE(fs::exists(directory / "436"));
  EXPECT_TRUE(fs::exists(directory / "435")) << "the oldest go first";
  for (int i = 0; i < 4; ++i) Keep({"/bin/wget"});
  EXPECT_EQ(count(), 255) << "room for one more";
  EXPECT_TRUE(Cache().Find());
}

TEST_F(Kept, IsNotEvictedByFutureOrTruncatedEntries) {
  Keep({"/bin/wget"});
  const fs::path directory = state_ + "/hidden";
  const auto now = fs::file_time_type::clock::now();
  const auto write = [&](const char* name, std::chrono::hours age) {
    std::ofstream{directory / name};
    fs::last_write_time(directory / name, now - age);
  };
  write("ahead", std::chrono::hours(-1000));
  write("behind", std::chrono::hours(1000));
  write(".runclad-1", std::chrono::hours(1));
  write(".runclad-2", std::chrono::hours(0));
  Keep({"/bin/wget"});
  EXPECT_FALSE(fs::exists(directory / "ahead"));
  EXPECT_FALSE(fs::exists(directory / ".runclad-1")) << "its writer died";
  EXPECT_TRUE(fs::exists(directory / ".runclad-2"));
  EXPECT_TRUE(fs::exists(directory / "behind")) << "there is room for it";
}

// An image with a package of dpkg's and containers of it, as overlay mounts below /srv.
class Containers {
 public:
  Containers() {
    Image("/usr/bin/wget");
    Image("/usr/bin/kit");
    Image("/usr/bin/sh");
    Image("/var/lib/dpkg/info/kit.list", "/usr/bin/kit\n");
  }
  static void Image(const std::string& path, const std::string& text = "x\n") {
    WriteFile("/srv/image" + path, text);
  }
  static void Start(const std::string& name) {
    const std::string at = "/srv/" + name;
    for (const char* below : {"/upper", "/work", "/merged"}) MakeDirectories(at + below);
    const std::string options =
        "lowerdir=/srv/image,upperdir=" + at + "/upper,workdir=" + at + "/work";
    ASSERT_EQ(::mount("overlay", (at + "/merged").c_str(), "overlay", 0, options.c_str()), 0);
  }
  static void Stop(const std::string& name) {
    ASSERT_EQ(::umount(("/srv/" + name + "/merged").c_str()), 0);
  }
  static Strings HiddenIn(const std::string& name, const Strings& packages = {"kit"}) {
    const std::string root = "/srv/" + name + "/merged";
    const auto rootfs = sys::Rootfs::Open(root);
    EXPECT_TRUE(rootfs);
    return FindHidden(Hiding({"wget"}, packages), *rootfs,
                      {.identity = ImageOf('a'), .root = root, .state_directory = "/srv/state"})
        ->paths;
  }
  static bool IsKept() { return fs::exists("/srv/state/hidden"); }
};

TEST(HiddenInImage, IsComputedOncePerImage) {
  InPrivateMounts([] {
    const Containers containers;
    Containers::Start("first");
    EXPECT_THAT(Containers::HiddenIn("first"), ElementsAre("/usr/bin/kit", "/usr/bin/wget"));
    EXPECT_TRUE(Containers::IsKept());
    // Nobody changes an image; that it is not read shows by a change of it.
    Containers::Image("/var/lib/dpkg/info/kit.list", "/usr/bin/sh\n");
    Containers::Start("second");
    EXPECT_THAT(Containers::HiddenIn("second"), ElementsAre("/usr/bin/kit", "/usr/bin/wget"));
  });
}

TEST(HiddenInImage, IsNotStoredFromAModifiedContainer) {
  InPrivateMounts([] {
    const Containers containers;
    Containers::Start("evil");
    WriteFile("/srv/evil/merged/var/lib/dpkg/info/kit.list", "");
    EXPECT_THAT(Containers::HiddenIn("evil"), ElementsAre("/usr/bin/wget"));
    EXPECT_FALSE(Containers::IsKept());
    Containers::Start("good");
    EXPECT_THAT(Containers::HiddenIn("good"), ElementsAre("/usr/bin/kit", "/usr/bin/wget"));
    EXPECT_TRUE(Containers::IsKept());
  });
}

TEST(HiddenInImage, StaysHiddenIfTheContainerChangedItsPackageLists) {
  InPrivateMounts([] {
    const Containers containers;
    Containers::Start("good");
    Containers::HiddenIn("good");
    Containers::Start("evil");
    WriteFile("/srv/evil/merged/var/lib/dpkg/info/kit.list", "/usr/bin/own\n");
    WriteFile("/srv/evil/merged/usr/bin/own");
    fs::create_symlink("wget", "/srv/evil/merged/usr/bin/other");
    EXPECT_THAT(Containers::HiddenIn("evil"),
                ElementsAre("/usr/bin/kit", "/usr/bin/own", "/usr/bin/wget"));
    // What is no longer there, or another's by now, is no place for a mask.
    fs::remove("/srv/evil/merged/usr/bin/kit");
    fs::create_symlink("sh", "/srv/evil/merged/usr/bin/kit");
    EXPECT_THAT(Containers::HiddenIn("evil"), ElementsAre("/usr/bin/own", "/usr/bin/wget"));
    Containers::Start("third");
    EXPECT_THAT(Containers::HiddenIn("third"), ElementsAre("/usr/bin/kit", "/usr/bin/wget"));
  });
}

TEST(HiddenInImage, ARemovedFileIsAModification) {
  InPrivateMounts([] {
    const Containers containers;
    Containers::Start("evil");
    EXPECT_TRUE(host::IsAsInImage("/srv/evil/merged"));
    fs::remove("/srv/evil/merged/var/lib/dpkg/info/kit.list");  // a whiteout
    Containers::Stop("evil");
    Containers::Start("evil");
    EXPECT_FALSE(host::IsAsInImage("/srv/evil/merged"));
  });
}

TEST(HiddenInImage, MountPointsInEtcAreNotAModification) {
  InPrivateMounts([] {
    const Containers containers;
    Containers::Image("/etc/passwd");
    const std::string etc = "/srv/one/merged/etc";
    Containers::Start("one");
    for (const char* name : {"/hostname", "/hosts", "/resolv.conf"}) WriteFile(etc + name, "");
    fs::create_symlink("/proc/mounts", etc + "/mtab");
    EXPECT_TRUE(host::IsAsInImage("/srv/one/merged")) << "as podman makes them";
    WriteFile(etc + "/other");
    EXPECT_FALSE(host::IsAsInImage("/srv/one/merged"));
    Containers::Start("two");
    fs::create_symlink("/elsewhere", "/srv/two/merged/etc/mtab");
    EXPECT_FALSE(host::IsAsInImage("/srv/two/merged"));
    Containers::Start("three");
    fs::create_symlink("passwd", "/srv/three/merged/etc/hosts");
    EXPECT_FALSE(host::IsAsInImage("/srv/three/merged"));
    Containers::Start("four");
    fs::remove_all("/srv/four/merged/etc");
    WriteFile("/srv/four/merged/etc/hosts", "");
    EXPECT_FALSE(host::IsAsInImage("/srv/four/merged")) << "the image's /etc is gone";
    Containers::Start("five");
    WriteFile("/srv/five/merged/opt/hosts", "");
    EXPECT_FALSE(host::IsAsInImage("/srv/five/merged"));
  });
}

TEST(HiddenInImage, IsNotStoredWithoutAnOverlay) {
  InPrivateMounts([] {
    const Containers containers;
    Containers::Start("one");
    EXPECT_FALSE(host::IsAsInImage("/srv/image"));
    EXPECT_FALSE(host::IsAsInImage("/srv/one/merged/usr")) << "below the mount";
    EXPECT_FALSE(host::IsAsInImage("/srv/absent"));
    runclad::testing::BindMount("/srv/one/merged/usr", "/srv/bound");
    EXPECT_FALSE(host::IsAsInImage("/srv/bound"));
    MakeDirectories("/srv/a,b/upper");
    MakeDirectories("/srv/a,b/merged");
    MakeDirectories("/srv/empty");
    ASSERT_EQ(::mount("overlay", "/srv/a,b/merged", "overlay", 0, "lowerdir=/srv/image:/srv/empty"),
              0);
    EXPECT_FALSE(host::IsAsInImage("/srv/a,b/merged")) << "no upper layer at all";
  });
}

TEST(HiddenInImage, IsNotStoredIfAPackageListIsUnreadable) {
  InPrivateMounts([] {
    const Containers containers;
    Containers::Image("/var/lib/rpm/Packages", "damaged");
    Containers::Start("one");
    EXPECT_THAT(Containers::HiddenIn("one"), ElementsAre("/usr/bin/kit", "/usr/bin/wget"));
    EXPECT_FALSE(Containers::IsKept());
  });
}

TEST(HiddenInImage, IsNotStoredForAnUnknownImage) {
  InPrivateMounts([] {
    const Containers containers;
    Containers::Start("one");
    const auto rootfs = sys::Rootfs::Open("/srv/one/merged");
    const engine::Identity unknown;
    const auto facts =
        *FindHidden(Hiding({"wget"}), *rootfs,
                    {.identity = unknown, .root = "/srv/one/merged", .state_directory = "/srv/s"});
    EXPECT_THAT(facts.paths, ElementsAre("/usr/bin/wget"));
    EXPECT_FALSE(fs::exists("/srv/s"));
  });
}

}  // namespace
}  // namespace runclad::store::hidden_cache_test
