// How the lines that runclad prints begin. An engine passes them on inside its own messages, and
// that is all it says about why a runtime failed: doctor and learn find them there by these words.
#pragma once

#include <string>
#include <string_view>

namespace runclad::enforce {

inline constexpr std::string_view kOwnLine = "runclad: ";
// Behind it, in a refusal; the rule's id follows.
inline constexpr std::string_view kRefusedBy = "refused by ";

// runclad's own line in what an engine printed, from "runclad: " on; empty: there is none.
std::string OwnLineIn(std::string_view output);

// Whether runclad refused a container, according to what an engine printed.
bool HasRefusal(std::string_view output);

}  // namespace runclad::enforce
