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

// Why whoever controls a container with this mount, as `exactly` of host-mounts names it ("bind
// /etc rw"), can become root on the host, a clause; empty: it is not known to be so.
std::string_view WhyHostRoot(std::string_view entry);

}  // namespace runclad::rules
