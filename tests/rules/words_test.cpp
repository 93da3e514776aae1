// What policy files say in words instead of numbers.
#include <string>

#include <gtest/gtest.h>

#include "runclad/policy/effective.hpp"
#include "runclad/rules/catalog.hpp"

#include "../parameter_values.hpp"

namespace runclad::rules::words_test {
namespace {

Result<policy::Effective> Parsed(const std::string& rules) {
  return policy::Parse(R"({"rules": {)" + rules + "}}", "policy.json", Schemas());
}

std::string FaultOf(const std::string& rules) {
  const auto policy = Parsed(rules);
  return policy ? "" : policy.error().message;
}

TEST(Words, AreTheOnlyWayToSetNoLimit) {
  EXPECT_EQ(FaultOf(R"("memory-limit": {"default": "unlimited", "maximum": "unlimited"},
      "cpu-limit": {"default": "unlimited", "maximum": "unlimited"},
      "image": {"scan-max-age-days": "unlimited"}, "user": {"umask": "0027"})"),
            "");
  const auto fault = [](const std::string& parameter, const std::string& most) {
    return "policy policy.json line 1: \"" + parameter + "\" must be at most " + most +
           ", or \"unlimited\"";
  };
  EXPECT_EQ(FaultOf(R"("memory-limit": {"maximum": 1125899906842624})"),
            fault("memory-limit/maximum", "1125899906842623"));
  EXPECT_EQ(FaultOf(R"("memory-limit": {"maximum": 1125899906842623})"), "");
  EXPECT_EQ(FaultOf(R"("cpu-limit": {"default": 100000000})"),
            fault("cpu-limit/default", "99999999"));
  EXPECT_EQ(FaultOf(R"("image": {"scan-max-age-days": 36500})"),
            fault("image/scan-max-age-days", "36499"));
}

TEST(Words, MeanWhatNumbersMean) {
  const auto word = Parsed(R"("user": {"umask": "0027"})");
  const auto number = Parsed(R"("user": {"umask": 23})");
  ASSERT_TRUE(word) << word.error().message;
  ASSERT_TRUE(number) << number.error().message;
  EXPECT_EQ(word->rule(kUser.schema).parameters.all(), number->rule(kUser.schema).parameters.all());
}

TEST(Words, StandForTheProfilesOwnValues) {
  const auto policy = Parsed("");
  ASSERT_TRUE(policy) << policy.error().message;
  EXPECT_EQ(policy::IntegerOf(policy->rule(kMemoryLimit.schema).parameters, "maximum"),
            std::int64_t{1} << 50U);
  EXPECT_EQ(policy::IntegerOf(policy->rule(kUser.schema).parameters, "umask"), 0);
}

TEST(Words, AreCheckedLikeNumbers) {
  EXPECT_EQ(
      FaultOf(R"("memory-limit": {"maximum": "1G"})"),
      "policy policy.json line 1: \"memory-limit/maximum\" must be a number or \"unlimited\", not "
      "\"1G\"");
  for (const char* umask : {"27", "0o27", "0928", "01777", "unlimited", ""}) {
    EXPECT_EQ(
        FaultOf(R"("user": {"umask": ")" + std::string(umask) + "\"}"),
        "policy policy.json line 1: \"user/umask\" must be octal digits such as \"0027\", not \"" +
            std::string(umask) + "\"");
  }
  EXPECT_EQ(FaultOf(R"("pids-limit": {"maximum": "unlimited"})"),
            "policy policy.json line 1: \"pids-limit/maximum\" must be a number, not a string");
}

TEST(Words, AreWrittenForTheirNumbers) {
  const policy::ParameterSchema limit{.name = "maximum", .maximum = 9, .has_unlimited = true};
  EXPECT_EQ(policy::WordFor(limit, 9), "unlimited");
  EXPECT_EQ(policy::WordFor(limit, 8), "");
  const policy::ParameterSchema mask{.name = "umask", .maximum = 0777, .is_octal = true};
  EXPECT_EQ(policy::WordFor(mask, 0), "0000");
  EXPECT_EQ(policy::WordFor(mask, 022), "0022");
  EXPECT_EQ(policy::WordFor(mask, 0777), "0777");
}

}  // namespace
}  // namespace runclad::rules::words_test
