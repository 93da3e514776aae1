// The facts of a host that exists on paper only: nothing of this machine is read, so that a test of
// a policy has the same result on each.
#pragma once

#include <string>

#include "runclad/engine/identity.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/rules/facts.hpp"

namespace runclad::enforce {

struct PaperHost {
  int kernel_major = 6;  // Debian 12's
  int kernel_minor = 1;
  std::string architecture = "amd64";  // Go's name
  bool has_apparmor = false;           // with Docker's default profile loaded
  bool has_selinux = false;
};

// Every absolute mount source is a directory under that name. The image has what the document and
// the policy name as directories, empty, and nothing else. A namespace that the document names by a
// path, and a hook, are nobody's.
rules::Facts FactsOnPaper(const oci::Spec& spec, const policy::Effective& policy,
                          const engine::Identity& identity, const PaperHost& host);

}  // namespace runclad::enforce
