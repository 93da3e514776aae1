// What engines, services and the kernel print.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/policy/effective.hpp"
#include "runclad/rules/rule.hpp"

#include "learn/boot.hpp"
#include "learn/docker.hpp"
#include "learn/image_file.hpp"
#include "learn/seen.hpp"
#include "learn/trial.hpp"

namespace runclad::learn::texts_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::string kId = "sha256:" + std::string(64, 'a');

std::string Inspected(const std::string& config) {
  return R"([{"Id": ")" + kId + R"(", "Created": "2026-11-26T00:00:00Z", "Size": 123,
    "Config": )" +
         config + "}]";
}

TEST(Image, HasItsVolumesUserAndHealthCheck) {
  const auto image = ReadImage(Inspected(R"({"User": "999:999", "Volumes": {"/data": {}},
      "Healthcheck": {"Test": ["CMD-SHELL", "redis-cli ping || exit 1"], "Interval": 30000000000,
                      "Timeout": 20500000000}})"),
                               "redis:7");
  ASSERT_TRUE(image) << image.error().message;
  EXPECT_EQ(image->id, kId);
  EXPECT_EQ(image->repository, "docker.io/library/redis");
  EXPECT_THAT(image->volumes, ElementsAre("/data"));
  EXPECT_THAT(image->health, ElementsAre("/bin/sh", "-c", "redis-cli ping || exit 1"));
  EXPECT_EQ(image->health_limit, std::chrono::milliseconds(20'500));
  EXPECT_FALSE(image->starts_as_root());
}

TEST(Image, MayHaveNoneOfThem) {
  const auto image = ReadImage(
      Inspected(R"({"User": "", "Volumes": null, "Healthcheck": {"Test": ["NONE"]}})"), kId);
  ASSERT_TRUE(image);
  EXPECT_THAT(image->volumes, IsEmpty());
  EXPECT_THAT(image->health, IsEmpty());
  EXPECT_THAT(image->repository, IsEmpty());
  EXPECT_TRUE(image->starts_as_root());
}

TEST(Probe, TakesAsLongAsTheHealthCheckSaysOrTheRequest) {
  using std::chrono::seconds;
  Request request;
  Image image;
  EXPECT_EQ(ProbeLimit(request, image), seconds(15));
  image.health_limit = std::chrono::milliseconds(3000);
  EXPECT_EQ(ProbeLimit(request, image), seconds(15));
  image.health_limit = std::chrono::milliseconds(20'500);
  EXPECT_EQ(ProbeLimit(request, image), seconds(21));
  request.probe = "true";  // not the image's
  EXPECT_EQ(ProbeLimit(request, image), seconds(15));
  request.probe_limit = seconds(60);
  EXPECT_EQ(ProbeLimit(request, image), seconds(60));
}

TEST(Image, MustBeWhatDockerPrints) {
  for (const char* text : {"", "{}", "[]", "[1]", R"([{"Id": "sha256:a", "Config": {}}])",
                           R"([{"Id": 1, "Config": {}}])"}) {
    EXPECT_FALSE(ReadImage(text, "x")) << text;
  }
}

TEST(Denial, IsTheLastLineThatSaysSo) {
  EXPECT_EQ(DenialIn("starting\nchown: /data: Operation not permitted\nmkdir: /x: Permission denied"
                     "\nbye\n"),
            "mkdir: /x: Permission denied");
  EXPECT_EQ(DenialIn("open: EROFS: Read-only file system"), "open: EROFS: Read-only file system");
  EXPECT_EQ(DenialIn("all is well\n"), "");
  EXPECT_EQ(DenialIn(""), "");
}

TEST(User, IsTheEffectiveOne) {
  EXPECT_EQ(UserIn("Name:\tx\nUid:\t0\t999\t999\t999\nGid:\t0\t998\t998\t998\nGroups:\t\n"),
            "999:998");
  for (const char* text : {"", "Uid:", "Uid:\t0", "Name:\tUid:\nGid:\t1\t2\t3\t4\n"}) {
    EXPECT_EQ(UserIn(text), "") << text;
  }
}

TEST(Serving, SaysWhatIsMissing) {
  const Serving all{{"0:0", "101:101"}, {"tcp 80"}};
  EXPECT_EQ(all.MissingIn(all), "");
  EXPECT_EQ(all.MissingIn({{"0:0"}, {"tcp 80"}}), "no process runs as 101:101, but as 0:0");
  EXPECT_EQ(all.MissingIn({{"0:0", "101:101", "1:1"}, {}}), "nothing listens on tcp 80");
}

const std::vector<Judged> kJudged = {{{GrantKind::kWritable, "/var/b"}, true, "x", ""},
                                     {{GrantKind::kCapability, "CAP_SETUID"}, true, "x", ""},
                                     {{GrantKind::kCapability, "CAP_CHOWN"}, true, "x", ""},
                                     {{GrantKind::kCapability, "CAP_KILL"}, false, "", ""},
                                     {{GrantKind::kPrograms, "/tmp"}, false, "", ""}};

TEST(ImageFile, GrantsWhatIsNeededAndHasNoFault) {
  const std::string text = ImageFileText(kJudged, {kId}, "by a test");
  EXPECT_EQ(text, R"({
  "rules": {
    "capabilities": {
      "allow": [
        "CAP_CHOWN",
        "CAP_SETUID"
      ]
    },
    "read-only-rootfs": {
      "writable": [
        "/var/b"
      ]
    }
  },
  "digests": [
    ")" + kId + R"("
  ],
  "provenance": "by a test"
}
)");
  EXPECT_THAT(policy::FindFaults(text, policy::FileKind::kImage, rules::Schemas()), IsEmpty());
}

TEST(MountOption, TheImagesPathIsOneValue) {
  EXPECT_EQ(MountOption("drawn", "/data", true),
            R"(type=volume,source=drawn,"target=/data",volume-nocopy)");
  EXPECT_EQ(MountOption("drawn", R"(/x,source=db_data)", false),
            R"(type=volume,source=drawn,"target=/x,source=db_data")");
  EXPECT_EQ(MountOption("drawn", R"(/x",type=bind,source=/srv,"y)", false),
            R"(type=volume,source=drawn,"target=/x"",type=bind,source=/srv,""y")");
}

TEST(TrialRules, APathThatIsNotUtf8ThrowsNoException) {
  EXPECT_NE(RulesText({{GrantKind::kWritable, "/\xff"}}), "");
}

TEST(TrialRules, HaveEveryListAndNoFault) {
  const std::string text = RulesText({{GrantKind::kPrograms, "/tmp"}});
  EXPECT_EQ(text,
            R"({"rules":{"capabilities":{"allow":[]},"mount-options":{"exec-paths":["/tmp"]},)"
            R"("read-only-rootfs":{"writable":[]}}})");
  EXPECT_THAT(policy::FindFaults(text, policy::FileKind::kShared, rules::Schemas()), IsEmpty());
}

}  // namespace
}  // namespace runclad::learn::texts_test
