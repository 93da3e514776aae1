#include "doctor/unrecorded.hpp"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::doctor::unrecorded_test {
namespace {

using ::testing::HasSubstr;

constexpr const char* kProgram = "/usr/sbin/runclad";

TEST(Unrecorded, EachEngineHasItsWayToMakeAContainerAgain) {
  const std::string tasks = "/run/containerd/io.containerd.runtime.v2.task/";
  const struct {
    host::RunningContainer container;
    const char* engine;
    const char* name;
    const char* program;
    const char* remedy;  // a part of it
  } cases[] = {
      {{std::string(64, 'a'), tasks + "moby/" + std::string(64, 'a'), "/run/docker/x", "", ""},
       "docker",
       "aaaaaaaaaaaa",
       "runc",
       "docker run"},
      {{"web", tasks + "default/web", "/run/x", "", "/opt/runc"},
       "containerd",
       "default/web",
       "/opt/runc",
       "--runc-binary /usr/sbin/runclad"},
      {{"db", "/run/storage/overlay-containers/db/userdata", "", "postgres", "/usr/bin/crun"},
       "podman",
       "postgres (db)",
       "/usr/bin/crun",
       "podman run"},
      {{"x", "/run/storage/overlay-containers/x/userdata", "/run/runc", "k8s_app_web_team-a_uid_0",
        "/usr/bin/crun"},
       "crio",
       "pod team-a/web",
       "/usr/bin/crun",
       "delete the pod"},
      {{"hand", "/srv/hand", "/run/runc", "", ""}, "", "hand", "", "make it again"}};
  for (const auto& expected : cases) {
    SCOPED_TRACE(expected.name);
    const UnrecordedFact fact = Unrecorded(expected.container, kProgram);
    EXPECT_EQ(fact.engine, expected.engine);
    EXPECT_EQ(fact.name, expected.name);
    EXPECT_EQ(fact.program, expected.program);
    EXPECT_THAT(fact.remedy, HasSubstr(expected.remedy));
  }
}

TEST(Unrecorded, AContainerOfAPodIsShownAsThePod) {
  if (::geteuid() != 0) GTEST_SKIP() << "only files of root are read";
  std::string base = "/run/runclad-unrecorded-XXXXXX";
  ASSERT_NE(::mkdtemp(base.data()), nullptr);
  const std::string bundle = base + "/io.containerd.runtime.v2.task/k8s.io/app";
  std::filesystem::create_directories(bundle);
  std::ofstream(bundle + "/config.json")
      << R"({"ociVersion": "1.1.0", "annotations": {"io.kubernetes.cri.container-name": "app",)"
      << R"("io.kubernetes.cri.sandbox-name": "web", "io.kubernetes.cri.sandbox-namespace": "a"}})";
  const UnrecordedFact fact = Unrecorded({"app", bundle, "/run/x", ""}, kProgram);
  EXPECT_EQ(fact.name, "pod a/web");
  EXPECT_THAT(fact.remedy, HasSubstr("delete the pod"));
  std::filesystem::remove_all(base);
}

}  // namespace
}  // namespace runclad::doctor::unrecorded_test
