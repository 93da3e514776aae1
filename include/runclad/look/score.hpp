// How exposed a container is, from 0.0 to 10.0, in the manner of `systemd-analyze security`: a
// table of checks with weights, each decided by what the kernel holds.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/look/container.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::look {

struct Finding {
  double badness = 0;  // 0: as good as it can be, 1: as bad
  std::string detail;  // what was found: "sys_admin net_admin"; empty: nothing to add
};

struct Check {
  std::string_view id;
  double weight;
  std::string_view good;        // a sentence for badness 0
  std::string_view bad;         // a sentence for more
  std::string_view why;         // what an attacker gains
  std::string_view fix;         // how to change it, with the engine's options and runclad's rule
  std::string_view benchmarks;  // "CIS 5.4, PSS restricted, NIST 800-190 4.4.3"; empty: none
  // No value: it cannot be known.
  std::optional<Finding> (*assess)(const Container& container);
};

// In the order of their weights.
std::span<const Check> Checks();
const Check* FindCheck(std::string_view id);

// By a check's id; a check that is not named keeps its own.
using Weights = std::map<std::string, double, std::less<>>;
// {"check": weight, …}; an error names an unknown check or a weight below 0.
Result<Weights> ParseWeights(std::string_view text);

struct Assessed {
  const Check* check = nullptr;
  std::optional<Finding> finding;
  double share = 0;  // of the exposure, in the same unit
};

struct Score {
  double exposure = 0;  // 0.0 to 10.0
  std::vector<Assessed> checks;

  // Those that lower the exposure most if they are put right.
  [[nodiscard]] std::vector<Assessed> worst(std::size_t most) const;
};

// What is not known does not count.
Score ScoreOf(const Container& container, const Weights& weights = {});

// "OK" below 3, "MEDIUM" below 6, "EXPOSED" below 8, "UNSAFE"
std::string_view LevelOf(double exposure);

// What a container of the document would be, as far as a document says: without sockets, processes
// and labels that an engine adds.
Container ContainerOf(const oci::Spec& spec, std::string_view id);

}  // namespace runclad::look
