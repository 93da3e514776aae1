// The lower runtime, which does what runclad decided.
#include "known_holes.hpp"
#include "sections.hpp"

namespace runclad::doctor {
namespace {

using Findings = std::vector<Finding>;

Findings Found(const Facts& facts) {
  if (facts.runtime.fault.empty()) return {};
  return {{Level::kCritical, facts.runtime.path,
           "runclad has no lower runtime that works: " + facts.runtime.fault,
           "install runc, or link /usr/libexec/runclad/runtime to the runtime"}};
}

// A distribution mends a hole without changing the version; its changelog says so.
Findings Holes(const Facts& facts) {
  const LowerRuntimeFacts& runtime = facts.runtime;
  Findings findings;
  if (!runtime.fault.empty()) return findings;
  for (const KnownHole& hole : KnownHoles()) {
    if (hole.kind != runtime.kind || !HasHole(runtime.version, hole) ||
        runtime.mended.contains(std::string(hole.cve))) {
      continue;
    }
    std::string fixed;
    for (const std::string_view version : hole.fixed) {
      fixed += (fixed.empty() ? "" : ", ") + std::string(version);
    }
    std::string sentence = runtime.kind + " " + runtime.version + " has " + std::string(hole.cve) +
                           " (" + std::string(hole.what) + "), fixed in " + fixed;
    if (!runtime.package.empty()) {
      sentence += "; the changelog of the package " + runtime.package + " does not name it";
    }
    findings.push_back({runtime.package.empty() ? Level::kCritical : Level::kWarning, runtime.path,
                        std::move(sentence),
                        "upgrade " + runtime.kind + ", or check that its build has the fix"});
  }
  return findings;
}

constexpr Check kRuntimeChecks[] = {
    {"runtime/found", "runclad finds a lower runtime that it may execute", kRuntime, Found},
    {"runtime/known-holes", "the lower runtime has no known hole of 2024 to 2026", kRuntime, Holes},
};

}  // namespace

std::span<const Check> RuntimeChecks() { return kRuntimeChecks; }

}  // namespace runclad::doctor
