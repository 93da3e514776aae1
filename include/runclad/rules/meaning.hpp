// What rules say of their own codes and values to those who give advice. Each is defined in the
// rule's folder, so that no other place names a code: a misspelt one does not compile.
#pragma once

#include <string_view>

#include "runclad/rules/rule.hpp"

namespace runclad::rules {

// Of read-only-rootfs: the image writes to a directory that becomes read-only, and the remedy lists
// that directory.
extern const Code* const kImageWrites;

// Whether whoever controls a container with this capability of `capabilities.allow` can become root
// on the host.
bool EqualsHostRoot(std::string_view capability, bool in_host_pid_namespace);

}  // namespace runclad::rules
