// runcladctl report: what is known of a host's containers, gathered once and written in several
// forms.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/look/benchmark.hpp"
#include "runclad/look/drift.hpp"
#include "runclad/look/score.hpp"

namespace runclad::ctl {

struct ReportedContainer {
  look::Container container;
  look::Score score;
  std::optional<look::Drift> drift;
  std::string no_drift_because;
  std::vector<look::Assessment> assessments;  // of each of look::Controls()
  std::string pod_security;                   // "baseline"

  [[nodiscard]] std::string title() const;  // its name, else the beginning of its id
};

struct ReportedWaiver {
  std::string file;  // below the policy's directory
  std::string rule;
  std::string reason;
  std::string expires;  // "2027-03-31"; empty: never
  std::optional<std::int64_t> days_left;
};

// Of one day in UTC.
struct DayOfRefusals {
  std::string day;
  std::uint64_t refused = 0;
  std::uint64_t would_refuse = 0;  // in mode audit
};

struct Report {
  std::string host;
  std::string kernel;
  std::int64_t time = 0;                      // seconds since 1970
  std::string policy;                         // "enforce, 3f2a…", or why it cannot be read
  std::string break_glass;                    // the reason; empty: it is off
  std::vector<ReportedContainer> containers;  // the most exposed one first
  std::vector<ReportedWaiver> waivers;        // those that end first, first
  std::vector<DayOfRefusals> days;            // oldest first, without gaps
  std::string log_fault;                      // why not all of the log counts; empty: it does
  // Of docker-bench-security: "WARN" by "5.4"; empty: there is nothing to compare with.
  std::map<std::string, std::string, std::less<>> compared;
};

// "WARN" for each "5.N" in a result file of docker-bench-security (its JSON).
Result<std::map<std::string, std::string, std::less<>>> ParseDockerBench(std::string_view text);

// Waivers of a policy file's text, those of its tags included.
std::vector<ReportedWaiver> WaiversIn(const std::string& file, std::string_view text,
                                      std::int64_t today);

// Counts a line of the log if it is a refusal of one of the days.
void CountRefusal(const std::string& line, std::vector<DayOfRefusals>& days);

// How many containers a control of look::Controls() passes, fails, and is not known of.
struct ControlCounts {
  std::size_t passed = 0;
  std::size_t failed = 0;
  std::size_t unknown = 0;
  std::vector<const ReportedContainer*> failing;
};
ControlCounts CountsOf(const Report& report, std::size_t control);

// One page that needs nothing else, and runs no script.
std::string AsHtml(const Report& report);
std::string ReportAsJson(const Report& report);
// OASIS SARIF 2.1.0: a result for each check or control that a container fails.
std::string ReportAsSarif(const Report& report);
// JUnit's XML: a suite for each container.
std::string ReportAsJunit(const Report& report);

}  // namespace runclad::ctl
