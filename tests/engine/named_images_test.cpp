// The images that engines' stores have under a name.
#include "runclad/engine/named_images.hpp"

#include <unistd.h>

#include <string>

#include <gmock/gmock.h>

#include "fixture.hpp"

namespace runclad::engine::named_images_test {
namespace {

using runclad::testing::InPrivateMounts;
using runclad::testing::WriteFile;
using ::testing::ElementsAre;

std::string Digest(char digit) { return "sha256:" + std::string(64, digit); }

Stores StoresOfTest() {
  return Stores{.docker = {"/srv/docker"}, .containerd = {}, .storage = {"/srv/storage"}};
}

std::vector<NamedImage> Find(const std::string& name) {
  const auto reference = ParseReference(name);
  EXPECT_TRUE(reference) << name;
  return FindNamedImages(*reference, StoresOfTest());
}

TEST(NamedImages, OfDockerComeFromRepositoriesJson) {
  InPrivateMounts([] {
    WriteFile("/srv/docker/image/overlay2/repositories.json",
              R"({"Repositories":{"nginx":{"nginx:1.27":")" + Digest('a') +
                  R"(","nginx:latest":")" + Digest('b') + R"(","nginx@)" + Digest('c') + R"(":")" +
                  Digest('a') + R"("}}})");
    const auto found = Find("nginx:1.27");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].store, "Docker's store /srv/docker");
    EXPECT_THAT(found[0].digests, ElementsAre(Digest('a'), Digest('c')));
    ASSERT_EQ(Find("nginx").size(), 1U);
    EXPECT_THAT(Find("nginx")[0].digests, ElementsAre(Digest('b')));
    EXPECT_TRUE(Find("nginx:1.28").empty());
    EXPECT_TRUE(Find("me/nginx:1.27").empty());
  });
}

TEST(NamedImages, OfPodmanComeFromImagesJson) {
  InPrivateMounts([] {
    const std::string list = "/srv/storage/overlay-images/images.json";
    WriteFile(list, R"([{"id":")" + std::string(64, 'a') + R"(","digest":")" + Digest('b') +
                        R"(","names":["localhost/app:1"]},{"id":")" + std::string(64, 'c') +
                        R"(","names":null}])");
    const auto found = Find("localhost/app:1");
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].store, "the store /srv/storage");
    EXPECT_THAT(found[0].digests, ElementsAre(Digest('a'), Digest('b')));
    WriteFile(list, "[{");
    EXPECT_TRUE(Find("localhost/app:1").empty());
  });
}

TEST(NamedImages, IgnoreStateThatOthersCanWrite) {
  InPrivateMounts([] {
    const std::string list = "/srv/docker/image/overlay2/repositories.json";
    WriteFile(list, R"({"Repositories":{"nginx":{"nginx:latest":")" + Digest('a') + R"("}}})");
    ASSERT_EQ(::chown(list.c_str(), 1000, 1000), 0);
    EXPECT_TRUE(Find("nginx").empty());
  });
}

}  // namespace
}  // namespace runclad::engine::named_images_test
