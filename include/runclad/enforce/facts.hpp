// Asks the questions that rules read, before they run: each at most once, and only if a rule that
// is not off declares it, or the promise.
#pragma once

#include <functional>
#include <string>

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/facts.hpp"
#include "runclad/store/records.hpp"

namespace runclad::enforce {

// Where a container's documents are.
struct Request {
  std::string id;                           // empty: not known (runcladctl check)
  std::string bundle;                       // absolute; relative sources and root.path start here
  std::string runtime_root;                 // --root; empty when not given, as by podman
  const store::Records* records = nullptr;  // null: no container is known
  bool starts_at_once = false;              // run: nothing is compared with what is checked now
  bool is_crun = false;                     // the lower runtime
  // The host's policy for an image that a mount shows; none: the container's own.
  std::function<Result<policy::Effective>(const engine::Identity&)> policy_of = {};
};

struct Subject;

// An error if a path of the document or of the image cannot be resolved within the limits.
Result<rules::Facts> GatherFacts(const oci::Spec& spec, const policy::Effective& policy,
                                 const Request& request, const Subject& subject);

// As far as the rules of the process read them, for an exec into the container whose root
// directory is `root`.
Result<rules::Facts> GatherProcessFacts(const oci::Spec& process, const policy::Effective& policy,
                                        const engine::Identity& identity, const std::string& root);

}  // namespace runclad::enforce
