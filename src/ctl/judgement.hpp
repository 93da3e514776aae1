// What create would decide about a container today.
#pragma once

#include <string>

#include "runclad/enforce/decision.hpp"
#include "runclad/json/value.hpp"
#include "runclad/policy/effective.hpp"

#include "bundles.hpp"
#include "commands.hpp"

namespace runclad::ctl {

struct Judgement {
  policy::Effective policy;
  enforce::Decision decision;
};

// Under the policy and the profile that `request` names.
Result<Judgement> Judge(const OpenedContainer& opened, const CheckRequest& request);

// kUnchanged, kChanged or kRefused.
int StatusOf(enforce::Outcome outcome);

// "docker.io/library/nginx:1.27"; empty: the image has no name.
std::string ImageNameOf(const engine::Identity& identity);

// "docker web (9a0ea5e2a3d5), docker.io/library/nginx:1.27"
std::string Heading(const OpenedContainer& opened);

// {"engine", "id", "name", "bundle", "image", "digest"}
json::Document ToDocument(const OpenedContainer& opened);
// {"outcome", "profile", "mode", "policy", "findings"}
json::Document ToDocument(const Judgement& judgement);

}  // namespace runclad::ctl
