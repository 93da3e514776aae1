// Texts of the lower runtime and of its package.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "runclad/doctor/facts.hpp"

namespace runclad::doctor {

// "CVE-2024-21626" and the like.
std::set<std::string> CvesIn(std::string_view text);

// Kind and version of "runc version 1.1.5+ds1\n…".
void ReadVersion(std::string_view text, LowerRuntimeFacts& facts);

}  // namespace runclad::doctor
