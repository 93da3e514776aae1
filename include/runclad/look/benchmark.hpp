// Checks of public benchmarks, restated, each decided by what the kernel holds for a container.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "runclad/look/container.hpp"

namespace runclad::look {

enum class Ruling { kPass, kFail, kUnknown };

struct Assessment {
  Ruling ruling = Ruling::kUnknown;
  std::string detail;  // what was found, or why it is not known
};

struct Control {
  std::string_view framework;  // "CIS": CIS Docker Benchmark 1.6; "PSS": Pod Security Standards
  std::string_view id;         // "5.4", "baseline/capabilities"
  std::string_view title;      // in our own words
  std::string_view fact;       // of the kernel, which decides it; empty: there is none
  std::string_view also;       // "NIST 800-190 4.4.3, PCI DSS 2.2.6": what else asks for it
  // Null: the kernel does not know; it is a setting of the engine, or a habit.
  Assessment (*assess)(const Container& container);
};

// CIS 5.1 to 5.32 in their order, then the Pod Security Standards.
std::span<const Control> Controls();

Assessment Assess(const Control& control, const Container& container);

// "restricted", "baseline" or "privileged": the strictest level of the Pod Security Standards whose
// controls all pass. Controls that are unknown do not count.
std::string_view PodSecurityLevel(const Container& container);

}  // namespace runclad::look
