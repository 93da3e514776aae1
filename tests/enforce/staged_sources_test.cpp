// Replaceable sources, swapped after they were judged: what is mounted is what was judged.
#include "runclad/enforce/staged_sources.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/sys/mounts.hpp"

#include "../mount_namespace.hpp"

namespace runclad::enforce::staged_sources_test {
namespace {

using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files

constexpr const char* kRecords = "/run/runclad";

// A bind of /srv/judged and an overlay with it as a lower layer.
oci::Spec Document() {
  const json::Document config = {{"mounts",
                                  {{{"destination", "/a"},
                                    {"type", "bind"},
                                    {"source", "/srv/judged"},
                                    {"options", {"rbind", "ro"}}},
                                   {{"destination", "/b"},
                                    {"type", "overlay"},
                                    {"source", "overlay"},
                                    {"options", {"lowerdir=/srv/judged:/srv/other"}}}}}};
  auto spec = oci::Spec::Parse(config.dump());
  EXPECT_TRUE(spec) << spec.error().message;
  return *std::move(spec);
}

rules::Facts FactsOf(bool is_replaceable) {
  rules::Facts facts;
  const auto located = sys::Locate("/srv/judged");
  EXPECT_TRUE(located);
  rules::SourceFacts& source = facts.Get<rules::Sources>()["/srv/judged"];
  source.access = rules::SourceFacts::Access::kAllowed;
  source.resolved = located->path;
  source.device = located->inode.device;
  source.inode = located->inode.number;
  if (is_replaceable) source.replaceable_because = "could be replaced by user 1, who owns /srv";
  facts.Get<rules::Sources>()["/srv/other"] = {};
  return facts;
}

std::string Content(const std::string& path) {
  std::string text;
  std::ifstream(path) >> text;
  return text;
}

void MakeSources() {
  MakeDirectories(kRecords);
  WriteFile("/srv/judged/mark", "judged");
  TmpfsMount("/srv/judged/below");
  WriteFile("/srv/judged/below/mark", "below");
  MakeDirectories("/srv/other");
}

TEST(StagedSources, AreNotNeededIfOnlyRootCanReplaceThem) {
  InPrivateMounts([] {
    MakeSources();
    rules::Facts facts = FactsOf(false);
    const auto staged = StageSources(Document(), /*starts_at_once=*/true, facts);
    ASSERT_TRUE(staged) << staged.error().message;
    EXPECT_FALSE(staged->has_value());
  });
}

TEST(StagedSources, OfAnOverlayKeepTheirOrder) {
  InPrivateMounts([] {
    MakeSources();
    rules::Facts facts = FactsOf(true);
    const auto staged = StageSources(Document(), /*starts_at_once=*/false, facts);
    ASSERT_TRUE(staged) << staged.error().message;
    ASSERT_TRUE(staged->has_value());
    const oci::Spec& spec = (*staged)->spec;
    EXPECT_EQ(spec.mounts()[0].source, "/srv/judged") << "is compared at start";
    EXPECT_EQ(spec.mounts()[1].options[0], "lowerdir=/run/runclad/0:/srv/other");
    EXPECT_EQ(facts.Get<rules::Sources>().at("/run/runclad/0").replaceable_because, "");
    std::filesystem::rename("/srv/judged", "/srv/moved");
    WriteFile("/srv/judged/mark", "foreign");
    EXPECT_EQ(Content("/run/runclad/0/mark"), "judged");
  });
}

TEST(StagedSources, IncludeAllBindsIfStartDoesNotVerify) {
  InPrivateMounts([] {
    MakeSources();
    rules::Facts facts = FactsOf(true);
    const auto staged = StageSources(Document(), /*starts_at_once=*/true, facts);
    ASSERT_TRUE(staged) << staged.error().message;
    ASSERT_TRUE(staged->has_value());
    const oci::Spec& spec = (*staged)->spec;
    EXPECT_EQ(spec.mounts()[0].source, "/run/runclad/0");
    EXPECT_EQ(spec.mounts()[0].options, Document().mounts()[0].options);
    EXPECT_EQ(spec.mounts()[1].options[0], "lowerdir=/run/runclad/0:/srv/other");
    EXPECT_EQ(Content("/run/runclad/0/below/mark"), "below") << "with what is mounted below";
    EXPECT_EQ(facts.Get<rules::Sources>().at("/run/runclad/0").inode,
              facts.Get<rules::Sources>().at("/srv/judged").inode);
  });
}

TEST(StagedSources, IncludeTheRootIfStartDoesNotVerify) {
  InPrivateMounts([] {
    MakeSources();
    struct stat status {};
    ASSERT_EQ(::stat("/srv/judged", &status), 0);
    rules::Facts facts;
    facts.Get<rules::RootFacts>().resolved = "/srv/judged";
    facts.Get<rules::RootDirectory>().device = status.st_dev;
    facts.Get<rules::RootDirectory>().inode = status.st_ino;
    const auto spec = oci::Spec::Parse(R"({"root":{"path":"/srv/judged"}})");
    ASSERT_FALSE(StageSources(*spec, /*starts_at_once=*/true, facts)->has_value());
    facts.Get<rules::RootFacts>().replaceable_because = "could be replaced by user 1000";
    ASSERT_FALSE(StageSources(*spec, /*starts_at_once=*/false, facts)->has_value());
    const auto staged = StageSources(*spec, /*starts_at_once=*/true, facts);
    ASSERT_TRUE(staged) << staged.error().message;
    ASSERT_TRUE(staged->has_value());
    EXPECT_EQ((*staged)->spec.root_path(), "/run/runclad/0");
    EXPECT_EQ(Content("/run/runclad/0/below/mark"), "below") << "with what is mounted below";
    std::filesystem::rename("/srv/judged", "/srv/moved");
    WriteFile("/srv/judged/mark", "foreign");
    EXPECT_EQ(Content("/run/runclad/0/mark"), "judged");
  });
}

TEST(StagedSources, DoNotChangeTheDocumentOnDisk) {
  InPrivateMounts([] {
    MakeSources();
    WriteFile("/srv/bundle/config.json", "written");
    ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_SHARED, nullptr), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      rules::Facts facts = FactsOf(true);
      auto staged = StageSources(Document(), /*starts_at_once=*/true, facts);
      const bool is_covered = staged &&
                              (*staged)->staging.Cover("/srv/bundle/config.json", "handed-on") &&
                              Content("/srv/bundle/config.json") == "handed-on" &&
                              Content("/run/runclad/0/mark") == "judged";
      ::_exit(is_covered ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(Content("/srv/bundle/config.json"), "written");
    EXPECT_FALSE(std::filesystem::exists("/run/runclad/0")) << "seen in another namespace";
  });
}

TEST(StagedSources, AreRefusedIfTheFileWasReplaced) {
  InPrivateMounts([] {
    MakeSources();
    rules::Facts facts = FactsOf(true);
    std::filesystem::rename("/srv/judged", "/srv/moved");
    ASSERT_EQ(::symlink("/etc", "/srv/judged"), 0);
    const auto by_link = StageSources(Document(), /*starts_at_once=*/true, facts);
    ASSERT_FALSE(by_link);
    EXPECT_NE(by_link.error().message.find("refused by host-mounts: the mount of /srv/judged"),
              std::string::npos)
        << by_link.error().message;
    std::filesystem::remove("/srv/judged");
    MakeDirectories("/srv/judged");
    const auto by_directory = StageSources(Document(), /*starts_at_once=*/true, facts);
    ASSERT_FALSE(by_directory);
    EXPECT_NE(by_directory.error().message.find("was replaced after it was checked"),
              std::string::npos);
  });
}

}  // namespace
}  // namespace runclad::enforce::staged_sources_test
