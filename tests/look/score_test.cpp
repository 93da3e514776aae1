#include "runclad/look/score.hpp"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::look::score_test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

// A container that every check that can be decided here finds good.
Container HardenedContainer() {
  Container container;
  container.credentials.uids.fill(100000);
  container.credentials.no_new_privileges = true;
  container.credentials.seccomp_mode = 2;
  container.filter.source = FilterSummary::Source::kKernel;
  container.filter.allowed = 100;
  container.filter.known = 370;
  container.label = "docker-default (enforce)";
  container.is_root_writable = false;
  container.limits.memory = container.limits.pids = 1000;
  container.limits.cpus = 1;
  container.promise = Promise::kKept;
  container.identity.config_digest = "sha256:x";
  container.identity.names.push_back({{}, engine::Tier::kDigest});
  for (const char* kind : {"ipc", "mnt", "net", "pid", "user", "uts"}) {
    container.namespaces.push_back({kind, 1, false, {}});
  }
  return container;
}

double BadnessOf(const Container& container, std::string_view check) {
  const auto finding = FindCheck(check)->assess(container);
  return finding ? finding->badness : -1;
}

TEST(Score, IsZeroForAContainerThatFailsNothing) {
  const Score score = ScoreOf(HardenedContainer());
  EXPECT_EQ(score.exposure, 0);
  EXPECT_THAT(score.worst(3), IsEmpty());
}

TEST(Score, IsTenForOneThatFailsEverything) {
  Container open;
  open.is_host_root = open.can_be_host_root = true;
  open.credentials.bounding = ~std::uint64_t{0};
  open.filter.risky.resize(20);
  for (const char* kind : {"ipc", "mnt", "net", "pid", "user", "uts"}) {
    open.namespaces.push_back({kind, 1, true, {}});
  }
  for (const char* point : {"/proc", "/host", "/a", "/b", "/c", "/d"}) {
    MountState mount;
    mount.point = point;
    mount.root = "/";
    mount.type = "ext4";
    mount.is_writable = mount.may_execute = mount.is_host_bind = true;
    open.mounts.push_back(mount);
  }
  EXPECT_NEAR(ScoreOf(open).exposure, 10, 0.001);
  EXPECT_EQ(LevelOf(10), "UNSAFE");
}

TEST(Score, EachCheckCountsByItsWeight) {
  struct Case {
    std::string_view check;
    void (*spoil)(Container& container);
  };
  const Case cases[] = {
      {"host-root", [](Container& c) { c.is_host_root = true; }},
      {"no-new-privileges", [](Container& c) { c.credentials.no_new_privileges = false; }},
      {"root-filesystem", [](Container& c) { c.is_root_writable = true; }},
      {"label", [](Container& c) { c.label.clear(); }},
      {"memory-limit", [](Container& c) { c.limits.memory.reset(); }},
      {"host-net", [](Container& c) { c.namespaces[2].is_host = true; }},
  };
  double all = 0;
  for (const Check& check : Checks()) all += check.weight;
  for (const auto& [id, spoil] : cases) {
    Container container = HardenedContainer();
    spoil(container);
    const Score score = ScoreOf(container);
    EXPECT_NEAR(score.exposure, 10 * FindCheck(id)->weight / all, 0.001) << id;
    ASSERT_THAT(score.worst(3), SizeIs(1)) << id;
    EXPECT_EQ(score.worst(3)[0].check->id, id);
    const Weights without = {{std::string(id), 0}};
    EXPECT_EQ(ScoreOf(container, without).exposure, 0) << id;
  }
}

TEST(Score, WhatIsNotKnownDoesNotCount) {
  Container container = HardenedContainer();
  container.filter.source = FilterSummary::Source::kUnknown;
  container.limits.unknown = {"memory"};
  container.limits.memory.reset();
  EXPECT_EQ(ScoreOf(container).exposure, 0);
}

TEST(Score, AnEnginesSocketIsSensitiveAndAVolumeIsNot) {
  Container container = HardenedContainer();
  MountState mount;
  mount.is_host_bind = true;
  mount.point = "/data";
  mount.root = "/srv/data";
  mount.type = "ext4";
  container.mounts = {mount};
  EXPECT_EQ(BadnessOf(container, "sensitive-mounts"), 0);
  container.mounts[0].root = "/docker.sock";
  container.mounts[0].type = "tmpfs";
  EXPECT_EQ(BadnessOf(container, "sensitive-mounts"), 1);
}

TEST(Score, EveryCheckHasBothSentencesAndAWayOut) {
  std::set<std::string_view> ids;
  for (const Check& check : Checks()) {
    EXPECT_TRUE(ids.insert(check.id).second) << check.id;
    EXPECT_THAT(check.good, Not(IsEmpty())) << check.id;
    EXPECT_THAT(check.bad, Not(IsEmpty())) << check.id;
    EXPECT_THAT(check.why, Not(IsEmpty())) << check.id;
    EXPECT_THAT(check.fix, Not(IsEmpty())) << check.id;
    EXPECT_GT(check.weight, 0) << check.id;
  }
}

TEST(Score, WeightsAreChecked) {
  EXPECT_EQ(ParseWeights(R"({"seccomp": 20})")->at("seccomp"), 20);
  EXPECT_THAT(ParseWeights(R"({"secomp": 20})").error().message, HasSubstr("did you mean"));
  EXPECT_FALSE(ParseWeights(R"({"seccomp": -1})"));
  EXPECT_FALSE(ParseWeights(R"({"seccomp": "x"})"));
  EXPECT_FALSE(ParseWeights("[]"));
}

TEST(Score, OfADocumentIsThatOfWhatItAsksFor) {
  const auto open = oci::Spec::Parse(R"({"ociVersion": "1.0.2",
    "process": {"args": ["sh"], "cwd": "/", "user": {"uid": 0, "gid": 0},
                "capabilities": {"bounding": ["CAP_SYS_ADMIN"]}},
    "root": {"path": "rootfs"}, "linux": {"namespaces": [{"type": "mount"}]}})");
  ASSERT_TRUE(open) << open.error().message;
  const Container container = ContainerOf(*open, "x");
  EXPECT_EQ(BadnessOf(container, "host-root"), 1);
  EXPECT_EQ(BadnessOf(container, "powerful-capabilities"), 1);
  EXPECT_EQ(BadnessOf(container, "seccomp"), 1);
  EXPECT_EQ(BadnessOf(container, "host-net"), 1);
  EXPECT_EQ(BadnessOf(container, "host-mnt"), 0);
  EXPECT_EQ(BadnessOf(container, "root-filesystem"), 1);
}

}  // namespace
}  // namespace runclad::look::score_test
