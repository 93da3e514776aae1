// A judgement for people.
#pragma once

#include <string>

#include "judgement.hpp"
#include "style.hpp"

namespace runclad::ctl {

// Outcome, findings and their count; `what`: "bundle/config.json", "docker run nginx".
std::string AsText(const Judgement& judgement, const std::string& what, const Style& style);

}  // namespace runclad::ctl
