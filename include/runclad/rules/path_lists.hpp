// The lists of the rule host-mounts, for who judges what the host mounts below a bind.
#pragma once

#include "runclad/host/path_lists.hpp"
#include "runclad/policy/parameters.hpp"

namespace runclad::rules {

// `parameters` are those of host-mounts, and must outlive the lists.
host::PathLists PathListsOf(const policy::Parameters& parameters);

}  // namespace runclad::rules
