// Which policy is in force.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"

#include "revisions.hpp"
#include "rollout.hpp"

namespace runclad::ctl {

struct PolicyStatus {
  std::optional<Revision> revision;   // none: the directory's own files are in force
  std::string policy_digest;          // of the host's policy, as the log has it; empty: unusable
  bool has_copy = false;              // for "fallback"
  std::string fell_back_because;      // why the copy is used; empty: it is not
  std::string break_glass;            // until when and why nothing is enforced; empty: all is
  std::string error;                  // why new containers are refused; empty: they are not
  std::vector<std::string> warnings;  // sentences: what else is wrong
};

PolicyStatus StatusOf(const PolicyPlace& place);

}  // namespace runclad::ctl
