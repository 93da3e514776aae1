// What check found as SARIF: the rule of a result is the finding's code.
#pragma once

#include <string>
#include <vector>

#include "judgement.hpp"

namespace runclad::ctl {

struct JudgedDocument {
  std::string path;  // of the document; empty: it has none
  std::string what;  // "docker web", "docker run nginx"
  const Result<Judgement>& judgement;
  std::vector<std::string> not_judged = {};  // what the judgement leaves out
};

std::string AsSarif(const std::vector<JudgedDocument>& documents);

}  // namespace runclad::ctl
