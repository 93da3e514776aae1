// What a policy file says and no container gets anything of, without being a fault.
#pragma once

#include <string>
#include <vector>

#include "runclad/json/reader.hpp"
#include "runclad/json/value.hpp"
#include "runclad/policy/effective.hpp"

#include "lint_report.hpp"

namespace runclad::ctl {

// A file of a policy, or the part of it for a tag, and the effective policy that it counts in, with
// its origins.
struct PolicyPart {
  std::string path;      // as origins have it: "images/docker.io/library/nginx.json"
  std::string file;      // as findings name it
  std::string pointer;   // "", "/tags/1.27"
  json::Value document;  // what stands there, an object
  json::Positions positions;
  const policy::Effective& policy;
  policy::Mode host_mode = policy::Mode::kEnforce;
};

// Parameters and waivers of rules that are off elsewhere, and audit modes of images on a host whose
// own mode is audit.
std::vector<LintFinding> IdleGrants(const PolicyPart& part);

// Values of one of the host's own files that a later one of them sets again.
std::vector<LintFinding> OverriddenValues(const PolicyPart& part);

}  // namespace runclad::ctl
