// Requests for what the corpus never asks: between them and its documents, every code of the
// catalogue is found at least once.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "corpus.hpp"

namespace runclad::golden {

struct AdviceRequest {
  std::string name;
  Request request;
  std::string policy;           // beyond the profile: its "rules" and "waivers"
  std::set<std::string> codes;  // found under restricted: "cpu-limit/burst"
};

const std::vector<AdviceRequest>& AdviceRequests();

}  // namespace runclad::golden
