// Whether this host is what its operator thinks it is: nothing runs unhardened, and nothing that
// runclad needs is missing.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/doctor/facts.hpp"

namespace runclad::doctor {

enum class Level { kFine, kWarning, kCritical, kUnknown };
std::string_view Name(Level level);  // "fine", "warning", "critical", "unknown"
// What monitoring wants as an exit status: 0, 1, 2 and 3, in the order of the levels.
int StatusOf(Level level);
// The one that is reported of two: critical before unknown before warning.
Level Worse(Level left, Level right);

struct Finding {
  Level level = Level::kWarning;
  std::string subject;   // an engine, a file; empty: the host
  std::string sentence;  // what was found
  std::string remedy;    // a command, or what else mends it
  // Why the operator leaves it so, and until when: it does not count. Empty: it counts.
  std::string acknowledged = {};
};

struct Check {
  std::string_view id;        // "roads/docker-default": the part before "/" is its category
  std::string_view expected;  // "dockerd's default runtime is runclad"
  unsigned needs;             // Sections
  std::vector<Finding> (*find)(const Facts& facts);

  [[nodiscard]] std::string_view category() const { return id.substr(0, id.find('/')); }
};

// Every check, by category, in the order in which they are reported.
std::span<const Check> Checks();

struct CheckResult {
  const Check* check = nullptr;
  std::vector<Finding> findings;  // empty: all is fine

  // Of those that count.
  [[nodiscard]] Level level() const;
};

struct Options {
  std::vector<std::string> only;  // categories or ids; empty: all
  std::string program;            // runclad's own
  std::string own_version;        // runcladctl's
  std::optional<std::string> config_directory;
  // The faults of a policy's directory.
  std::function<std::vector<PolicyFault>(const std::string& directory)> lint;
  std::chrono::seconds limit{5};  // for each question to an engine
};

struct Examination {
  std::vector<CheckResult> results;
  std::vector<ProbeFacts> probes;  // what was run to prove them, and what could not be

  // Whether a container of each engine that is configured to use runclad was asked what it has.
  [[nodiscard]] bool is_proven() const;
};

// An error if `only` names no check, or if the caller is not root.
Result<Examination> Examine(const Options& options);
Level LevelOf(const std::vector<CheckResult>& results);

// How many ways lead to a container without runclad. Starts no container; each engine is given
// `limit` to answer, and one that does not is not counted.
struct RoadCount {
  int open = 0;
  bool is_complete = true;  // every engine answered
};
RoadCount CountOpenRoads(const std::string& program, std::chrono::seconds limit);

// The engines of this host and what leads around runclad, as Examine() sees them.
RoadFacts GatherRoads(const std::string& program, std::chrono::seconds limit);

// What runclad executes: of `options`, `program` and `limit` count.
LowerRuntimeFacts GatherRuntime(const Options& options);

}  // namespace runclad::doctor
