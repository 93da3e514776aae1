// What is read from the engines' own answers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/json/reader.hpp"

#include "configure/surveys.hpp"

namespace runclad::configure::survey_test {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

std::vector<std::string> RuntimesOf(const Survey& survey) {
  std::vector<std::string> lines;
  for (const KnownRuntime& runtime : survey.runtimes) {
    lines.push_back(runtime.name + " " + runtime.program + " " + runtime.arguments);
  }
  return lines;
}

TEST(Survey, OfDockerComesFromDockerInfo) {
  Survey survey;
  ReadDockerInfo(
      *json::Read(R"({"DefaultRuntime": "runclad", "ServerVersion": "28.5.2", "Runtimes": {
      "runclad": {"path": "/usr/sbin/runclad", "runtimeArgs": ["--a", "b"]},
      "io.containerd.kata.v2": {"runtimeType": "io.containerd.kata.v2"},
      "runc": {"path": "runc"}}})"),
      survey);
  EXPECT_EQ(survey.default_runtime, "runclad");
  EXPECT_EQ(survey.version, "28.5.2");
  EXPECT_EQ(survey.fault, "");
  EXPECT_THAT(RuntimesOf(survey), ElementsAre("io.containerd.kata.v2 io.containerd.kata.v2 ",
                                              "runc runc ", "runclad /usr/sbin/runclad --a b"));
}

TEST(Survey, OfADockerThatDoesNotAnswerIsAFault) {
  Survey survey;
  ReadDockerInfo(*json::Read(R"({"ServerErrors": ["Cannot connect"], "Runtimes": null})"), survey);
  EXPECT_NE(survey.fault, "");
}

TEST(Survey, OfContainerdComesFromItsConfigDump) {
  const auto dump = ParseToml(R"(version = 2
[plugins."io.containerd.grpc.v1.cri".containerd]
  default_runtime_name = "hardened"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.hardened]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.hardened.options]
  BinaryName = "/usr/sbin/runclad"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.kata]
  runtime_type = "io.containerd.kata.v2"
)");
  ASSERT_TRUE(dump);
  Survey survey;
  ReadContainerdDump(dump->tree, survey);
  EXPECT_EQ(survey.default_runtime, "hardened");
  EXPECT_THAT(RuntimesOf(survey), ElementsAre("hardened /usr/sbin/runclad ",
                                              "kata io.containerd.kata.v2 ", "runc runc "));
}

TEST(Survey, OfAContainerdWithoutItsCriPluginHasNoRuntimes) {
  const auto dump = ParseToml("disabled_plugins = [\"cri\"]\nversion = 2\n");
  ASSERT_TRUE(dump);
  Survey survey;
  ReadContainerdDump(dump->tree, survey);
  EXPECT_EQ(survey.default_runtime, "");
  EXPECT_THAT(survey.runtimes, IsEmpty());
}

TEST(Survey, OfCrioComesFromItsFiles) {
  const auto tree = ParseToml(R"([crio.runtime]
default_runtime = "runclad"
[crio.runtime.runtimes.runclad]
runtime_path = "/usr/sbin/runclad"
[crio.runtime.runtimes.crun]
)");
  ASSERT_TRUE(tree);
  Survey survey;
  ReadCrioConfig(tree->tree, survey);
  EXPECT_EQ(survey.default_runtime, "runclad");
  EXPECT_THAT(RuntimesOf(survey), ElementsAre("crun crun ", "runclad /usr/sbin/runclad "));
  Survey by_default;
  ReadCrioConfig(Document::object(), by_default);
  EXPECT_THAT(RuntimesOf(by_default), ElementsAre("runc runc "));
}

}  // namespace
}  // namespace runclad::configure::survey_test
