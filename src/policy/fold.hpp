// How the layers of a policy become one: parameter by parameter, later over earlier.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runclad/policy/effective.hpp"

#include "layer.hpp"

namespace runclad::policy {

// Merges a layer of the host over `policy`: lists that deny accumulate, everything else replaces.
void Fold(Layer layer, Effective& policy);

// Merges a layer of an image over `policy`. No value becomes more permissive than the more
// permissive one of `host`'s value and `ceiling`, and no action weaker than before: what is cut off
// is listed in policy.cuts.
void FoldWithin(Layer layer, Ceiling ceiling, const Effective& host, Effective& policy);

// A layer's waivers, with where they stand.
struct SourcedWaiver {
  Waiver waiver;
  Origin source;
  std::string void_because;  // empty: it counts if it has not expired
};

// Takes the waivers out of `layer`; with less than an unlimited ceiling they are void.
std::vector<SourcedWaiver> TakeWaivers(Layer& layer, Ceiling ceiling);

// Applies those that count on `today` and lists all in policy.waivers.
void Lift(std::vector<SourcedWaiver> waivers, std::int64_t today, Effective& policy);

// What both grant.
Effective Meet(Effective left, const Effective& right, std::span<const RuleSchema> rules);

}  // namespace runclad::policy
