// /root/path as attackers and engines spell it, on real files.
#include "runclad/host/root.hpp"

#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "../mount_namespace.hpp"

namespace runclad::host::root_test {
namespace {

using Kind = RootFacts::Kind;
using Strings = std::vector<std::string>;
using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files

const std::string kOwnLayer = "/srv/data/overlay2/1/merged";

RootFacts Described(const std::string& path, const Strings& allow, const char* id) {
  const json::Document config = {{"root", {{"path", path}}}};
  const auto spec = oci::Spec::Parse(config.dump());
  EXPECT_TRUE(spec) << spec.error().message;
  engine::Layout layout;
  layout.id = id;
  layout.bundle = "/srv/bundle";
  layout.data_directories = {"/srv/data"};
  layout.engine = engine::Engine::kPodman;
  layout.storage_driver = "overlay";
  return DescribeRoot(*spec, allow, "/srv/bundle", layout, kOwnLayer);
}

// What it says would let it pass does.
RootFacts FactsOf(const std::string& path, Strings allow = {}, const char* id = "abc") {
  RootFacts facts = Described(path, allow, id);
  if (facts.allow.empty()) return facts;
  EXPECT_EQ(facts.kind, Kind::kOutside) << path;
  allow.insert(allow.end(), facts.allow.begin(), facts.allow.end());
  const RootFacts allowed = Described(path, allow, id);
  EXPECT_EQ(allowed.kind, Kind::kOrdinary) << path << ' ' << allowed.because;
  return facts;
}

TEST(RootPath, MustBeInTheBundleOrTheContainersLayer) {
  InPrivateMounts([] {
    for (const char* path : {"/srv/bundle/rootfs", "/srv/data/overlay2/1/merged", "/srv/other/root",
                             "/srv/bundle2/rootfs", "/srv/data2", "/srv/data/overlay2/2/merged",
                             "/srv/data/secrets", kOwnLayer.c_str()}) {
      MakeDirectories(path);
    }
    WriteFile("/srv/bundle/file");
    for (const char* path : {"rootfs", "/srv/bundle/rootfs", "./rootfs/", "/srv//bundle/./rootfs/",
                             "/srv/data/overlay2/1/merged"}) {
      EXPECT_EQ(FactsOf(path).kind, Kind::kOrdinary) << path << " " << FactsOf(path).because;
    }
    for (const char* path :
         {"/srv/other/root", "/srv/bundle", ".", "/srv/data", "/srv/data2", "/srv/data/secrets",
          "/srv/data/overlay2/2/merged", "/srv/data/overlay2/1", "/srv/bundle2/rootfs", "/etc",
          "/var", "/srv", "file", "none", "/proc/1/root/etc"}) {
      EXPECT_EQ(FactsOf(path).kind, Kind::kOutside) << path;
      EXPECT_NE(FactsOf(path).because, "") << path;
    }
    EXPECT_EQ(FactsOf("/srv/other/root").allow, Strings{"/srv/other/root"});
    EXPECT_EQ(FactsOf("file").allow, Strings{});
    EXPECT_EQ(FactsOf("/srv/other/root", {"/srv/other"}).kind, Kind::kOrdinary);
    EXPECT_EQ(FactsOf("/srv/other/root", {"/srv/other/root"}).kind, Kind::kOrdinary);
    EXPECT_EQ(FactsOf("/srv/other/root", {"/srv/oth", "/srv/none"}).kind, Kind::kOutside);
    // What is listed above the storage is not meant for what the engine keeps there.
    EXPECT_EQ(FactsOf("/srv/data/secrets", {"/srv"}).kind, Kind::kOutside);
    EXPECT_EQ(FactsOf("/srv/data/secrets", {"/srv/data"}).kind, Kind::kOutside);
    EXPECT_EQ(FactsOf("/srv/data/secrets", {"/srv/data/secrets"}).kind, Kind::kOrdinary);
  });
}

TEST(RootPath, RecognisesTheHostsRootUnderAnyName) {
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

TEST(RootPath, MustNotBeALink) {
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
    EXPECT_EQ(FactsOf(".").because,
              "is the bundle itself, so that its config.json would be among the container's files: "
              "keep them in a directory below it");
    EXPECT_EQ(FactsOf("link").because, "leads through a link to /srv/bundle/rootfs");
    EXPECT_EQ(FactsOf("home", {"/srv/home"}).kind, Kind::kLink);
  });
}

void Overlay(const std::string& lower, const std::string& point) {
  const std::string own = point.substr(0, point.rfind('/'));
  for (const char* name : {"/upper", "/work"}) MakeDirectories(own + name);
  MakeDirectories(point);
  const std::string options =
      "lowerdir=" + lower + ",upperdir=" + own + "/upper,workdir=" + own + "/work";
  ASSERT_EQ(::mount("overlay", point.c_str(), "overlay", 0, options.c_str()), 0) << options;
}

TEST(RootPath, AnOverlayIsJudgedByItsLayers) {
  InPrivateMounts([] {
    const std::string own = "/srv/run/overlay-containers/abc/rootfs/merge";
    const std::string others = "/srv/run/overlay-containers/def/rootfs/merge";
    MakeDirectories("/srv/listed/a b");
    MakeDirectories("/srv/listed/c:d");
    MakeDirectories("/srv/listed/e");
    MakeDirectories("/srv/other");
    MakeDirectories("/srv/data/secrets");
    struct Case {
      const char* lower;
      Kind kind;
    };
    for (const Case& one :
         {Case{"/", Kind::kHostRoot}, Case{"/srv/listed/a b", Kind::kOrdinary},
          Case{"/srv/listed/c\\:d", Kind::kOrdinary},
          Case{"/srv/listed/a b:/srv/listed/e", Kind::kOrdinary},
          Case{"/srv/listed/a b:/srv/other", Kind::kOutside}, Case{"/srv/other", Kind::kOutside},
          Case{"/etc", Kind::kOutside}, Case{"/srv/data/secrets", Kind::kOutside}}) {
      Overlay(one.lower, own);
      EXPECT_EQ(FactsOf(own, {"/srv/listed"}).kind, one.kind)
          << one.lower << ": " << FactsOf(own, {"/srv/listed"}).because;
      EXPECT_NE(FactsOf(own).kind, Kind::kOrdinary) << one.lower;
      ASSERT_EQ(::umount(own.c_str()), 0);
    }
    Overlay("/", own);
    EXPECT_EQ(FactsOf(own).because, "is an overlay over /, which is the host's root filesystem");
    ASSERT_EQ(::umount(own.c_str()), 0);
    // One that is listed, and one that was made for another container.
    Overlay("/srv/other", "/srv/listed/merge");
    EXPECT_EQ(FactsOf("/srv/listed/merge", {"/srv/listed"}).kind, Kind::kOutside);
    Overlay("/srv/listed", others);
    EXPECT_EQ(FactsOf(others, {"/srv/listed"}).kind, Kind::kOutside);
    // The kernel tells only the path, so nobody else may have exchanged what is there.
    MakeDirectories("/srv/listed/home/tree");
    ASSERT_EQ(::chown("/srv/listed/home", 1000, 1000), 0);
    Overlay("/srv/listed/home/tree", own);
    EXPECT_EQ(FactsOf(own, {"/srv/listed"}).kind, Kind::kOutside);
  });
}

TEST(RootPath, RefusesAListedPathThatOthersCanChange) {
  InPrivateMounts([] {
    MakeDirectories("/srv/real/root");
    MakeDirectories("/srv/home");
    ASSERT_EQ(::symlink("/srv/real", "/srv/home/link"), 0);
    ASSERT_EQ(::chown("/srv/home", 1000, 1000), 0);
    EXPECT_EQ(FactsOf("/srv/real/root", {"/srv/home/link"}).kind, Kind::kOutside);
  });
}

TEST(RootPath, OfADocumentAloneIsComparedWithTheHostsRootOnly) {
  InPrivateMounts([] {
    MakeDirectories("/srv/other");
    EXPECT_EQ(FactsOf("/srv/none/merged", {}, "").kind, Kind::kUnknown);
    EXPECT_EQ(FactsOf("/srv/other", {}, "").kind, Kind::kOrdinary);
    EXPECT_EQ(FactsOf("/", {}, "").kind, Kind::kHostRoot);
  });
}

}  // namespace
}  // namespace runclad::host::root_test
