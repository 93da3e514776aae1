// What people call a container, by the state of its engine.
#include "runclad/engine/container_name.hpp"

#include <string>

#include <gtest/gtest.h>

#include "fixture.hpp"
#include "storage_fixture.hpp"

namespace runclad::engine {
namespace {

using runclad::testing::InPrivateMounts;
using runclad::testing::WriteFile;

TEST(ContainerName, OfDockerIsInItsRecordOfExactlyThisContainer) {
  InPrivateMounts([] {
    const std::string record = "/srv/docker/containers/" + kId + "/config.v2.json";
    Layout layout;
    layout.engine = Engine::kDocker;
    layout.id = kId;
    layout.data_root = "/srv/docker";
    WriteFile(record, R"({"ID":")" + kId + R"(","Name":"/web","Config":{"Name":"/no"}})");
    EXPECT_EQ(NameOfContainer(layout), "web");
    WriteFile(record, R"({"ID":")" + kOther + R"(","Name":"/web"})");
    EXPECT_EQ(NameOfContainer(layout), "");
    WriteFile(record, "{");
    EXPECT_EQ(NameOfContainer(layout), "");
  });
}

TEST(ContainerName, OfPodmanIsTheFirstInEitherList) {
  InPrivateMounts([] {
    Layout layout;
    layout.engine = Engine::kPodman;
    layout.id = kId;
    layout.data_root = kGraph;
    layout.storage_driver = "overlay";
    WriteFile(kContainerList, R"([{"id":")" + kOther + R"(","names":["other"]},{"id":")" + kId +
                                  R"(","names":["one","two"]}])");
    EXPECT_EQ(NameOfContainer(layout), "one");
    WriteFile(kContainerList, R"([{"id":")" + kOther + R"(","names":null}])");
    WriteFile(kGraph + "/overlay-containers/volatile-containers.json",
              R"([{"id":")" + kId + R"(","names":["passing"]}])");
    EXPECT_EQ(NameOfContainer(layout), "passing");
  });
}

TEST(ContainerName, IsTheIdAloneForOthers) {
  Layout layout;
  layout.engine = Engine::kContainerd;
  layout.id = kId;
  EXPECT_EQ(NameOfContainer(layout), "");
}

}  // namespace
}  // namespace runclad::engine
