#include "runclad/policy/table.hpp"

#include <string>
#include <tuple>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/policy/parameters.hpp"

#include "../parameter_values.hpp"

namespace runclad::policy::table_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Limits {
  StringList allow;
  StringList deny;
  std::int64_t maximum = 0;
  std::string_view unlisted;
  bool is_strict = false;
};

constexpr std::string_view kTableChoices[] = {"refuse", "fix"};
constexpr auto kLimits = TableOf<Limits>({
    {&Limits::is_strict,
     {.name = "strict", .order = Order::kFalseIsLooser, .docker_default = false}},
    {&Limits::allow, {.name = "allow", .vocabulary = Vocabulary::kCapability}},
    {&Limits::deny, {.name = "deny", .merge = Merge::kAccumulate, .counts_while_off = true}},
    {&Limits::maximum,
     {.name = "maximum", .order = Order::kMoreIsLooser, .docker_default = Anything{}}},
    {&Limits::unlisted,
     {.name = "unlisted", .choices = kTableChoices, .docker_default = std::string_view("fix")}},
});

TEST(Table, ReadsEachParameterIntoItsMember) {
  Parameters parameters;
  parameters.Set("allow", std::vector<std::string>{"CAP_KILL", "CAP_CHOWN"});
  parameters.Set("deny", std::vector<std::string>{"/etc"});
  parameters.Set("maximum", std::int64_t{4096});
  parameters.Set("unlisted", std::string("fix"));
  parameters.Set("strict", true);
  const Limits limits = kLimits.Read(parameters);
  EXPECT_THAT(limits.allow, ElementsAre("CAP_KILL", "CAP_CHOWN"));
  EXPECT_THAT(limits.deny, ElementsAre("/etc"));
  EXPECT_EQ(limits.maximum, 4096);
  EXPECT_EQ(limits.unlisted, "fix");
  EXPECT_TRUE(limits.is_strict);
}

TEST(Table, ReadsUnsetParametersAsEmpty) {
  Parameters parameters;
  parameters.Set("maxmum", std::int64_t{4096});
  const Limits limits = kLimits.Read(parameters);
  EXPECT_THAT(limits.allow, IsEmpty());
  EXPECT_EQ(limits.maximum, 0);
  EXPECT_EQ(limits.unlisted, "");
  EXPECT_FALSE(limits.is_strict);
}

TEST(Table, GivesOthersOfARuleThatIsOffWhatCountsThen) {
  RuleSetting setting;
  setting.parameters.Set("allow", std::vector<std::string>{"CAP_KILL"});
  setting.parameters.Set("deny", std::vector<std::string>{"/etc"});
  setting.parameters.Set("strict", true);
  const Limits off = kLimits.ReadForOthers(setting);
  EXPECT_THAT(off.allow, IsEmpty());
  EXPECT_THAT(off.deny, ElementsAre("/etc"));
  EXPECT_FALSE(off.is_strict);
  setting.action = Action::kWarn;
  const Limits on = kLimits.ReadForOthers(setting);
  EXPECT_THAT(on.allow, ElementsAre("CAP_KILL"));
  EXPECT_THAT(on.deny, ElementsAre("/etc"));
  EXPECT_TRUE(on.is_strict);
}

TEST(Table, CompletesTheSchemaOfARow) {
  const std::span<const ParameterSchema> schemas = kLimits.schemas();
  ASSERT_EQ(schemas.size(), 5U);
  const auto [strict, allow, deny, maximum, unlisted] =
      std::tie(schemas[0], schemas[1], schemas[2], schemas[3], schemas[4]);
  const auto has_empty_list = [](const ParameterSchema& schema) {
    const auto* list = std::get_if<std::span<const std::string_view>>(&schema.docker_default);
    return list != nullptr && list->empty();
  };
  EXPECT_EQ(allow.type, ParameterType::kStrings);
  EXPECT_EQ(allow.vocabulary, Vocabulary::kCapability);
  EXPECT_EQ(allow.order, Order::kMoreIsLooser);
  EXPECT_TRUE(has_empty_list(allow));
  EXPECT_EQ(deny.type, ParameterType::kStrings);
  EXPECT_EQ(deny.order, Order::kFewerIsLooser);
  EXPECT_TRUE(has_empty_list(deny));
  EXPECT_EQ(maximum.type, ParameterType::kInteger);
  EXPECT_EQ(maximum.order, Order::kMoreIsLooser);
  EXPECT_TRUE(std::holds_alternative<Anything>(maximum.docker_default));
  EXPECT_EQ(unlisted.type, ParameterType::kText);
  EXPECT_EQ(unlisted.vocabulary, Vocabulary::kChoice);
  EXPECT_EQ(unlisted.order, Order::kLaterIsLooser);
  EXPECT_EQ(std::get<std::string_view>(unlisted.docker_default), "fix");
  EXPECT_EQ(strict.type, ParameterType::kBoolean);
  EXPECT_EQ(strict.order, Order::kFalseIsLooser);
}

TEST(Table, SetsAParameterThroughItsMember) {
  Parameters parameters;
  kLimits.Set(parameters, &Limits::allow, {"CAP_KILL"});
  kLimits.Set(parameters, &Limits::unlisted, "fix");
  EXPECT_THAT(StringsOf(parameters, "allow"), ElementsAre("CAP_KILL"));
  EXPECT_EQ(TextOf(parameters, "unlisted"), "fix");
  EXPECT_EQ(kLimits[&Limits::is_strict].text(), "strict");
}

}  // namespace
}  // namespace runclad::policy::table_test
