// What hidden-paths found in an image, kept under /var/lib/runclad/hidden: an image never changes.
#pragma once

#include <optional>
#include <string>

#include "runclad/base/result.hpp"
#include "runclad/enforce/state_directory.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/facts.hpp"

namespace runclad::enforce {

class HiddenCache {
 public:
  // What `setting` finds in the image, which has to be known; for other lists in the policy,
  // another engine or another version of runclad it is another answer.
  HiddenCache(const engine::Identity& image, const policy::RuleSetting& setting,
              std::string state_directory = kStateDirectory);

  // No value: nothing is kept, or what is there is cut off or could be another's than root's.
  [[nodiscard]] std::optional<rules::HiddenFacts> Find() const;

  // For facts of the image alone, never of what a container made of it. Removes the oldest where
  // there are more than 256, at most 64 at a time.
  [[nodiscard]] Status Keep(const rules::HiddenFacts& facts) const;

 private:
  std::string state_directory_;
  std::string question_;
  std::string file_name_;
};

}  // namespace runclad::enforce
