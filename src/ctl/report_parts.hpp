// The parts of the report's page, each a piece of HTML.
#pragma once

#include <string>

#include "report.hpp"

namespace runclad::ctl {

// The most exposed container and why, in large type.
std::string WorstPart(const Report& report);
// A few numbers.
std::string FactsPart(const Report& report);
std::string ExposurePart(const Report& report);
std::string SharedPart(const Report& report);
std::string CapabilitiesPart(const Report& report);
std::string ChangesPart(const Report& report);
std::string RefusalsPart(const Report& report);
std::string WaiversPart(const Report& report);
std::string CisPart(const Report& report);
// The levels of the Pod Security Standards, and what NIST 800-190 and PCI DSS ask for.
std::string PodSecurityPart(const Report& report);
// Every container with what it fails.
std::string ContainersPart(const Report& report);
// What each check means.
std::string ChecksPart(const Report& report);

}  // namespace runclad::ctl
