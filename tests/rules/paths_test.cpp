// masked-paths, readonly-paths and no-new-privileges.
#include "rule_test.hpp"

namespace runclad::rules::paths_test {
namespace {

policy::Parameters Paths(std::vector<std::string> paths) {
  policy::Parameters parameters;
  parameters.Set("paths", std::move(paths));
  return parameters;
}

TEST(MaskedPaths, AddsMissingPathsAndKeepsTheRest) {
  Facts facts;
  facts.Get<KernelFacts>().thermal_throttle_paths = {
      "/sys/devices/system/cpu/cpu0/thermal_throttle"};
  const auto decision =
      DecideBy("masked-paths", R"({"linux":{"maskedPaths":["/own","/proc/kcore"]}})",
               Paths({"/proc/kcore", "/proc/keys"}), facts);
  EXPECT_EQ(decision.spec.Write(), R"({"linux":{"maskedPaths":["/own","/proc/kcore","/proc/keys",)"
                                   R"("/sys/devices/system/cpu/cpu0/thermal_throttle"]}})");
}

TEST(MaskedPaths, AreRestoredIfTheEngineSentNone) {
  EXPECT_EQ(DecideBy("masked-paths", "{}", Paths({"/proc/kcore"})).spec.Write(),
            R"({"linux":{"maskedPaths":["/proc/kcore"]}})");
}

TEST(MaskedPaths, RemedyIsTheEnginesFlagIfNoneAreMasked) {
  const auto said = [](const std::string& linux_member) {
    ExpectRemediesHelp("masked-paths", SpecOf(R"({"linux":)" + linux_member + "}"),
                       Paths({"/proc/kcore"}));
    return CodesAndRemedies(
        DecideBy("masked-paths", R"({"linux":)" + linux_member + "}", Paths({"/proc/kcore"})));
  };
  using Strings = std::vector<std::string>;
  EXPECT_EQ(said("{}"), Strings{"unmasked: ask: run it without --privileged and --security-opt "
                                "systempaths=unconfined"});
  EXPECT_EQ(said(R"({"maskedPaths":["/proc/keys"]})"), Strings{"unmasked"});
  EXPECT_EQ(said(R"({"maskedPaths":["/"]})"), (Strings{"root-masked", "unmasked"}));
}

TEST(ReadonlyPaths, AddsPathsThatAreNeitherReadOnlyNorMasked) {
  const auto decision =
      DecideBy("readonly-paths",
               R"({"linux":{"maskedPaths":["/proc/asound"],"readonlyPaths":["/proc/bus"]}})",
               Paths({"/proc/bus", "/proc/sys", "/proc/asound"}));
  EXPECT_EQ(
      decision.spec.Write(),
      R"({"linux":{"maskedPaths":["/proc/asound"],"readonlyPaths":["/proc/bus","/proc/sys"]}})");
}

TEST(ReadonlyPaths, AWaiverNamesOnlyMissingPaths) {
  const policy::Parameters parameters = Paths({"/proc/bus", "/proc/sys"});
  constexpr std::string_view kDocument = R"({"linux":{"readonlyPaths":["/proc/bus"]}})";
  const auto decision = DecideBy("readonly-paths", kDocument, parameters);
  ASSERT_EQ(decision.findings.size(), 1U);
  const Remedy& remedy = decision.findings[0].finding.remedy;
  EXPECT_EQ(remedy.kind, Remedy::Kind::kWaiver);
  EXPECT_EQ(remedy.settings.at(0).value,
            policy::Parameters::Value(std::vector<std::string>{"/proc/sys"}));
  ExpectRemediesHelp("readonly-paths", SpecOf(kDocument), parameters);
}

TEST(MaskedPaths, OfTheRootAreOmitted) {
  Facts facts;
  facts.Get<HardenedPaths>().places["/link"].resolved = "/";
  const auto decision = DecideBy(
      "masked-paths", R"({"linux":{"maskedPaths":["/","/proc","/link"]}})", Paths({"/a"}), facts);
  EXPECT_EQ(decision.spec.Write(), R"({"linux":{"maskedPaths":["/proc","/a"]}})");
  EXPECT_EQ(decision.findings.size(), 2U);
}

TEST(ReadonlyPaths, OfTheRootMakeItReadOnly) {
  Facts facts;
  facts.Get<HardenedPaths>().places["/proc/.."].resolved = "/";
  EXPECT_EQ(DecideBy("readonly-paths",
                     R"({"linux":{"readonlyPaths":["/proc/..","/proc/bus"]},"root":{"path":"r"}})",
                     Paths({}), facts)
                .spec.Write(),
            R"({"linux":{"readonlyPaths":["/proc/bus"]},"root":{"path":"r","readonly":true}})");
}

TEST(NoNewPrivileges, TurnsOnWhenAbsentOrFalse) {
  for (const char* before : {R"({"process":{}})", R"({"process":{"noNewPrivileges":false}})"}) {
    EXPECT_EQ(DecideBy("no-new-privileges", before, {}).spec.Write(),
              R"({"process":{"noNewPrivileges":true}})");
  }
  EXPECT_TRUE(DecideBy("no-new-privileges", R"({"process":{"noNewPrivileges":true}})", {})
                  .findings.empty());
}

}  // namespace
}  // namespace runclad::rules::paths_test
