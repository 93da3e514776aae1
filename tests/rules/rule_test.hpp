// What the tests of the rules share: a rule run over a document, with the findings applied.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "runclad/enforce/decision.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::rules {

inline oci::Spec SpecOf(std::string_view text) {
  auto spec = oci::Spec::Parse(text);
  EXPECT_TRUE(spec) << spec.error().message;
  return *std::move(spec);
}

// A policy with this one rule.
inline policy::Effective PolicyWith(std::string_view id, policy::Parameters parameters,
                                    policy::Action action = policy::Action::kFix) {
  policy::Effective policy;
  policy.rules[std::string(id)] = {action, std::move(parameters)};
  return policy;
}

inline enforce::Decision DecideBy(std::string_view id, std::string_view spec,
                                  const policy::Parameters& parameters, const Facts& facts = {}) {
  return enforce::Decide(SpecOf(spec), PolicyWith(id, parameters), facts, Scope::kContainer);
}

}  // namespace runclad::rules
