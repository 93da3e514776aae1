#include "learn/candidates.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::learn::candidates_test {
namespace {

using look::Change;
using look::ChangeKind;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Strings = std::vector<std::string>;

Change Of(const std::string& path, ChangeKind kind, std::uint32_t mode, bool is_program = false) {
  Change change;
  change.path = path;
  change.kind = kind;
  change.mode = mode;
  change.is_program = is_program;
  return change;
}
Change AddedFile(const std::string& path, bool is_program = false) {
  return Of(path, ChangeKind::kAdded, S_IFREG | 0644, is_program);
}
Change AddedDirectory(const std::string& path) {
  return Of(path, ChangeKind::kAdded, S_IFDIR | 0755);
}

Places PlacesOf(std::vector<Change> changes, const Strings& mounts = {}) {
  const look::Drift drift{std::move(changes), false};
  return learn::PlacesOf({&drift, 1}, mounts);
}

TEST(Places, AreTheDirectoriesOfTheImageThatWereWrittenTo) {
  const Places places = PlacesOf(
      {AddedDirectory("/var/cache/nginx/client_temp"), AddedFile("/var/cache/nginx/client_temp/1"),
       Of("/etc/nginx/conf.d/default.conf", ChangeKind::kContent, S_IFREG | 0644),
       Of("/srv/www/old", ChangeKind::kRemoved, 0),
       Of("/opt/app", ChangeKind::kMode, S_IFDIR | 0700)});
  EXPECT_THAT(places.writable,
              ElementsAre("/etc/nginx/conf.d", "/opt/app", "/srv/www", "/var/cache/nginx"));
  EXPECT_THAT(places.programs, IsEmpty());
  EXPECT_THAT(places.notes, IsEmpty());
}

TEST(Places, LeaveOutWhatIsWritableAnyway) {
  const Places places = PlacesOf({AddedFile("/run/nginx.pid"), AddedFile("/tmp/a"),
                                  AddedFile("/var/tmp/b"), AddedFile("/data/c")},
                                 {"/data", "/proc"});
  EXPECT_THAT(places.writable, IsEmpty());
}

TEST(Places, AreOutermost) {
  const Places places = PlacesOf(
      {AddedFile("/var/lib/a/x"), AddedFile("/var/lib/a/b/y"), AddedFile("/var/lib/ab/z")});
  EXPECT_THAT(places.writable, ElementsAre("/var/lib/a", "/var/lib/ab"));
}

TEST(Places, HaveADirectoryThatTheImageLacks) {
  const Places places = PlacesOf({AddedDirectory("/data"), AddedFile("/data/x")});
  EXPECT_THAT(places.writable, ElementsAre("/data"));
}

TEST(Places, SayWhatNoGrantCovers) {
  const Places places = PlacesOf({AddedFile("/core")});
  EXPECT_THAT(places.writable, IsEmpty());
  EXPECT_THAT(places.notes, ElementsAre("/core was changed, and no grant makes / writable"));
}

TEST(Places, KnowWhereProgramsWereAdded) {
  const Places places =
      PlacesOf({AddedFile("/tmp/jna.so", true), AddedFile("/opt/app/plugin", true)});
  EXPECT_THAT(places.writable, ElementsAre("/opt/app"));
  EXPECT_THAT(places.programs, ElementsAre("/opt/app", "/tmp"));
}

TEST(Groups, PutRareCapabilitiesTogetherAndCommonOnesAlone) {
  // CHOWN, DAC_OVERRIDE, NET_RAW, MKNOD
  const std::uint64_t mask = 1U << 0U | 1U << 1U | 1U << 13U | 1U << 27U;
  const auto groups = GroupsOf({{"/var/lib/x"}, {"/tmp"}, {}}, mask);
  std::vector<Strings> texts;
  for (const Grants& group : groups) {
    texts.emplace_back();
    for (const Grant& grant : group) texts.back().push_back(grant.text());
  }
  EXPECT_THAT(texts,
              ElementsAre(ElementsAre("programs in /tmp"), ElementsAre("CAP_NET_RAW", "CAP_MKNOD"),
                          ElementsAre("CAP_DAC_OVERRIDE"), ElementsAre("CAP_CHOWN"),
                          ElementsAre("writable /var/lib/x")));
}

// A file that is gone when the service has ended.
TEST(Touched, AreTheDirectoriesThatAreEmptyInTheLayerOfChanges) {
  namespace fs = std::filesystem;
  const fs::path upper = fs::path(::testing::TempDir()) / ("touched." + std::to_string(::getpid()));
  for (const char* path : {"usr/local/logs", "var/made", "etc"})
    fs::create_directories(upper / path);
  std::ofstream(upper / "etc/written") << "x";
  look::Drift drift{{AddedDirectory("/var/made"), AddedFile("/etc/written")}, false};
  AddTouched(upper.string(), drift);
  ASSERT_EQ(drift.changes.size(), 3U);
  EXPECT_EQ(drift.changes.back().path, "/usr/local/logs");
  EXPECT_THAT(PlacesOf(drift.changes).writable, ElementsAre("/etc", "/usr/local/logs", "/var"));
  fs::remove_all(upper);
  AddTouched(upper.string(), drift);
  EXPECT_EQ(drift.changes.size(), 3U);
}

}  // namespace
}  // namespace runclad::learn::candidates_test
