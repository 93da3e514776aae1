// What would let a container's findings pass: the remedies that they carry, put together.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runclad/json/value.hpp"
#include "runclad/policy/effective.hpp"

#include "findings.hpp"

namespace runclad::ctl {

// Lines of a policy, all of them findings' own remedies. What was only warned of needs none.
struct PolicyLines {
  // The members of "rules". Lists are whole, with what `now` has in them already, and of two values
  // the looser one counts.
  json::Value rules;
  // The elements of "waivers", one for a rule, valid as they stand: the reason and the day are for
  // people to replace.
  json::Value waivers;
};

// `now` is the policy whose lists the lines would replace; `today` is in days since 1970-01-01.
PolicyLines LinesFor(const std::vector<Finding>& findings, const policy::Effective& now,
                     std::int64_t today);

// Of one rule: what to do, in clauses.
struct Hints {
  std::string rule;
  bool has_rules = false;            // LinesFor() has a member for it
  bool has_waiver = false;           // LinesFor() has a waiver of it
  bool is_general = false;           // some finding's remedy is only Rule::way_out
  std::vector<std::string> no_line;  // what to ask of the engine; why no setting lifts it
};

// In the order of the catalogue.
std::vector<Hints> HintsFor(const std::vector<Finding>& findings);

// Of those that a version without remedies recorded.
std::size_t CountWithoutRemedies(const std::vector<Finding>& findings);

}  // namespace runclad::ctl
