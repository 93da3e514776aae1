// A rule: what it is (data) and what it finds (one pure function).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/json/value.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/policy/table.hpp"
#include "runclad/rules/facts.hpp"

namespace runclad::host {
class Container;
}

namespace runclad::rules {

enum class Operation { kSet, kInsert, kRemove, kNone };

// What a program in the container gets where a change takes something that it needs.
enum class Symptom : std::uint8_t {
  kNone,              // no error of this kind
  kNotPermitted,      // EPERM
  kReadOnly,          // EROFS
  kPermissionDenied,  // EACCES when it starts a program
  kHidden,            // a file is empty and cannot be executed (EACCES), or is missing (ENOENT)
  kNoDevice,          // EPERM when it opens a device
  // EAGAIN, EMFILE or ENOMEM at the limit, EPERM when it raises the limit or its priority, or it is
  // killed when memory runs out.
  kLimited,
};

// What a grant of what was refused is worth.
enum class Grant : std::uint8_t {
  kLimited,
  kHostRoot,  // whoever controls the container can become root on the host
};

// The kind of a finding. Logs, records and tests refer to it, so an id never changes. The texts are
// stored inline: each pointer in a table costs a relocation at every program start.
struct Code {
  char id[32];        // unique within its rule: "denied", in the log "host-mounts/denied"
  char meaning[128];  // one clause for the manual: "the source is on the deny list"
  Symptom symptom = Symptom::kNone;
  Grant grant = Grant::kLimited;
};

// What would allow exactly this finding. Sentences are generated from it and never parsed.
struct Remedy {
  enum class Kind {
    kNone,     // no setting allows it; without `because`, Rule::way_out says what to do
    kSetting,  // parameters, in the image's file or for the host
    kWaiver,   // the same, but only in a waiver
    kEngine,   // the request to the engine must change
    // Parameters with which a program that fails may run, although the finding stays. Which of them
    // it needs, only a trial shows.
    kTrial,
  };
  // What the settings are for, as narrow as the request allows.
  enum class Scope : std::uint8_t {
    kImageOrHost,  // the image's file, or the host's policy for every image
    kImage,        // the image's file
    kPod,          // the image's file, or that of the pod's namespace
  };
  struct Setting {
    std::string_view rule;            // empty: the finding's own
    std::string_view parameter;       // "allow"
    policy::Parameters::Value value;  // a list: the entries to add
  };
  Kind kind = Kind::kNone;
  Scope scope = Scope::kImageOrHost;
  std::vector<Setting> settings = {};
  // A clause. kNone: why, "/ is never mounted"; kEngine: what to ask for, "run it without
  // --privileged". Of Scope::kPod instead the pod's namespace.
  std::string because = {};
};

// Entries to add to the list `parameter`.
Remedy AddTo(policy::ParameterName parameter, std::vector<std::string> values);
// Entries that a waiver must add to the list `parameter`.
Remedy WaiveIn(policy::ParameterName parameter, std::vector<std::string> values);
// The same, for the pods of a namespace as well.
Remedy WaiveForPod(policy::ParameterName parameter, std::vector<std::string> values,
                   std::string pod_namespace);
// Entries that a waiver must remove from the deny list `parameter`.
Remedy TakeFrom(policy::ParameterName parameter, std::vector<std::string> values);
// The value to set `parameter` to.
Remedy SetTo(policy::ParameterName parameter, policy::Parameters::Value value);
Remedy NoRemedy(std::string because);
Remedy AskEngine(std::string clause);
// Entries of the list `parameter` to try.
Remedy TryIn(policy::ParameterName parameter, std::vector<std::string> values);

struct Finding {
  std::string path;                        // JSON pointer into config.json
  Operation operation = Operation::kNone;  // kNone: there is no safe form
  json::Value before;                      // filled by enforce from the document
  json::Value after;
  std::string why;  // completes "<path> <value> …": "lets set-user-ID programs raise privileges"
  bool only_warns = false;  // regardless of the rule's action, unless it is off
  // Not a fault: a value is added if the document has none, unless the rule only warns.
  bool is_default = false;
  // The rule's action in the policy for the judged object if that is not the container's image; no
  // value: the container's.
  std::optional<policy::Action> action = {};
  const Code* code = nullptr;  // one of the rule's; never null
  Remedy remedy = {};

  [[nodiscard]] bool has_safe_form() const { return operation != Operation::kNone; }
};

using Findings = std::vector<Finding>;

// A safe form exists: the value at `path` becomes `value`.
Finding Propose(const Code& code, std::string path, json::Value value, std::string why,
                Remedy remedy = {});
// An element goes in before the one at `path`; findings are applied in their order.
Finding ProposeInsert(const Code& code, std::string path, json::Value value, std::string why,
                      Remedy remedy = {});
Finding ProposeRemove(const Code& code, std::string path, std::string why, Remedy remedy = {});
// runclad's value if the document has none.
Finding ProposeDefault(const Code& code, std::string path, json::Value value, std::string why,
                       Remedy remedy = {});
// No safe form exists.
Finding Refuse(const Code& code, std::string path, json::Value value, std::string why,
               Remedy remedy = {});
// Only recorded; has no effect.
Finding Note(const Code& code, std::string path, json::Value value, std::string why,
             Remedy remedy = {});

// kProcess: on exec too; kUpdate: new limits for a running container (/linux/resources alone).
enum class Scope { kProcess, kContainer, kUpdate };

// What a check knows besides the document and the answers that it declares.
struct Context {
  const policy::Parameters& parameters;
  bool is_update = false;  // what the document does not mention stays as it is
  bool is_off = false;     // for the container; only the images of volumes are judged
};

// What a rule's own facts are gathered from, before any rule runs.
struct Asked {
  host::Container& container;
  policy::Action action;  // not kOff
  const policy::Parameters& parameters;
  // What the image's own files asked for and did not get, of any rule.
  std::span<const policy::Cut> cuts;
  std::int64_t now;  // seconds since 1970-01-01 UTC
};

// A check with what it reads; made by Bind (rules/binding.hpp) from the signature.
struct BoundCheck {
  Findings (*run)(const oci::Spec& spec, const Context& context, const Facts& facts) = nullptr;
  // Fills in the rule's own facts; null: it has none. Not called where the rule is off. An error
  // stops the container.
  Status (*gather)(const Asked& asked, Facts& facts) = nullptr;
  QuestionSet questions = 0;
};

// Changes the parameters for every exec in the container whose document is `spec`. Also made by
// Bind.
struct BoundForExec {
  void (*run)(const oci::Spec& spec, policy::Parameters& parameters, const Facts& facts) = nullptr;
  QuestionSet questions = 0;
};

struct Rule {
  policy::RuleSchema schema;  // id, actions, parameters
  std::string_view title;
  std::string_view rationale;
  std::string_view way_out;          // how to allow it for one image or host, in one clause
  std::span<const Code> codes = {};  // of its findings
  std::span<const std::string_view> benchmarks;  // "CIS 5.4", "PSS baseline"
  std::span<const std::string_view> paths;       // JSON paths read and changed
  Scope scope = Scope::kContainer;
  bool judges_updates = false;
  bool judges_image_volumes = false;  // each by its own policy, even if it is off here
  BoundForExec for_exec = {};         // without a function: the parameters stay the same
  BoundCheck check = {};

  [[nodiscard]] std::string_view id() const { return schema.id; }
};

// Every rule, in the order in which they are applied: each sees what the ones before it changed.
std::span<const Rule* const> Catalog();
const Rule* FindRule(std::string_view id);
// Whether the parameter is a deny list: files add to it, and waivers remove entries.
bool IsDenial(const Rule& rule, std::string_view parameter);
// The catalogue in the form that the policy layer uses.
std::span<const policy::RuleSchema> Schemas();

}  // namespace runclad::rules
