// /root/path as attackers and engines spell it, on real files.
#include "enforce/root_facts.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../mount_namespace.hpp"

namespace runclad::enforce {
namespace {

using rules::RootFacts;
using Kind = RootFacts::Kind;
using Strings = std::vector<std::string>;
using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files

RootFacts FactsOf(const std::string& path, const Strings& allow = {}, const char* id = "abc") {
  const json::Document config = {{"root", {{"path", path}}}};
  const auto spec = oci::Spec::Parse(config.dump());
  EXPECT_TRUE(spec) << spec.error().message;
  policy::RuleSetting setting;
  setting.action = policy::Action::kRefuse;
  setting.parameters.Set("allow", allow);
  engine::Layout layout;
  layout.id = id;
  layout.bundle = "/srv/bundle";
  layout.data_directories = {"/srv/data"};
  return DescribeRoot(*spec, setting, "/srv/bundle", layout);
}

TEST(RootPath, BelongsToTheBundleOrTheEnginesStorage) {
  InPrivateMounts([] {
    for (const char* path : {"/srv/bundle/rootfs", "/srv/data/overlay2/1/merged", "/srv/other/root",
                             "/srv/bundle2/rootfs", "/srv/data2"}) {
      MakeDirectories(path);
    }
    WriteFile("/srv/bundle/file");
    for (const char* path : {"rootfs", "/srv/bundle/rootfs", "./rootfs/", "/srv//bundle/./rootfs/",
                             "/srv/data/overlay2/1/merged"}) {
      EXPECT_EQ(FactsOf(path).kind, Kind::kOrdinary) << path << " " << FactsOf(path).because;
    }
    for (const char* path :
         {"/srv/other/root", "/srv/bundle", ".", "/srv/data", "/srv/data2", "/srv/bundle2/rootfs",
          "/etc", "/var", "/srv", "file", "none", "/proc/1/root/etc"}) {
      EXPECT_EQ(FactsOf(path).kind, Kind::kOutside) << path;
      EXPECT_NE(FactsOf(path).because, "") << path;
    }
    EXPECT_EQ(FactsOf("/srv/other/root", {"/srv/other"}).kind, Kind::kOrdinary);
    EXPECT_EQ(FactsOf("/srv/other/root", {"/srv/other/root"}).kind, Kind::kOrdinary);
    EXPECT_EQ(FactsOf("/srv/other/root", {"/srv/oth", "/srv/none"}).kind, Kind::kOutside);
  });
}

TEST(RootPath, IsTheHostsUnderWhateverName) {
  InPrivateMounts([] {
    MakeDirectories("/srv/bundle");
    BindMount("/", "/srv/bundle/bound");
    ASSERT_EQ(::symlink("/", "/srv/bundle/link"), 0);
    for (const char* path : {"/", "//", "/.", "bound", "link", "../../..", "/srv/.."}) {
      EXPECT_EQ(FactsOf(path).kind, Kind::kHostRoot) << path;
      EXPECT_EQ(FactsOf(path, {"/srv"}).kind, Kind::kHostRoot) << path;
    }
  });
}

TEST(RootPath, IsNoLink) {
  InPrivateMounts([] {
    MakeDirectories("/srv/bundle/rootfs/below");
    MakeDirectories("/srv/home");
    ASSERT_EQ(::symlink("rootfs", "/srv/bundle/link"), 0);
    ASSERT_EQ(::symlink("/etc", "/srv/bundle/etc"), 0);
    ASSERT_EQ(::symlink("/srv/home", "/srv/bundle/home"), 0);
    for (const char* path :
         {"link", "link/below", "etc", "rootfs/../link", "rootfs/../../data", "home"}) {
      const Kind kind = FactsOf(path).kind;
      EXPECT_TRUE(kind == Kind::kLink || kind == Kind::kOutside) << path;
    }
    EXPECT_EQ(FactsOf("link").because, "leads through a link to /srv/bundle/rootfs");
    EXPECT_EQ(FactsOf("home", {"/srv/home"}).kind, Kind::kLink);
  });
}

TEST(RootPath, ThatAUserCouldLeadElsewhereIsNotListed) {
  InPrivateMounts([] {
    MakeDirectories("/srv/real/root");
    MakeDirectories("/srv/home");
    ASSERT_EQ(::symlink("/srv/real", "/srv/home/link"), 0);
    ASSERT_EQ(::chown("/srv/home", 1000, 1000), 0);
    EXPECT_EQ(FactsOf("/srv/real/root", {"/srv/home/link"}).kind, Kind::kOutside);
  });
}

TEST(RootPath, OfADocumentAloneIsHeldAgainstTheHostsRootOnly) {
  InPrivateMounts([] {
    MakeDirectories("/srv/other");
    EXPECT_EQ(FactsOf("/srv/none/merged", {}, "").kind, Kind::kUnknown);
    EXPECT_EQ(FactsOf("/srv/other", {}, "").kind, Kind::kOrdinary);
    EXPECT_EQ(FactsOf("/", {}, "").kind, Kind::kHostRoot);
  });
}

}  // namespace
}  // namespace runclad::enforce
