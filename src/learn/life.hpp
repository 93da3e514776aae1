// The life of a service: containers run one after the other on the same volumes; each is probed and
// then stopped.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/learn/learn.hpp"
#include "runclad/look/drift.hpp"

#include "boot.hpp"
#include "seen.hpp"

namespace runclad::learn {

// A life without limits, with which those under candidates are compared.
struct Observed {
  Serving serving;                            // in every container of it
  std::vector<look::Drift> drifts;            // of each container's root
  std::vector<std::string> mounts;            // mount points in the container
  std::uint64_t bounding = 0;                 // capabilities that the request has
  std::map<std::string, std::string> owners;  // of the volumes: "/data" is "999:999"'s
  std::map<int, std::string> uses;    // by number: "chown(2) by /usr/sbin/nginx, first boot"
  std::string untraced;               // why uses are unknown; empty: they are known
  std::set<int> calls;                // numbers of system calls
  std::string calls_unknown;          // why they are unknown, or not all
  std::optional<int> status_of_term;  // the exit status after SIGTERM; none: it keeps running
  int status_of_stop = 0;             // after the signal that `docker stop` sends
  std::chrono::milliseconds boot{0};  // the longest, until it served
  std::uint64_t peak_memory = 0;      // bytes; 0: not known
  std::uint64_t peak_processes = 0;
};

struct Life {
  Verdict verdict;
  bool is_slow = false;  // it failed because time was up
};

// For all three: if others did something to a container, so that the result does not count,
// `disturbance` says what: "was paused".

// Runs one life and returns what was seen. An error: it does not serve, or Docker fails.
Result<Observed> Observe(const Service& service, std::string& disturbance);

// Whether it works under exactly these grants as it did when observed, within `patience` per boot.
Result<Life> LiveUnder(const Service& service, const Grants& grants, const Observed& observed,
                       std::chrono::milliseconds patience, std::string& disturbance);

// Whether the probe succeeds even for a container of the image whose program does nothing.
Result<bool> ProbeTakesNothing(const Service& service, std::string& disturbance);

}  // namespace runclad::learn
