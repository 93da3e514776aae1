// Where the paths of a document lead: through its own mounts, in their order.
#include "runclad/host/places.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace runclad::host::places_test {
namespace {

namespace fs = std::filesystem;

class PlaceFactsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/runclad-places.XXXXXX";
    base_ = ::mkdtemp(name.data());
    fs::create_directories(base_ + "/rootfs");
    fs::create_directories(base_ + "/volume/sub");
  }
  void TearDown() override { fs::remove_all(base_); }

  void Link(const std::string& path, const std::string& target) const {
    fs::create_symlink(target, base_ + path);
  }
  [[nodiscard]] json::Document Bind(const std::string& destination) const {
    return {{"destination", destination},
            {"source", base_ + "/volume"},
            {"options", json::Document::array({"rbind"})}};
  }
  static json::Document New(const std::string& destination, const std::string& type,
                            const json::Document& options = json::Document::array()) {
    return {{"destination", destination}, {"type", type}, {"options", options}};
  }
  [[nodiscard]] Places Gather(const json::Document& mounts,
                              const json::Document& rest = json::Document::object()) const {
    json::Document document = rest;
    document["mounts"] = mounts;
    const auto spec = oci::Spec::Parse(document.dump());
    EXPECT_TRUE(spec) << spec.error().message;
    return FindPlaces(*spec, base_ + "/rootfs", base_);
  }

  std::string base_;
};

TEST_F(PlaceFactsTest, NestedVolumesAreCertain) {
  const Places places =
      Gather({Bind("/data"), Bind("/data/sub"), Bind("/data/new"), Bind("/data/sub/sub")});
  EXPECT_EQ(places.destinations.at("/data/sub/sub"), "/data/sub/sub");
  EXPECT_TRUE(places.uncertain_destinations.empty());
}

TEST_F(PlaceFactsTest, ALinkInAVolumeIsFollowedButUncertain) {
  Link("/volume/p", "/sys");
  const Places places = Gather({New("/sys", "sysfs"), Bind("/l"), Bind("/l/p/kernel")});
  EXPECT_EQ(places.destinations.at("/l/p/kernel"), "/sys/kernel");
  EXPECT_TRUE(places.uncertain_destinations.contains("/l/p/kernel"));
}

TEST_F(PlaceFactsTest, ChecksSourcesBelowTheBundle) {
  Link("/volume/p", "/sys");
  json::Document relative = Bind("/l");
  relative["source"] = "volume";
  EXPECT_EQ(Gather({relative, Bind("/l/p")}).destinations.at("/l/p"), "/sys");
}

TEST_F(PlaceFactsTest, ATmpfsThatCopiesKeepsTheContent) {
  Link("/rootfs/run", "/real");
  fs::create_directories(base_ + "/rootfs/real");
  Link("/rootfs/real/lock", "/var/lock");
  EXPECT_EQ(
      Gather({New("/run", "tmpfs", {"tmpcopyup"}), Bind("/run/lock")}).destinations.at("/run/lock"),
      "/var/lock");
  EXPECT_EQ(Gather({New("/run", "tmpfs"), Bind("/run/lock")}).destinations.at("/run/lock"),
            "/real/lock");
}

TEST_F(PlaceFactsTest, AnAmbiguousDestinationIsUncertain) {
  Link("/volume/m", "/sys");
  const Places places = Gather({Bind("/l/m"), Bind("/l"), Bind("/l/m")});
  EXPECT_TRUE(places.uncertain_destinations.contains("/l/m"));
  EXPECT_TRUE(Gather({Bind("/l"), Bind("/l")}).uncertain_destinations.empty());
}

TEST_F(PlaceFactsTest, ResolvesTheWorkingDirectoryAfterAllMounts) {
  Link("/rootfs/link", "/proc/self/fd/7");
  Link("/volume/current", "sub");
  const json::Document mounts = {New("/proc", "proc"), Bind("/v")};
  const auto place = [&](const char* cwd) {
    return *Gather(mounts, {{"process", {{"cwd", cwd}}}}).working_directory;
  };
  EXPECT_TRUE(place("/link").touches_proc);
  EXPECT_EQ(place("/v/current").resolved, "/v/sub");
  EXPECT_FALSE(place("/v/current").touches_proc);
  EXPECT_TRUE(place("/v/current").is_complete);
}

TEST_F(PlaceFactsTest, ResolvesTheLinksOfAMask) {
  Link("/rootfs/top", "/");
  const Places places =
      Gather(json::Document::array(),
             {{"linux", {{"maskedPaths", {"/top", "/proc/.."}}, {"readonlyPaths", {"/x/.."}}}}});
  for (const char* path : {"/top", "/proc/..", "/x/.."})
    EXPECT_TRUE((places.hardened_paths.at(path).resolved == "/")) << path;
}

TEST_F(PlaceFactsTest, ResolvesTheWorkingDirectoryOfAnExecInTheContainer) {
  Link("/rootfs/link", "/proc/self/fd/7");
  const auto process = oci::Spec::ParseProcess(R"({"cwd": "/link"})");
  ASSERT_TRUE(process);
  const auto found = FindWorkingDirectory(*process, base_ + "/rootfs");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->resolved, "/proc/self/fd/7");
}

}  // namespace
}  // namespace runclad::host::places_test
