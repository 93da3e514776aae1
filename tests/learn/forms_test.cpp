// What was learned in the forms of others, and the union of image files.
#include "runclad/learn/forms.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/learn/merge.hpp"

namespace runclad::learn::forms_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

Learned Known() {
  Learned learned;
  learned.repository = "docker.io/library/nginx";
  learned.image = "nginx:1.27";
  learned.digest = "sha256:" + std::string(64, 'a');
  learned.provenance = "by a test";
  learned.image_file = "{}\n";
  learned.judged = {{{GrantKind::kCapability, "CAP_SETUID"}, true, "dies", {}},
                    {{GrantKind::kCapability, "CAP_CHOWN"}, true, "dies", {}},
                    {{GrantKind::kCapability, "CAP_KILL"}, false, {}, {}},
                    {{GrantKind::kWritable, "/var/cache/nginx"}, true, "dies", {}},
                    {{GrantKind::kPrograms, "/tmp"}, true, "dies", {}}};
  learned.volumes = {"/data"};
  learned.filled = {"/run"};
  return learned;
}

TEST(Forms, AComposeServiceHasWhatIsNeeded) {
  EXPECT_EQ(TextAs(Form::kCompose, Known()),
            "# by a test.\n"
            "# Proved with runclad, for the image sha256:" +
                std::string(64, 'a') +
                ";\n"
                R"(# not proved for this form.
services:
  nginx:
    image: "nginx:1.27"
    cap_drop: [ALL]
    cap_add: ["CHOWN", "SETUID"]
    security_opt: ["no-new-privileges:true"]
    read_only: true
    tmpfs:
      - "/tmp:exec"
      - "/var/cache/nginx"
      - "/var/tmp"
    volumes:
      - "/run"  # begins with what the image has there
      - "/data"  # the image's volume: name one to keep it
)");
}

TEST(Forms, APodHasWhatIsNeeded) {
  Learned learned = Known();
  learned.user = "101:102";
  learned.arguments = {"--a", "b\"c"};
  const std::string text = TextAs(Form::kPod, learned);
  for (const char* part :
       {"kind: Pod\n", "image: \"nginx:1.27\"\n", "args: [\"--a\", \"b\\\"c\"]\n",
        "allowPrivilegeEscalation: false\n", "readOnlyRootFilesystem: true\n",
        "capabilities: {drop: [ALL], add: [\"CHOWN\", \"SETUID\"]}\n", "runAsNonRoot: true\n",
        "runAsUser: 101\n", "runAsGroup: 102\n", "mountPath: \"/run\"}  # hides",
        "- {name: writable-5, mountPath: \"/data\"}", "- {name: writable-5, emptyDir: {}}"}) {
    EXPECT_THAT(text, HasSubstr(part));
  }
  EXPECT_THAT(TextAs(Form::kPod, Known()), Not(HasSubstr("runAs")));
}

TEST(Forms, ASeccompProfileAllowsWhatWasSeen) {
  Learned learned = Known();
  learned.calls = {"listen", "accept4", ""};
  const auto profile = nlohmann::json::parse(TextAs(Form::kSeccomp, learned));
  EXPECT_EQ(profile["defaultAction"], "SCMP_ACT_ERRNO");
  EXPECT_TRUE(profile["architectures"].is_array());
  const std::vector<std::string> names = profile["syscalls"][0]["names"];
  for (const char* name : {"listen", "accept4", "execve", "exit_group"}) {
    EXPECT_THAT(names, ::testing::Contains(name));
  }
  EXPECT_THAT(names, Not(::testing::Contains("mount")));
  EXPECT_THAT(names, Not(::testing::Contains("")));
  EXPECT_THAT(profile["syscalls"][0]["comment"].get<std::string>(), HasSubstr("not proved"));
}

TEST(Merge, IsTheUnionWithOrigins) {
  const auto merged = MergeImageFiles(
      {{"a.json", R"({"rules": {"capabilities": {"allow": ["CAP_CHOWN"]}},
          "digests": ["sha256:a"], "provenance": "host a"})"},
       {"b.json", R"({"rules": {"capabilities": {"allow": ["CAP_KILL", "CAP_CHOWN"]},
          "read-only-rootfs": {"writable": ["/x"]}}, "digests": ["sha256:b"]})"}});
  ASSERT_TRUE(merged) << merged.error().message;
  ASSERT_EQ(merged->lines.size(), 3U);
  EXPECT_EQ(merged->lines[0].text, "CAP_CHOWN");
  EXPECT_THAT(merged->lines[0].origins, ElementsAre("a.json", "b.json"));
  EXPECT_THAT(merged->lines[1].origins, ElementsAre("b.json"));
  EXPECT_EQ(merged->lines[2].text, "writable /x");
  const auto file = nlohmann::json::parse(merged->image_file);
  EXPECT_EQ(file["rules"]["capabilities"]["allow"], (nlohmann::json{"CAP_CHOWN", "CAP_KILL"}));
  EXPECT_EQ(file["digests"], (nlohmann::json{"sha256:a", "sha256:b"}));
  EXPECT_THAT(file["provenance"].get<std::string>(), HasSubstr("CAP_KILL: b.json"));
  EXPECT_THAT(file["provenance"].get<std::string>(), HasSubstr("a.json: host a"));
}

// Of a deny list, a union would grant less than one of the hosts needs; of an action, nothing.
TEST(Merge, RefusesWhatIsNotAGrant) {
  for (const char* text :
       {R"({"rules": {"capabilities": {"deny": ["CAP_CHOWN"]}}})", "[]", "{",
        R"({"rules": {"seccomp": {"allow": ["mount"]}}})", R"({"tags": {}})", R"({"rules": []})",
        R"({"rules": {"capabilities": {"allow": "CAP_CHOWN"}}})",
        R"({"rules": {"capabilities": {"allow": [1]}}})", R"({"digests": [1]})"}) {
    const auto merged = MergeImageFiles({{"a.json", text}});
    ASSERT_FALSE(merged) << text;
    EXPECT_THAT(merged.error().message, HasSubstr("a.json")) << text;
  }
}

}  // namespace
}  // namespace runclad::learn::forms_test
