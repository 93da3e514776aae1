// The parts of an image's config blob that count, as builders and attackers write them.
#include "engine/image_config.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::engine::image_config_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

TEST(ImageConfig, ReadsLayersAndVolumes) {
  const std::string layer = "sha256:" + std::string(64, 'a');
  const auto config = ReadImageConfig(
      R"({"config":{"Volumes":{"/data":{},"/var/lib/x":null,"here":{}},"User":"x"},)"
      R"("rootfs":{"type":"layers","diff_ids":[")" +
      layer + R"("]}})");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->diff_ids, ElementsAre(layer));
  EXPECT_THAT(config->volumes, ElementsAre("/data", "/var/lib/x"));  // "here" is of no root
}

TEST(ImageConfig, MayLackLayersAndVolumes) {
  for (const char* text : {R"({"rootfs":{}})", R"({"config":null,"rootfs":{"diff_ids":null}})",
                           R"({"config":{"Volumes":null},"rootfs":{"diff_ids":[]}})",
                           R"({"config":{},"rootfs":{}})"}) {
    const auto config = ReadImageConfig(text);
    ASSERT_TRUE(config) << text << config.error().message;
    EXPECT_THAT(config->diff_ids, IsEmpty()) << text;
    EXPECT_THAT(config->volumes, IsEmpty()) << text;
  }
}

TEST(ImageConfig, RejectsAnotherStructure) {
  for (const char* text :
       {"", "{}", "[]", R"({"rootfs":[]})", R"({"rootfs":{"diff_ids":["x"]}})",
        R"({"rootfs":{},"config":[]})", R"({"rootfs":{},"config":{"Volumes":[]}})",
        R"({"rootfs":{},"rootfs":{}})", R"({"rootfs":{}} x)"}) {
    EXPECT_FALSE(ReadImageConfig(text)) << text;
  }
}

TEST(ImageConfig, BoundsTheNumberOfVolumes) {
  std::string volumes;
  for (int i = 0; i < 5000; ++i) volumes += R"(,"/v)" + std::to_string(i) + R"(":{})";
  const auto config =
      ReadImageConfig(R"({"config":{"Volumes":{)" + volumes.substr(1) + R"(}},"rootfs":{}})");
  ASSERT_TRUE(config) << config.error().message;
  EXPECT_THAT(config->volumes, SizeIs(kMaxVolumes));
}

}  // namespace
}  // namespace runclad::engine::image_config_test
