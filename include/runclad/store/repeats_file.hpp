// Where equal decisions about a recorded container are counted (enforce/repeats.hpp).
#pragma once

#include <string>
#include <string_view>

#include "runclad/base/unique_fd.hpp"

namespace runclad::store {

// The file beside the container's record, which is removed with it. Not open: there is none, or it
// cannot be made.
UniqueFd OpenRepeats(const std::string& runtime_root, std::string_view id, bool create);

}  // namespace runclad::store
