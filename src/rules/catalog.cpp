// The catalogue: every rule, in the order in which they are applied.
#include <algorithm>
#include <array>

#include "runclad/rules/rule.hpp"

namespace runclad::rules {

extern const Rule kNoNewPrivileges;

namespace {

constexpr std::array kCatalog = {
    &kNoNewPrivileges,
};

}  // namespace

std::span<const Rule* const> Catalog() { return kCatalog; }

const Rule* FindRule(std::string_view id) {
  const auto* found = std::ranges::find(kCatalog, id, &Rule::id);
  return found == kCatalog.end() ? nullptr : *found;
}

std::span<const policy::RuleSchema> Schemas() {
  static const auto schemas = [] {
    std::array<policy::RuleSchema, kCatalog.size()> all;
    std::ranges::transform(kCatalog, all.begin(), &Rule::schema);
    return all;
  }();
  return schemas;
}

}  // namespace runclad::rules
