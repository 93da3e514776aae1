#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/json/value.hpp"

#include "rule_test.hpp"

namespace runclad::rules::annotations_test {
namespace {

using Strings = std::vector<std::string>;

// With what the profile takes out.
policy::Parameters Restricted(Strings keep = {}) {
  auto policy = policy::Parse("{}", "policy.json", Schemas());
  EXPECT_TRUE(policy) << policy.error().message;
  policy::Parameters parameters = policy->rule("annotations").parameters;
  parameters.Set("keep", std::move(keep));
  return parameters;
}

// Whether an annotation stays.
bool Stays(const std::string& name, const std::string& value, Strings keep = {}) {
  const std::string members =
      json::Value::Object({{name, json::Value(value)}, {"zzz", json::Value("stays")}}).Dump();
  const policy::Parameters parameters = Restricted(std::move(keep));
  ExpectRemediesHelp("annotations", SpecOf(R"({"annotations":)" + members + "}"), parameters);
  const auto decision = DecideBy("annotations", R"({"annotations":)" + members + "}", parameters);
  const std::string written = decision.spec.Write();
  EXPECT_EQ(DecideBy("annotations", written, parameters).outcome, enforce::Outcome::kUnchanged)
      << name;
  const bool stays = written == R"({"annotations":)" + members + "}";
  if (!stays) {
    EXPECT_EQ(written, R"({"annotations":{"zzz":"stays"}})") << name;
  }
  return stays;
}

TEST(Annotations, ThatRuntimesActOnAreRemoved) {
  for (const char* name :
       {"run.oci.seccomp_bpf_data", "run.oci.hooks.stdout", "run.oci.handler", "krun.cpus",
        "module.wasm.image/variant", "org.criu.config", "org.criu.config=/etc/x", "bundle",
        "bundle=/srv/evil", "org.systemd.property.ExecStartPre", "org.systemd.property.Slice",
        "io.katacontainers.config.hypervisor.path", "dev.gvisor.spec.mount.a.source",
        "cdi.k8s.io/gpu", "nvidia.cdi.k8s.io/0", "org.systemd.property.", "run.oci."}) {
    EXPECT_FALSE(Stays(name, "x")) << name;
  }
}

TEST(Annotations, OthersStay) {
  for (const char* name :
       {"io.kubernetes.cri.sandbox-id", "io.container.manager", "io.kubernetes.cri-o.TTY",
        "io.podman.annotations.privileged", "org.opencontainers.image.stopSignal", "pass.foo",
        "run.ocicular", "bundles", "a/b~c", "", "org.systemd.propertyx", "my.run.oci.x"}) {
    EXPECT_TRUE(Stays(name, "x")) << name;
  }
}

TEST(Annotations, SystemdPropertiesOfCrioAndPodmanStay) {
  const std::string property = "org.systemd.property.";
  const std::pair<const char*, const char*> own[] = {
      {"CollectMode", "'inactive-or-failed'"}, {"DefaultDependencies", "true"},
      {"After", "['crio.service']"},           {"TimeoutStopUSec", "uint64 30000000"},
      {"TimeoutStopUSec", "30000000"},         {"KillSignal", "15"},
  };
  for (const auto& [name, value] : own) EXPECT_TRUE(Stays(property + name, value)) << name;
  const std::pair<const char*, const char*> others[] = {
      {"CollectMode", "'x'"},
      {"DefaultDependencies", "1"},
      {"After", "crio.service"},
      {"After", "['a', 'b']"},
      {"After", "['']"},
      {"After", "['"},
      {"TimeoutStopUSec", "uint64 "},
      {"TimeoutStopUSec", ""},
      {"KillSignal", "'SIGKILL'"},
      {"After", "['a'] x=['b']"},
      {"collectmode", "'inactive'"},
      {"MemoryMax", "uint64 1"},
      {"CollectModeX", "'inactive'"},
  };
  for (const auto& [name, value] : others) {
    EXPECT_FALSE(Stays(property + name, value)) << name << " " << value;
  }
}

TEST(Annotations, ListedOnesStay) {
  EXPECT_TRUE(Stays("run.oci.handler", "wasm", {"run.oci.handler"}));
  EXPECT_TRUE(Stays("run.oci.handler", "wasm", {"run.oci.*"}));
  EXPECT_FALSE(Stays("run.oci.handler", "wasm", {"run.oci"}));
  EXPECT_FALSE(Stays("run.oci.handler", "wasm", {"run.oci.handlers"}));
}

TEST(Annotations, AreNamedByEscapedPointers) {
  const auto decision =
      DecideBy("annotations", R"({"annotations":{"cdi.k8s.io/a~b":"x"}})", Restricted());
  ASSERT_EQ(decision.findings.size(), 1U);
  EXPECT_EQ(decision.findings[0].finding.path, "/annotations/cdi.k8s.io~1a~0b");
  EXPECT_EQ(decision.spec.Write(), R"({"annotations":{}})");
  EXPECT_EQ(CodesAndRemedies(decision), Strings{"order: keep += cdi.k8s.io/a~b"});
}

TEST(Annotations, AreListedByFullName) {
  const auto decision =
      DecideBy("annotations", R"({"annotations":{"run.oci.*":"x"}})", Restricted());
  EXPECT_EQ(CodesAndRemedies(decision),
            Strings{"order: none: in annotations.keep it would also match other names"});
}

}  // namespace
}  // namespace runclad::rules::annotations_test
