// A rule: what it is (data) and what it finds (one pure function).
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/json/value.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/parameters.hpp"
#include "runclad/rules/facts.hpp"

namespace runclad::rules {

enum class Operation { kSet, kInsert, kRemove, kNone };

struct Finding {
  std::string path;                        // JSON pointer into config.json
  Operation operation = Operation::kNone;  // kNone: there is no safe form
  json::Value before;                      // filled by enforce from the document
  json::Value after;
  std::string why;  // completes "<path> <value> …": "lets set-user-ID programs raise privileges"
  bool only_warns = false;  // whatever the rule's action, unless it is off
  // Nothing is wrong, and a value is added where none is said; not where the rule only warns.
  bool is_default = false;
  // The value that the rule's list `allow` would need for exactly this to pass; empty: none would
  // do.
  std::string allow = {};
  // The rule's action by the policy for what is found fault with, where that is not the container's
  // image; none: the container's.
  std::optional<policy::Action> action = {};

  [[nodiscard]] bool has_safe_form() const { return operation != Operation::kNone; }
};

using Findings = std::vector<Finding>;

// A safe form exists: the value at `path` becomes `value`.
Finding Propose(std::string path, json::Value value, std::string why);
// An element goes in before the one at `path`; findings are applied in their order.
Finding ProposeInsert(std::string path, json::Value value, std::string why);
Finding ProposeRemove(std::string path, std::string why);
// A value of ours where the document says none.
Finding ProposeDefault(std::string path, json::Value value, std::string why);
// No safe form exists.
Finding Refuse(std::string path, json::Value value, std::string why);
// To be recorded and never acted on.
Finding Note(std::string path, json::Value value, std::string why);

// kProcess: on exec too; kUpdate: new limits for a running container (/linux/resources alone).
enum class Scope { kProcess, kContainer, kUpdate };

struct Context {
  const Facts& facts;
  const policy::Parameters& parameters;
  bool is_update = false;  // what the document does not mention stays as it is
  bool is_off = false;     // for the container; it is asked for the images of volumes alone
};

struct Rule {
  policy::RuleSchema schema;  // id, actions, parameters
  std::string_view title;
  std::string_view rationale;
  std::string_view way_out;  // how to allow it for one image or host, in one clause
  std::span<const std::string_view> benchmarks;  // "CIS 5.4", "PSS baseline"
  std::span<const std::string_view> paths;       // JSON paths read and changed
  Scope scope = Scope::kContainer;
  bool judges_updates = false;
  bool judges_image_volumes = false;  // each by its own policy, even where it is off here
  Findings (*check)(const oci::Spec& spec, const Context& context) = nullptr;

  [[nodiscard]] std::string_view id() const { return schema.id; }
};

// Every rule, in the order in which they are applied: each sees what the ones before it changed.
std::span<const Rule* const> Catalog();
const Rule* FindRule(std::string_view id);
// The catalogue as the policy layer wants it.
std::span<const policy::RuleSchema> Schemas();

}  // namespace runclad::rules
