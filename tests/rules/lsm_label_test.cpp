#include "rule_test.hpp"

namespace runclad::rules::lsm_label_test {
namespace {

using Strings = std::vector<std::string>;

policy::Parameters Unconfined(const std::string& choice, const std::string& profile = "") {
  policy::Parameters parameters;
  parameters.Set("unconfined", choice);
  parameters.Set("apparmor", profile);
  return parameters;
}

Facts AppArmor(const std::string& loaded, const std::string& not_enforced_because = "") {
  Facts facts;
  facts.Get<LsmFacts>().apparmor = true;
  facts.Get<LsmFacts>().apparmor_default = loaded;
  facts.Get<LsmFacts>().not_enforced_because = not_enforced_because;
  return facts;
}

Facts Selinux() {
  Facts facts;
  facts.Get<LsmFacts>().selinux = true;
  return facts;
}

constexpr const char* kRefused = "refused";

struct Case {
  std::string_view name;
  policy::Parameters parameters;
  Facts facts;
  std::string_view before;  // /process
  std::string_view after;
};

void Check(const Case& c) {
  const auto document = R"({"process":)" + std::string(c.before) + "}";
  ExpectRemediesHelp("lsm-label", SpecOf(document), c.parameters, c.facts);
  const auto decision = DecideBy("lsm-label", document, c.parameters, c.facts);
  if (c.after == kRefused) {
    EXPECT_EQ(decision.outcome, enforce::Outcome::kRefused) << c.name;
  } else {
    EXPECT_EQ(decision.spec.Write(), R"({"process":)" + std::string(c.after) + "}") << c.name;
    EXPECT_NE(decision.outcome, enforce::Outcome::kRefused) << c.name;
  }
}

constexpr std::string_view kNone = "{}";
constexpr std::string_view kDefault = R"({"apparmorProfile":"docker-default"})";
constexpr std::string_view kUnconfined = R"({"apparmorProfile":"unconfined"})";

TEST(LsmLabel, AddsAppArmorIfTheKernelHasIt) {
  const Case cases[] = {
      {"no AppArmor", Unconfined("refuse"), {}, kUnconfined, kUnconfined},
      {"absent", Unconfined("refuse"), AppArmor("docker-default"), kNone, kDefault},
      {"absent, and nothing is loaded", Unconfined("refuse"), AppArmor(""), kNone, kNone},
      {"absent, and the policy names one", Unconfined("refuse", "ours"), AppArmor("docker-default"),
       kNone, R"({"apparmorProfile":"ours"})"},
      {"its engine's", Unconfined("refuse"), AppArmor("docker-default"), kDefault, kDefault},
      {"unconfined", Unconfined("refuse"), AppArmor("docker-default"), kUnconfined, kRefused},
      {"unconfined where that is fixed", Unconfined("fix"), AppArmor("docker-default"), kUnconfined,
       kDefault},
      {"unconfined, and there is nothing to confine it by", Unconfined("fix"), AppArmor(""),
       kUnconfined, kUnconfined},
      {"which the kernel reads so as well", Unconfined("refuse"), AppArmor("docker-default"),
       R"({"apparmorProfile":" unconfined"})", kRefused},
      {"another namespace's", Unconfined("refuse"), AppArmor("docker-default"),
       R"({"apparmorProfile":":root:unconfined"})", kRefused},
      {"several", Unconfined("refuse"), AppArmor("docker-default"),
       R"({"apparmorProfile":"unconfined//&unconfined"})", kRefused},
      {"one of its own", Unconfined("refuse"), AppArmor("docker-default"),
       R"({"apparmorProfile":"own"})", R"({"apparmorProfile":"own"})"},
      {"one that confines nothing", Unconfined("refuse"),
       AppArmor("docker-default", "confines nothing"), R"({"apparmorProfile":"flatpak"})",
       kRefused},
      {"one that only complains", Unconfined("fix"),
       AppArmor("docker-default", "is loaded in mode complain"), R"({"apparmorProfile":"own"})",
       kDefault},
  };
  for (const Case& c : cases) Check(c);
}

TEST(LsmLabel, AddsSelinuxIfTheKernelHasIt) {
  constexpr std::string_view kOrdinary =
      R"({"selinuxLabel":"system_u:system_r:container_t:s0:c1,c2"})";
  constexpr std::string_view kSuper = R"({"selinuxLabel":"system_u:system_r:spc_t:s0:c1,c2"})";
  const Case cases[] = {
      {"no SELinux", Unconfined("refuse"), {}, kSuper, kSuper},
      {"a container's", Unconfined("refuse"), Selinux(), kOrdinary, kOrdinary},
      {"absent: only a warning", Unconfined("refuse"), Selinux(), kNone, kNone},
      {"not confined", Unconfined("refuse"), Selinux(), kSuper, kRefused},
      {"not confined, and fixed", Unconfined("fix"), Selinux(), kSuper, kOrdinary},
      {"no label at all", Unconfined("fix"), Selinux(), R"({"selinuxLabel":"spc_t"})", kRefused},
      {"a type of its own", Unconfined("refuse"), Selinux(), R"({"selinuxLabel":"u:r:mine:s0"})",
       R"({"selinuxLabel":"u:r:mine:s0"})"},
  };
  for (const Case& c : cases) Check(c);
}

TEST(LsmLabel, ReportsMountsWithTheHostsLabel) {
  const auto decision = DecideBy("lsm-label",
                                 R"({"linux":{"mountLabel":"system_u:object_r:etc_t:s0"},)"
                                 R"("process":{"selinuxLabel":"u:r:container_t:s0"}})",
                                 Unconfined("refuse"), Selinux());
  ASSERT_EQ(decision.findings.size(), 1U);
  EXPECT_EQ(decision.findings[0].finding.path, "/linux/mountLabel");
  EXPECT_EQ(CodesAndRemedies(decision),
            Strings{"mount-label: ask: let the engine choose the label of its files"});
  EXPECT_EQ(decision.outcome, enforce::Outcome::kUnchanged);
}

// As the record of a container has it for exec (enforce::ProcessPolicy).
TEST(LsmLabel, AnExecGetsTheContainersLabel) {
  policy::Parameters parameters = Unconfined("fix");
  parameters.Set("own-labels", Strings{"docker-default", "u:r:container_t:s0:c1,c2"});
  const std::string_view own =
      R"({"apparmorProfile":"docker-default","selinuxLabel":"u:r:container_t:s0:c1,c2"})";
  const Case cases[] = {
      {"its own", parameters, AppArmor("docker-default"), own, own},
      {"unconfined",
       parameters,
       {},
       R"({"apparmorProfile":"unconfined","selinuxLabel":"u:r:spc_t:s0"})",
       own},
      {"another container's",
       parameters,
       {},
       R"({"apparmorProfile":"other","selinuxLabel":"u:r:container_t:s0:c3,c4"})",
       own},
      {"none", parameters, {}, kNone, own},
  };
  for (const Case& c : cases) Check(c);

  parameters.Set("own-labels", Strings{"", ""});
  Check({"a container without one", parameters, AppArmor("docker-default"), kUnconfined, kDefault});
}

TEST(LsmLabel, RemedyIsTheDefaultOrAProfile) {
  const auto said = [](std::string_view process, const policy::Parameters& parameters,
                       const Facts& facts) {
    return CodesAndRemedies(DecideBy("lsm-label", R"({"process":)" + std::string(process) + "}",
                                     parameters, facts))
        .at(0);
  };
  const std::string name_one =
      ": ask: specify a profile that allows what it needs and is loaded and enforced, with "
      "--security-opt apparmor=NAME";
  const Facts loaded = AppArmor("docker-default");
  const Facts complaining = AppArmor("docker-default", "is loaded in mode complain");
  constexpr std::string_view kOwn = R"({"apparmorProfile":"own"})";
  EXPECT_EQ(said(kNone, Unconfined("refuse"), loaded), "no-profile") << "nobody asked for it";
  EXPECT_EQ(said(kNone, Unconfined("refuse"), AppArmor("")), "no-default" + name_one);
  EXPECT_EQ(said(kUnconfined, Unconfined("refuse"), loaded), "unconfined" + name_one);
  EXPECT_EQ(said(kUnconfined, Unconfined("fix"), loaded), "unconfined" + name_one);
  EXPECT_EQ(said(kUnconfined, Unconfined("fix"), AppArmor("")), "no-default" + name_one);
  EXPECT_EQ(said(kOwn, Unconfined("refuse"), complaining), "not-enforced" + name_one);
  EXPECT_EQ(said(kOwn, Unconfined("fix"), complaining), "not-enforced" + name_one);
  constexpr std::string_view kSuper = R"({"selinuxLabel":"u:r:spc_t:s0"})";
  EXPECT_EQ(said(kSuper, Unconfined("refuse"), Selinux()),
            "unconfined-type: ask: specify a type that allows what it needs, with --security-opt "
            "label=type:NAME");
  EXPECT_EQ(said(kSuper, Unconfined("fix"), Selinux()),
            "unconfined-type: ask: specify a type that allows what it needs, with --security-opt "
            "label=type:NAME");
  EXPECT_EQ(said(R"({"selinuxLabel":"spc_t"})", Unconfined("fix"), Selinux()),
            "malformed-label: ask: specify a complete label, user:role:type:level");
  EXPECT_EQ(said(kNone, Unconfined("fix"), Selinux()),
            "no-label: ask: turn on the engine's SELinux support (dockerd --selinux-enabled)");
  policy::Parameters own = Unconfined("fix");
  own.Set("own-labels", Strings{"docker-default", ""});
  EXPECT_EQ(said(kUnconfined, own, loaded),
            "foreign-label: none: an exec has the label of its container");
}

}  // namespace
}  // namespace runclad::rules::lsm_label_test
