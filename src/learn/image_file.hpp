// The image's file that was learned.
#pragma once

#include <string>
#include <vector>

#include "runclad/learn/minimise.hpp"

namespace runclad::learn {

// The text of images/<repository>.json: the needed grants, the digests, and how it was
// proved. Lists that grant nothing are left out, except the one of capabilities.
std::string ImageFileText(const std::vector<Judged>& judged,
                          const std::vector<std::string>& digests, const std::string& provenance);

}  // namespace runclad::learn
