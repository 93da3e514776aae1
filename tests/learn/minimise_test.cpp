#include "runclad/learn/minimise.hpp"

#include <algorithm>
#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::learn::minimise_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

Grant Capability(const std::string& name) { return {GrantKind::kCapability, name}; }

// A service that needs these, and each only once it got the ones before it.
class FakeService {
 public:
  explicit FakeService(Grants needs) : needs_(std::move(needs)) {}

  Prover Prove() {
    return [this](const Grants& grants) -> Result<Verdict> {
      EXPECT_TRUE(tried_.insert(grants).second) << "the same grants were tried twice";
      EXPECT_TRUE(std::is_sorted(grants.begin(), grants.end()));
      if (fails_after_ > 0 && --fails_after_ == 0) return Error{"the engine is gone"};
      for (const Grant& need : needs_) {
        if (std::find(grants.begin(), grants.end(), need) == grants.end()) {
          return Verdict{false, "it lacks " + need.value};
        }
      }
      return Verdict{true, {}};
    };
  }
  [[nodiscard]] std::size_t tries() const { return tried_.size(); }
  void FailAfter(int tries) { fails_after_ = tries; }

 private:
  Grants needs_;
  std::set<Grants> tried_;
  int fails_after_ = 0;
};

std::vector<std::string> Needed(const std::vector<Judged>& judged) {
  std::vector<std::string> needed;
  for (const Judged& one : judged) {
    if (one.is_needed) needed.push_back(one.grant.value + ": " + one.symptom);
  }
  return needed;
}

const std::vector<Grants> kGroups = {
    {Capability("CAP_A"), Capability("CAP_B"), Capability("CAP_C"), Capability("CAP_D")},
    {Capability("CAP_E")},
    {{GrantKind::kWritable, "/var/lib/x"}}};

TEST(Minimise, KeepsWhatIsNeededWithTheSymptomOfItsRemoval) {
  FakeService service({Capability("CAP_C"), {GrantKind::kWritable, "/var/lib/x"}});
  const auto judged = Minimise(kGroups, service.Prove());
  ASSERT_TRUE(judged) << judged.error().message;
  EXPECT_EQ(judged->size(), 6U);
  EXPECT_THAT(Needed(*judged),
              UnorderedElementsAre("CAP_C: it lacks CAP_C", "/var/lib/x: it lacks /var/lib/x"));
}

TEST(Minimise, TriesTwiceForAServiceThatNeedsNothing) {
  FakeService service({});
  const auto judged = Minimise(kGroups, service.Prove());
  ASSERT_TRUE(judged);
  EXPECT_THAT(Needed(*judged), IsEmpty());
  EXPECT_EQ(judged->size(), 6U);
  EXPECT_EQ(service.tries(), 2U);
}

TEST(Minimise, TakesAGroupAwayAtOnce) {
  FakeService service({Capability("CAP_E")});
  const auto judged = Minimise(kGroups, service.Prove());
  ASSERT_TRUE(judged);
  EXPECT_THAT(Needed(*judged), ElementsAre("CAP_E: it lacks CAP_E"));
  // All, nothing, without the group, without CAP_E (which is without anything but the directory),
  // without the directory.
  EXPECT_EQ(service.tries(), 5U);
}

// The result is inclusion-minimal, whatever is needed.
TEST(Minimise, IsExactForEverySetOfNeeds) {
  Grants all;
  for (const Grants& group : kGroups) all.insert(all.end(), group.begin(), group.end());
  for (unsigned mask = 0; mask < 1U << all.size(); ++mask) {
    Grants needs;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if ((mask >> i & 1U) != 0) needs.push_back(all[i]);
    }
    FakeService service(needs);
    const auto judged = Minimise(kGroups, service.Prove());
    ASSERT_TRUE(judged);
    Grants needed;
    for (const Judged& one : *judged) {
      if (one.is_needed) needed.push_back(one.grant);
    }
    std::sort(needed.begin(), needed.end());
    std::sort(needs.begin(), needs.end());
    EXPECT_EQ(needed, needs) << mask;
  }
}

// One of two is enough: one of them stays.
TEST(Minimise, KeepsOneOfTwoThatDoTheSame) {
  const Grant search = Capability("CAP_DAC_READ_SEARCH");
  const Grant override = Capability("CAP_DAC_OVERRIDE");
  const auto judged =
      Minimise({{search}, {override}}, [&](const Grants& grants) -> Result<Verdict> {
        return Verdict{!grants.empty(), grants.empty() ? "it cannot read" : ""};
      });
  ASSERT_TRUE(judged);
  EXPECT_THAT(Needed(*judged), ElementsAre("CAP_DAC_OVERRIDE: it cannot read"));
}

TEST(Minimise, SaysThatItFailsWithEverything) {
  const auto judged = Minimise(kGroups, [](const Grants&) -> Result<Verdict> {
    return Verdict{false, "exit 1"};
  });
  ASSERT_FALSE(judged);
  EXPECT_EQ(judged.error().message, "it fails although it has all of this: exit 1");
}

TEST(Minimise, EndsWithAnErrorOfTheProver) {
  for (int tries = 1; tries <= 5; ++tries) {
    FakeService service({Capability("CAP_B")});
    service.FailAfter(tries);
    const auto judged = Minimise(kGroups, service.Prove());
    ASSERT_FALSE(judged) << tries;
    EXPECT_THAT(judged.error().message, HasSubstr("the engine is gone"));
  }
}

}  // namespace
}  // namespace runclad::learn::minimise_test
