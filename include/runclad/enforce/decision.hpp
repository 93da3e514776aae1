// The decision about a spec: rewritten, refused or unchanged.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/rule.hpp"

namespace runclad::enforce {

enum class Disposition { kFixed, kRefused, kWarned };
enum class Outcome { kUnchanged, kRewritten, kRefused };

std::string_view Name(Disposition disposition);  // "fixed"
std::string_view Name(Outcome outcome);          // "rewritten"

struct Applied {
  const rules::Rule* rule = nullptr;
  rules::Finding finding;  // with the value before
  Disposition disposition = Disposition::kFixed;
};

struct Decision {
  Outcome outcome = Outcome::kUnchanged;
  std::vector<Applied> findings;  // in the order in which they were applied
  oci::Spec spec;  // as it would be passed on; if refused, with the changes made so far
};

// Runs the catalogue over `spec`: each rule sees what the rules before it changed. `scope` kProcess
// (exec) leaves the rules of the container out, kUpdate all but those that judge updates. Has no
// other effects and reads nothing else; the caller handles the mode.
Decision Decide(oci::Spec spec, const policy::Effective& policy, const rules::Facts& facts,
                rules::Scope scope);

// The first refusal of a decision as one line for the person who asked for the container:
// "refused by host-mounts: /mounts/7/source "/" is …; <way out>, see runcladctl explain
// host-mounts".
std::string RefusalSentence(const Decision& decision);

}  // namespace runclad::enforce
