// What holds for every document and for every rule of the catalogue, those to come included: on
// documents that are made by changing real ones at random, from fixed seeds.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/base/sanitizers.hpp"
#include "runclad/enforce/decision.hpp"
#include "runclad/oci/overlay.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/rule.hpp"

#include "mutator.hpp"
#include "test_paths.hpp"
#include "wider.hpp"

namespace runclad::enforce::properties_test {
namespace {

using nlohmann::json;
using policy::Action;

#if defined(NDEBUG) && !defined(RUNCLAD_UNDER_ASAN)
constexpr std::uint32_t kSeeds = 500;
#else
constexpr std::uint32_t kSeeds = 60;
#endif

const std::vector<json>& Corpus() {
  static const std::vector<json> documents = [] {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(RUNCLAD_TEST_DATA "/data/corpus")) {
      const std::string name = entry.path().filename();
      if (name.ends_with(".json") && !name.ends_with(".process.json")) {
        paths.push_back(entry.path());
      }
    }
    std::ranges::sort(paths);
    std::vector<json> all;
    for (const auto& path : paths) {
      std::ifstream file(path);
      all.push_back(json::parse(file));
    }
    return all;
  }();
  return documents;
}

policy::Effective Profile(const std::string& name) {
  auto policy = policy::Parse(R"({"extends": ")" + name + R"("})", "policy.json", rules::Schemas());
  if (!policy) throw std::runtime_error(policy.error().message);
  return *std::move(policy);
}

// Every rule rewrites, where it can.
policy::Effective FixingEverything() {
  policy::Effective policy = Profile("restricted");
  for (const rules::Rule* rule : rules::Catalog()) {
    const auto& actions = rule->schema.actions;
    const bool can_fix = std::ranges::find(actions, Action::kFix) != actions.end();
    policy.rules[std::string(rule->id())].action = can_fix ? Action::kFix : Action::kWarn;
  }
  return policy;
}

policy::Effective WarningOfEverything() {
  policy::Effective policy = Profile("restricted");
  for (auto& [id, setting] : policy.rules) setting.action = Action::kWarn;
  return policy;
}

struct Case {
  std::uint32_t seed = 0;
  std::string text;
  rules::Facts facts;
};

oci::Spec SpecOf(const Case& one) { return *oci::Spec::Parse(one.text); }

// Facts that fit the document, some of them bad news.
rules::Facts FactsFor(const oci::Spec& spec, Mutator& random) {
  using rules::NamespaceFacts;
  using rules::SourceFacts;
  rules::Facts facts;
  facts.Get<rules::KernelFacts>() = {
      .major = 6, .minor = 18, .capabilities = 0, .thermal_throttle_paths = {}};
  facts.Get<rules::RootFacts>().kind = rules::RootFacts::Kind::kOrdinary;
  const auto source = [&](const std::string& path) {
    constexpr SourceFacts::Access kAccess[] = {
        SourceFacts::Access::kAllowed, SourceFacts::Access::kAllowed,
        SourceFacts::Access::kEngineOwn, SourceFacts::Access::kReadOnly,
        SourceFacts::Access::kDenied};
    SourceFacts& known = facts.Get<rules::Sources>()[path];
    known.access = kAccess[random.Below(std::size(kAccess))];
    known.resolved = path;
    known.has_submounts = random.Below(2) == 0;
  };
  for (const oci::Mount& mount : spec.mounts()) {
    if (mount.is_bind()) source(mount.source);
    if (mount.type != "overlay") continue;
    const auto layers = oci::OverlayLayers(mount);
    if (!layers) continue;
    for (const oci::OverlayLayer& layer : *layers) source(layer.path);
  }
  for (const oci::Namespace& joined : spec.namespaces()) {
    constexpr NamespaceFacts::Owner kOwners[] = {NamespaceFacts::Owner::kEngine,
                                                 NamespaceFacts::Owner::kContainer,
                                                 NamespaceFacts::Owner::kHost};
    if (joined.path.empty()) continue;
    facts.Get<rules::Namespaces>()[joined.path] = {kOwners[random.Below(std::size(kOwners))],
                                                   "peer"};
  }
  for (const oci::Hook& hook : spec.hooks()) {
    facts.Get<rules::Hooks>()[hook.pointer] = {
        random.Below(2) == 0 ? rules::HookFacts::Kind::kEngine : rules::HookFacts::Kind::kForeign,
        hook.path, "is anybody's"};
  }
  return facts;
}

std::optional<Case> CaseOf(std::uint32_t seed) {
  Mutator mutator(Corpus(), seed);
  Case one{seed, mutator.Next().dump(), {}};
  const auto spec = oci::Spec::Parse(one.text);
  if (!spec) return std::nullopt;
  one.facts = FactsFor(*spec, mutator);
  return one;
}

Decision DecideOf(const Case& one, const policy::Effective& policy) {
  return Decide(SpecOf(one), policy, one.facts, rules::Scope::kContainer);
}

std::set<std::string> Refusing(const Decision& decision) {
  std::set<std::string> ids;
  for (const Applied& applied : decision.findings) {
    if (applied.disposition == Disposition::kRefused) ids.emplace(applied.rule->id());
  }
  return ids;
}

// What a policy makes of the document when the rules that would refuse it only warn; so that the
// others are seen at work on every document.
struct Passed {
  policy::Effective policy;
  Decision decision;
};

Passed Pass(const Case& one, policy::Effective policy) {
  for (;;) {
    Decision decision = DecideOf(one, policy);
    const auto refusing = Refusing(decision);
    if (refusing.empty()) return {std::move(policy), std::move(decision)};
    for (const std::string& id : refusing) policy.rules[id].action = Action::kWarn;
  }
}

void ForEach(const std::function<void(const Case&)>& hold) {
  std::uint32_t parsed = 0;
  for (std::uint32_t seed = 1; seed <= kSeeds && !::testing::Test::HasFailure(); ++seed) {
    const auto one = CaseOf(seed);
    if (!one) continue;
    ++parsed;
    hold(*one);
  }
  if (::testing::Test::HasFailure()) return;
  EXPECT_GT(parsed, kSeeds / 2) << "most random documents are to be specs";
}

const std::vector<policy::Effective>& Policies() {
  static const std::vector<policy::Effective> policies = {Profile("restricted"),
                                                          Profile("baseline"), FixingEverything()};
  return policies;
}

TEST(Properties, AppliedTwiceChangesNothing) {
  ForEach([](const Case& one) {
    for (const policy::Effective& policy : Policies()) {
      const Passed passed = Pass(one, policy);
      Case again = one;
      again.text = passed.decision.spec.Write();
      const Decision second = DecideOf(again, passed.policy);
      for (const Applied& applied : second.findings) {
        EXPECT_NE(applied.disposition, Disposition::kFixed)
            << "seed " << one.seed << ": " << applied.rule->id() << " changes "
            << applied.finding.path << " again: " << applied.finding.why;
      }
      EXPECT_EQ(second.outcome, Outcome::kUnchanged) << "seed " << one.seed;
    }
  });
}

TEST(Properties, NothingBecomesMorePermissive) {
  ForEach([](const Case& one) {
    for (const policy::Effective& policy : Policies()) {
      const Passed passed = Pass(one, policy);
      EXPECT_EQ(Wider(SpecOf(one), passed.decision.spec), "") << "seed " << one.seed << "\n"
                                                              << one.text;
    }
  });
}

TEST(Properties, UnknownMembersSurvive) {
  ForEach([](const Case& one) {
    json document = json::parse(one.text);
    const json marked = {{"some", {1, "two", nullptr}}, {"number", 18446744073709551615U}};
    std::vector<json::json_pointer> places;
    for (const char* parent : {"", "/process", "/process/user", "/root", "/linux"}) {
      const json::json_pointer pointer(parent);
      if (document.contains(pointer) && document[pointer].is_object()) {
        places.push_back(pointer / "notOfTheSpec");
        document[places.back()] = marked;
      }
    }
    Case with_marks{one.seed, document.dump(), one.facts};
    if (!oci::Spec::Parse(with_marks.text)) return;
    for (const policy::Effective& policy : Policies()) {
      const Passed passed = Pass(with_marks, policy);
      for (const json::json_pointer& place : places) {
        EXPECT_EQ(passed.decision.spec.document().value(place, json()), marked)
            << "seed " << one.seed << ": " << place;
      }
    }
  });
}

TEST(Properties, WarningsChangeNoByte) {
  const policy::Effective policy = WarningOfEverything();
  ForEach([&](const Case& one) {
    const Decision decision = DecideOf(one, policy);
    EXPECT_EQ(decision.outcome, Outcome::kUnchanged) << "seed " << one.seed;
    EXPECT_EQ(decision.spec.Write(), SpecOf(one).Write()) << "seed " << one.seed;
  });
}

TEST(Properties, RestrictedKeepsNoMoreThanBaseline) {
  const policy::Effective restricted = Profile("restricted");
  ForEach([&](const Case& one) {
    policy::Effective baseline = Profile("baseline");
    for (const std::string& id : Refusing(DecideOf(one, baseline))) {
      EXPECT_TRUE(Refusing(DecideOf(one, restricted)).contains(id))
          << "seed " << one.seed << ": baseline refuses by " << id << " and restricted does not";
    }
    const Passed tight = Pass(one, restricted);
    for (const auto& [id, setting] : tight.policy.rules) {
      const bool is_lifted = setting.action != restricted.rule(id).action;
      if (is_lifted) baseline.rules[id].action = Action::kWarn;
    }
    const Decision loose = DecideOf(one, baseline);
    EXPECT_EQ(Refusing(loose), std::set<std::string>()) << "seed " << one.seed;
    EXPECT_EQ(Wider(loose.spec, tight.decision.spec), "") << "seed " << one.seed << "\n"
                                                          << one.text;
  });
}

}  // namespace
}  // namespace runclad::enforce::properties_test
