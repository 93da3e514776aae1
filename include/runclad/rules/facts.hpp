// The answers to questions, by their types. Found out in advance by enforce: rules do no I/O.
#pragma once

#include <cstdint>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "runclad/rules/questions.hpp"

namespace runclad::rules {

// A bit for each question.
using QuestionSet = std::uint32_t;

template <typename T, typename List = Answers>
inline constexpr QuestionSet kBitOf = 0;  // not a question: a rule's own facts
template <typename T, typename... Ts>
inline constexpr QuestionSet kBitOf<T, std::tuple<Ts...>> = [] {
  QuestionSet bit = 1;
  QuestionSet found = 0;
  ((found |= std::is_same_v<T, Ts> ? bit : 0, bit <<= 1U), ...);
  return found;
}();
static_assert(std::tuple_size_v<Answers> <= 32);

template <typename T>
concept Question = kBitOf<T>
!= 0;

class Facts {
 public:
  // Of a question that was not asked, and of a rule's own facts that were not gathered: empty.
  template <typename T>
  [[nodiscard]] const T& Get() const {
    if constexpr (Question<T>) {
      return std::get<T>(answers_);
    } else {
      for (const auto& [key, facts] : own_) {
        if (key == &kKeyOf<T>) return *static_cast<const T*>(facts.get());
      }
      static const T kNone{};
      return kNone;
    }
  }
  template <Question T>
  [[nodiscard]] T& Get() {
    return std::get<T>(answers_);
  }

  template <typename T>
  void Put(T value) {
    if constexpr (Question<T>) {
      std::get<T>(answers_) = std::move(value);
    } else {
      std::erase_if(own_, [](const auto& entry) { return entry.first == &kKeyOf<T>; });
      own_.emplace_back(&kKeyOf<T>, std::make_shared<const T>(std::move(value)));
    }
  }

 private:
  template <typename T>
  static constexpr char kKeyOf = 0;  // its address stands for the type

  Answers answers_;
  std::vector<std::pair<const char*, std::shared_ptr<const void>>> own_;
};

// A view of these answers and no others. Whoever may read more may pass on less.
template <typename... Ts>
class Reading {
 public:
  static constexpr QuestionSet kQuestions = (kBitOf<Ts> | ... | 0);

  Reading(const Facts& facts) : facts_(&facts) {}  // NOLINT(google-explicit-constructor)
  template <typename... Wider>
  requires(!std::is_same_v<Reading<Wider...>, Reading<Ts...>>)
      Reading(const Reading<Wider...>& wider)  // NOLINT(google-explicit-constructor)
      : facts_(wider.facts_) {
    static_assert((kMayRead<Ts, Wider...> && ...), "the caller does not declare all of these");
  }

  template <typename T>
  [[nodiscard]] const T& Get() const {
    static_assert(kMayRead<T, Ts...>, "declare what is read");
    return facts_->Get<T>();
  }

 private:
  template <typename...>
  friend class Reading;
  template <typename T, typename... All>
  static constexpr bool kMayRead = (std::is_same_v<T, All> || ...);

  const Facts* facts_;
};

}  // namespace runclad::rules
