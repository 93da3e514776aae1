// What the probe does in its container.
#pragma once

#include <string>

namespace runclad::doctor {

// Looks at itself and tries what a hardened container may not do, harmlessly: whatever succeeds is
// undone at once. `host_namespaces`: "pid:[4026531836],net:[…]", those of whoever starts the
// container. A line of JSON.
std::string ProbeFromInside(const std::string& host_namespaces);

}  // namespace runclad::doctor
