// The parameters of rules: the values that rules read and the schema that policy files must follow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace runclad::policy {

enum class Action { kFix, kRefuse, kWarn, kOff };
enum class Mode { kEnforce, kAudit };

std::string_view Name(Action action);  // "fix"
std::string_view Name(Mode mode);      // "enforce"

// How a later layer's value combines with an earlier one.
enum class Merge {
  kReplace,     // a list that grants, or a single value
  kAccumulate,  // a list that denies
};

enum class ParameterType { kStrings, kInteger, kText, kBoolean };

// What the strings of a list or a text are, so that policy files can be checked.
enum class Vocabulary {
  kAny,
  kCapability,
  kSyscall,
  kAbsolutePath,
  kChoice,
  kImage,
  kDevice,
  kIdRange,       // "1000", "1000-65535"
  kUserAndGroup,  // "1000:1000", neither of them root's
  kSocketFamily,  // "AF_VSOCK", "46"
  kMount          // "bind /var/log ro", "nfs4 server:/export vers=4.2": one mount and no other
};

// Which of two values lets a container do more. Of choices, the one that `choices` has later.
enum class Order {
  kUndeclared,
  kMoreIsLooser,
  kFewerIsLooser,
  kTrueIsLooser,
  kFalseIsLooser,
  kLaterIsLooser
};

// The most permissive value: no limit.
struct Anything {};

// What Docker gives a container that was requested with only an image.
using DockerDefault = std::variant<std::monostate, Anything, std::span<const std::string_view>,
                                   std::int64_t, std::string_view, bool>;

// A value of a list that does nothing, and why; policy lint reports it.
struct Futile {
  std::string_view value = {};
  std::string_view because = {};  // a predicate
  bool at_load = false;           // the file is not loaded either
};

struct ParameterSchema {
  std::string_view name = {};
  ParameterType type = ParameterType::kStrings;
  Merge merge = Merge::kReplace;
  Vocabulary vocabulary = Vocabulary::kAny;
  std::span<const std::string_view> choices = {};  // for kChoice
  std::string_view description = {};
  Order order = Order::kUndeclared;
  DockerDefault docker_default = {};
  std::int64_t minimum = 0;  // for kInteger
  std::int64_t maximum = std::numeric_limits<std::int64_t>::max();
  // The maximum means no limit: policy files say "unlimited".
  bool has_unlimited = false;
  // Permission bits: policy files say "0027".
  bool is_octal = false;
  bool only_in_waivers = false;
  // Other rules read it even where its own is off.
  bool counts_while_off = false;
  Futile futile = {};
};

// A rule as policy files see it. No parameter is named "action".
struct RuleSchema {
  std::string_view id;
  std::span<const Action> actions;  // those that the rule supports
  std::span<const ParameterSchema> parameters;
};

template <typename Struct, std::size_t kSize>
class Table;

// A rule's parameters after all layers were applied. A rule reads them through its table
// (table.hpp).
class Parameters {
 public:
  // In the order of ParameterType.
  using Value = std::variant<std::vector<std::string>, std::int64_t, std::string, bool>;

  void Set(std::string_view name, Value value);
  // Adds to a list those of `texts` that it does not hold yet.
  void Append(std::string_view name, std::vector<std::string> texts);
  [[nodiscard]] const std::map<std::string, Value, std::less<>>& all() const { return values_; }

 private:
  // Only for Table: a misspelt name would read as an absent parameter, which leaves `value` as it
  // is.
  template <typename Struct, std::size_t kSize>
  friend class Table;
  void Read(std::string_view name, std::span<const std::string>& value) const;
  void Read(std::string_view name, std::int64_t& value) const;
  void Read(std::string_view name, std::string_view& value) const;
  void Read(std::string_view name, bool& value) const;

  std::map<std::string, Value, std::less<>> values_;
};

struct RuleSetting {
  Action action = Action::kOff;
  Parameters parameters;
};

// As policy files say an integer where a number would not be understood: "unlimited", "0027".
// Empty: a number says it best.
std::string WordFor(const ParameterSchema& schema, std::int64_t value);
// The integer that such a word stands for; none: it is none of this parameter's.
std::optional<std::int64_t> IntegerOf(const ParameterSchema& schema, std::string_view word);

// For code that treats all parameters alike: the value, or what counts for one that no layer names.
Parameters::Value ValueOf(const Parameters& parameters, const ParameterSchema& schema);

// The strictest value that is as permissive as either.
Parameters::Value Looser(const ParameterSchema& schema, Parameters::Value left,
                         const Parameters::Value& right);

// What a layer requested but did not get: a value beyond its ceiling, or a weaker action without a
// waiver.
struct Cut {
  std::string source;     // "images/docker.io/library/nginx.json:3", the line when origins are kept
  std::string parameter;  // "capabilities/allow"
  std::string value;      // "CAP_NET_ADMIN"
  std::string because;    // "is beyond what a tag may grant"
};

}  // namespace runclad::policy
