#include "configure/engines.hpp"

#include <gmock/gmock.h>

namespace runclad::configure::engines_test {
namespace {

Document Toml(const char* text) {
  auto parsed = ParseToml(text);
  EXPECT_TRUE(parsed);
  return parsed ? parsed->tree : Document();
}

// As `containerd config dump` prints it: with every option of its own entry.
constexpr const char* kDump = R"(version = 2
imports = ["/etc/containerd/config.toml"]
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "pause:1"
[plugins."io.containerd.grpc.v1.cri".containerd]
  default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
  runtime_root = ""
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  BinaryName = ""
  IoGid = 0
)";
constexpr const char* kDumpAfter = R"(version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "pause:1"
[plugins."io.containerd.grpc.v1.cri".containerd]
  default_runtime_name = "runclad"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runclad]
  runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runclad.options]
  BinaryName = "/usr/sbin/runclad"
)";

TEST(Containerd, CopiesTheEntryOfRunc) {
  const auto lost =
      ContainerdLost(Toml("version = 2\n"), Toml(kDump), Toml(kDumpAfter), /*default_version=*/2);
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(PathText(lost[0].path),
            "plugins.io.containerd.grpc.v1.cri.containerd.runtimes.runc.runtime_type");
  EXPECT_EQ(lost[0].value, "io.containerd.runc.v2");
  EXPECT_TRUE(ContainerdLost(Toml(""), Toml(kDump), Toml(kDump), 2).empty());
}

TEST(Containerd, TheRestIsUnchanged) {
  Document after = Toml(kDumpAfter);
  EXPECT_NE(ContainerdRest(Toml(kDump), "runclad"), ContainerdRest(after, "runclad"));
  Put(after, {"plugins", "io.containerd.grpc.v1.cri", "containerd", "runtimes", "runc"},
      {{"runtime_type", "io.containerd.runc.v2"}});
  EXPECT_EQ(ContainerdRest(Toml(kDump), "runclad"), ContainerdRest(after, "runclad"));
  Put(after, {"plugins", "io.containerd.grpc.v1.cri", "sandbox_image"}, "pause:2");
  EXPECT_NE(ContainerdRest(Toml(kDump), "runclad"), ContainerdRest(after, "runclad"));
}

TEST(Containerd, AKeptNameRefersToTheLowerRuntime) {
  const auto kept = ContainerdKept({"runclad", "/usr/sbin/runc"}, Toml(kDumpAfter));
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].value, "/usr/sbin/runc");
  EXPECT_EQ(kept[1].value, "runc");
  EXPECT_TRUE(ContainerdKept({"runclad", "/usr/sbin/runc"}, Toml(kDump)).empty());
}

TEST(Containerd, ReadsBothVersions) {
  EXPECT_EQ(ContainerdProgram(Toml(kDumpAfter), "runclad"), "/usr/sbin/runclad");
  EXPECT_EQ(ContainerdDefault(Toml(kDumpAfter)), "runclad");
  const Document third = Toml(R"([plugins.'io.containerd.cri.v1.runtime'.containerd]
default_runtime_name = 'a'
[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.a.options]
BinaryName = '/a'
)");
  EXPECT_EQ(ContainerdProgram(third, "a"), "/a");
  EXPECT_EQ(ContainerdDefault(third), "a");
}

// The list that is in effect is extended; a name that is in it stays there once.
TEST(Podman, ExtendsTheListsOfRuntimes) {
  const Registration registration = {"runclad", "/usr/sbin/runclad", false};
  const auto settings = PodmanSettings(
      registration, Toml("[engine]\nruntime_supports_json = [\"youki\", \"runclad\"]\n"), false);
  ASSERT_EQ(settings.size(), 2U);
  EXPECT_EQ(settings[0].value, Document({"youki", "runclad"}));
  EXPECT_EQ(PathText(settings[1].path), "engine.runtimes.runclad");
}

}  // namespace
}  // namespace runclad::configure::engines_test
