// The parameters of one rule as a struct: a table binds each member to a parameter of policy files.
//
//   struct Parameters {
//     policy::StringList allow;
//     std::int64_t maximum = 0;
//   };
//   constexpr auto kParameters = policy::TableOf<Parameters>({
//       {&Parameters::allow, {.name = "allow", .description = "programs that may run"}},
//       {&Parameters::maximum, {.name = "maximum", .description = "…", .order = …}},
//   });
//   const Parameters parameters = kParameters.Read(context.parameters);
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "runclad/policy/parameters.hpp"

namespace runclad::policy {

// A view of a list in a policy.
using StringList = std::span<const std::string>;

inline std::vector<std::string> Copied(StringList list) { return {list.begin(), list.end()}; }

// The name of a parameter that there is: only tables make them.
class ParameterName {
 public:
  [[nodiscard]] constexpr std::string_view text() const { return text_; }

 private:
  template <typename Struct, std::size_t kSize>
  friend class Table;
  explicit constexpr ParameterName(std::string_view text) : text_(text) {}

  std::string_view text_;
};

template <typename Struct>
struct Row {
  // In the order of ParameterType.
  std::variant<StringList Struct::*, std::int64_t Struct::*, std::string_view Struct::*,
               bool Struct::*>
      member;
  // The type is that of the member. What may be left out: the vocabulary, with choices; the order
  // of a list (one that grants is more permissive with more entries, one that denies with fewer)
  // and of a text (a later choice is more permissive); Docker's default for a list, if it is empty.
  // Otherwise, a row without `order` or `docker_default` does not compile.
  ParameterSchema schema;
};

// Not constexpr and not defined: a call makes the compilation of an incomplete row fail.
void OrderOrDockerDefaultIsMissing();

constexpr ParameterSchema Completed(ParameterSchema schema, ParameterType type) {
  schema.type = type;
  if (!schema.choices.empty()) schema.vocabulary = Vocabulary::kChoice;
  const bool is_list = type == ParameterType::kStrings;
  if (schema.order == Order::kUndeclared) {
    if (is_list) {
      schema.order =
          schema.merge == Merge::kAccumulate ? Order::kFewerIsLooser : Order::kMoreIsLooser;
    } else if (type == ParameterType::kText) {
      schema.order = Order::kLaterIsLooser;
    }
  }
  if (is_list && std::holds_alternative<std::monostate>(schema.docker_default)) {
    // clang 14 does not assign another alternative in a constant expression.
    std::construct_at(&schema.docker_default, std::span<const std::string_view>());
  }
  if (schema.order == Order::kUndeclared ||
      std::holds_alternative<std::monostate>(schema.docker_default)) {
    OrderOrDockerDefaultIsMissing();
  }
  return schema;
}

template <typename Struct, std::size_t kSize>
class Table {
 public:
  explicit consteval Table(const Row<Struct> (&rows)[kSize])
      : Table(rows, std::make_index_sequence<kSize>()) {}

  [[nodiscard]] constexpr std::span<const ParameterSchema> schemas() const { return schemas_; }

  // Lists and texts are views of `parameters`, which must outlive them. What no layer names is
  // empty, 0 or false.
  [[nodiscard]] Struct Read(const Parameters& parameters) const {
    Struct read{};
    for (std::size_t i = 0; i < kSize; ++i) {
      std::visit([&](auto member) { parameters.Read(schemas_[i].name, read.*member); },
                 members_[i]);
    }
    return read;
  }

  // For whoever is not the rule. Where the rule is off, only those that count then are read.
  [[nodiscard]] Struct ReadForOthers(const RuleSetting& setting) const {
    if (setting.action != Action::kOff) return Read(setting.parameters);
    Struct read{};
    for (std::size_t i = 0; i < kSize; ++i) {
      if (!schemas_[i].counts_while_off) continue;
      std::visit([&](auto member) { setting.parameters.Read(schemas_[i].name, read.*member); },
                 members_[i]);
    }
    return read;
  }

  // For a parameter's value that does not come from a policy file.
  void Set(Parameters& parameters, StringList Struct::*member,
           std::vector<std::string> value) const {
    parameters.Set((*this)[member].text(), std::move(value));
  }
  void Set(Parameters& parameters, std::string_view Struct::*member, std::string value) const {
    parameters.Set((*this)[member].text(), std::move(value));
  }

  // The name in policy files.
  template <typename Value>
  [[nodiscard]] constexpr ParameterName operator[](Value Struct::*member) const {
    std::size_t i = 0;
    while (members_[i] != decltype(members_[i])(member)) ++i;
    return ParameterName(schemas_[i].name);
  }

 private:
  template <std::size_t... kIndices>
  consteval Table(const Row<Struct> (&rows)[kSize], std::index_sequence<kIndices...> /*each*/)
      : members_{rows[kIndices].member...},
        schemas_{Completed(rows[kIndices].schema,
                           static_cast<ParameterType>(rows[kIndices].member.index()))...} {}

  std::array<decltype(Row<Struct>::member), kSize> members_;
  std::array<ParameterSchema, kSize> schemas_;
};

template <typename Struct, std::size_t kSize>
consteval Table<Struct, kSize> TableOf(const Row<Struct> (&rows)[kSize]) {
  return Table<Struct, kSize>(rows);
}

}  // namespace runclad::policy
