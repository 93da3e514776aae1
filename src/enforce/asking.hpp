// Asks what the rules that are on read, and the promise, of whoever has the answers.
#pragma once

#include <tuple>
#include <type_traits>
#include <utility>

#include "runclad/base/result.hpp"
#include "runclad/host/container.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/facts.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::enforce {

// What the rules of this scope read that are not off.
rules::QuestionSet QuestionsOf(const policy::Effective& policy, rules::Scope scope);

// The rules' own facts.
Status GatherByRule(const policy::Effective& policy, rules::Scope scope, host::Container& container,
                    rules::Facts& facts);

template <typename T>
using About = std::type_identity<T>;

// Asks `answers` every question of the set.
template <typename Answers, typename... Ts>
Status AskAll(rules::QuestionSet questions, Answers& answers, About<std::tuple<Ts...>> /*all*/) {
  Status status;
  const auto ask = [&]<typename T>(About<T> /*question*/) {
    if ((questions & rules::kBitOf<T>) != 0) status = answers.template Ask<T>();
    return static_cast<bool>(status);
  };
  static_cast<void>((ask(About<Ts>()) && ...));
  return status;
}

// `answers` has a function Ask<Question>() that puts the answer into facts(). `more`: questions of
// others than rules.
template <typename Answers>
Result<rules::Facts> GatherFrom(Answers& answers, const policy::Effective& policy,
                                rules::Scope scope, rules::QuestionSet more) {
  const rules::QuestionSet questions = QuestionsOf(policy, scope) | more;
  if (auto asked = AskAll(questions, answers, About<rules::Answers>()); !asked) {
    return asked.error();
  }
  auto gathered = GatherByRule(policy, scope, answers.container(), answers.facts());
  if (!gathered) return gathered.error();
  return std::move(answers.facts());
}

}  // namespace runclad::enforce
