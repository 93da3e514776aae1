#include "runclad/oci/overlay.hpp"

#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace runclad::oci::overlay_test {
namespace {

// "path:" for each lower layer, "path;" for others; "unclear" when there is no telling.
std::string Layers(std::vector<std::string> options) {
  const auto layers = OverlayLayers({"/x", "overlay", "overlay", std::move(options)});
  if (!layers) return "unclear";
  std::string text;
  for (const OverlayLayer& layer : *layers) text += layer.path + (layer.is_lower ? ":" : ";");
  return text;
}

TEST(OverlayLayers, AreParsedAsTheKernelDoes) {
  EXPECT_EQ(Layers({}), "");
  EXPECT_EQ(Layers({"ro", "lowerdir=/a"}), "/a:");
  EXPECT_EQ(Layers({"lowerdir=/a:/b", "upperdir=/c", "workdir=/d"}), "/a:/b:/c;/d;");
  EXPECT_EQ(Layers({"ro,lowerdir=/a:/b,upperdir=/c"}), "/a:/b:/c;");
  EXPECT_EQ(Layers({"lowerdir=/a::/data"}), "/a:/data:");
  EXPECT_EQ(Layers({"lowerdir+=/a", "datadir+=/b"}), "/a:/b:");
  EXPECT_EQ(Layers({"lowerdir=/a", "lowerdir=/b"}), "/a:/b:");
  EXPECT_EQ(Layers({"userxattr", "metacopy=on"}), "");
}

TEST(OverlayLayers, AreUnknownIfAmbiguous) {
  EXPECT_EQ(Layers({R"(lowerdir=/a\:/b)"}), "unclear");
  EXPECT_EQ(Layers({R"(index=\)", "lowerdir=/b"}), "unclear");
  EXPECT_EQ(Layers({"lowerdir=a"}), "unclear");
  EXPECT_EQ(Layers({"lowerdir=/a:b"}), "unclear");
  EXPECT_EQ(Layers({"workdir=./w"}), "unclear");
}

TEST(ReplaceLowerLayers, ChangesOnlyTheLowerLayers) {
  const std::map<std::string, std::string> places = {{"/a", "/p/0"}, {"/d", "/p/1"}};
  EXPECT_EQ(
      ReplaceLowerLayers({"ro", "lowerdir=/a:/b::/d,upperdir=/a", "workdir=/a", "x=/a"}, places),
      (std::vector<std::string>{"ro", "lowerdir=/p/0:/b::/p/1,upperdir=/a", "workdir=/a", "x=/a"}));
  EXPECT_EQ(ReplaceLowerLayers({"lowerdir+=/a", "datadir+=/d", "lowerdir"}, places),
            (std::vector<std::string>{"lowerdir+=/p/0", "datadir+=/p/1", "lowerdir"}));
}

}  // namespace
}  // namespace runclad::oci::overlay_test
