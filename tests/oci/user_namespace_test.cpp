#include "runclad/oci/user_namespace.hpp"

#include <map>
#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace runclad::oci::user_namespace_test {
namespace {

using Root = std::optional<std::uint32_t>;

constexpr const char* kNew = R"({"type":"user"})";
constexpr const char* kJoined = R"({"type":"user","path":"/proc/7/ns/user"})";
constexpr const char* kHosts = R"({"type":"user","path":"/proc/1/ns/user"})";
constexpr const char* kOthers = R"([{"containerID":1,"hostID":1,"size":9}])";
constexpr const char* kMapped = R"([{"containerID":0,"hostID":100000,"size":65536}])";
constexpr const char* kToRoot = R"([{"containerID":0,"hostID":0,"size":65536}])";

// The kernel has 100000 for the root of process 7's namespace.
Root OwnerOf(const std::string& namespaces, const std::string& mappings) {
  const auto spec = Spec::Parse(R"({"linux":{"namespaces":[{"type":"mount"})" +
                                (namespaces.empty() ? "" : "," + namespaces) + "]" +
                                (mappings.empty() ? "" : R"(,"uidMappings":)" + mappings) + "}}");
  EXPECT_TRUE(spec) << spec.error().message;
  if (!spec) return std::nullopt;
  return BundleOwner(*spec, [](const std::string& path) {
    return path == "/proc/7/ns/user" ? Root(100000) : std::nullopt;
  });
}

TEST(BundleOwner, OfANewUserNamespaceIsTheMappedRootOfTheDocument) {
  EXPECT_EQ(OwnerOf(kNew, kMapped), 100000U);
  EXPECT_EQ(OwnerOf(kNew, kToRoot), std::nullopt);
  EXPECT_EQ(OwnerOf(kNew, kOthers), std::nullopt);
  EXPECT_EQ(OwnerOf(kNew, ""), std::nullopt);
  EXPECT_EQ(OwnerOf("", kMapped), std::nullopt);
}

TEST(BundleOwner, OfAJoinedUserNamespaceIsTheMappedRootOfTheKernel) {
  EXPECT_EQ(OwnerOf(kJoined, kMapped), 100000U);
  EXPECT_EQ(OwnerOf(kJoined, ""), 100000U);
  // The document's word is not enough,
  EXPECT_EQ(OwnerOf(kHosts, kMapped), std::nullopt);
  EXPECT_EQ(OwnerOf(kHosts, ""), std::nullopt);
  // and must not be another one.
  EXPECT_EQ(OwnerOf(kJoined, kToRoot), std::nullopt);
  EXPECT_EQ(OwnerOf(kJoined, kOthers), std::nullopt);
  EXPECT_EQ(OwnerOf(kJoined, R"([{"containerID":0,"hostID":1000,"size":1}])"), std::nullopt);
}

TEST(BundleOwner, IsUnknownIfSeveralNamespacesAreNamed) {
  EXPECT_EQ(OwnerOf(std::string(kJoined) + "," + kNew, kMapped), std::nullopt);
  EXPECT_EQ(OwnerOf(std::string(kNew) + "," + kNew, kMapped), std::nullopt);
}

}  // namespace
}  // namespace runclad::oci::user_namespace_test
