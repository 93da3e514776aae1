// Member names as Go's encoding/json matches them.
#pragma once

#include <string_view>

namespace runclad::json {

// Whether Go would decode a member called `spelling` into the field `name` (ASCII): it folds ASCII
// letters, U+017F (ſ) to s and U+212A (the kelvin sign) to k.
bool FoldsTo(std::string_view spelling, std::string_view name);

}  // namespace runclad::json
