// Binds a rule's functions to what they read, by the types of their parameters:
//
//   Findings Check(const oci::Spec& spec, const Context& context, const Sources& sources);
//   …
//   .check = Bind<Check>(),
//
// What follows the context is `const T&`, where T is a question (rules/questions.hpp) or the rule's
// own facts, or a Reading of several. Own facts are a struct of the rule with a function
//
//   static Result<T> Gather(const Asked& asked, …);
//
// which may read answers in the same way. Everything that is named is asked before any rule runs,
// and nothing else can be read.
#pragma once

#include <type_traits>
#include <utility>

#include "runclad/rules/facts.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::rules {
namespace binding {

template <typename Function>
struct Gathers;

// How a parameter of this type is read.
template <typename Parameter>
struct Read;

template <typename T>
struct Read<const T&> {
  static consteval QuestionSet Questions() {
    if constexpr (Question<T>) {
      return kBitOf<T>;
    } else {
      return Gathers<decltype(&T::Gather)>::kQuestions;
    }
  }
  static constexpr bool kIsOwn = !Question<T>;
  static Status Gather(const Asked& asked, Facts& facts) {
    if constexpr (kIsOwn) {
      Result<T> own = Gathers<decltype(&T::Gather)>::Call(&T::Gather, asked, facts);
      if (!own) return own.error();
      facts.Put(*std::move(own));
    }
    return {};
  }
};

template <typename... Ts>
struct Read<Reading<Ts...>> {
  static_assert((Question<Ts> && ...));
  static consteval QuestionSet Questions() { return Reading<Ts...>::kQuestions; }
  static constexpr bool kIsOwn = false;
  static Status Gather(const Asked& /*asked*/, Facts& /*facts*/) { return {}; }
};

template <typename Parameter>
decltype(auto) From(const Facts& facts) {
  if constexpr (std::is_reference_v<Parameter>) {
    return facts.Get<std::remove_cvref_t<Parameter>>();
  } else {
    return Parameter(facts);
  }
}

template <typename T, typename... Parameters>
struct Gathers<Result<T> (*)(const Asked&, Parameters...)> {
  static constexpr QuestionSet kQuestions = (Read<Parameters>::Questions() | ... | 0);
  static_assert((!Read<Parameters>::kIsOwn && ...), "own facts are gathered from answers only");
  static Result<T> Call(Result<T> (*gather)(const Asked&, Parameters...), const Asked& asked,
                        const Facts& facts) {
    return gather(asked, From<Parameters>(facts)...);
  }
};

template <auto kCheck>
struct Bound;

template <typename... Parameters,
          Findings (*kCheck)(const oci::Spec&, const Context&, Parameters...)>
struct Bound<kCheck> {
  static Findings Run(const oci::Spec& spec, const Context& context,
                      [[maybe_unused]] const Facts& facts) {
    return kCheck(spec, context, From<Parameters>(facts)...);
  }
  static Status Gather(const Asked& asked, Facts& facts) {
    Status status;
    static_cast<void>(
        ((status = Read<Parameters>::Gather(asked, facts), static_cast<bool>(status)) && ...));
    return status;
  }
  static constexpr BoundCheck kBound = {
      .run = Run,
      .gather = (Read<Parameters>::kIsOwn || ...) ? &Gather : nullptr,
      .questions = (Read<Parameters>::Questions() | ... | 0),
  };
};

template <typename... Parameters,
          void (*kForExec)(const oci::Spec&, policy::Parameters&, Parameters...)>
struct Bound<kForExec> {
  static_assert((!Read<Parameters>::kIsOwn && ...));
  static void Run(const oci::Spec& spec, policy::Parameters& parameters,
                  [[maybe_unused]] const Facts& facts) {
    kForExec(spec, parameters, From<Parameters>(facts)...);
  }
  static constexpr BoundForExec kBound = {
      .run = Run,
      .questions = (Read<Parameters>::Questions() | ... | 0),
  };
};

}  // namespace binding

template <auto kFunction>
consteval auto Bind() {
  return binding::Bound<kFunction>::kBound;
}

}  // namespace runclad::rules
