// The options of a bind that the container may only read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runclad/oci/spec.hpp"
#include "runclad/rules/questions.hpp"

namespace runclad::rules {

// The mount's options with ro in place of rw. If something may be mounted below the source, this
// becomes read-only too, or is left out on kernels that cannot do that.
std::vector<std::string> ReadOnlyOptions(const oci::Mount& mount, bool may_have_submounts,
                                         const KernelFacts& kernel);

// Whether an option requests that the host's later mounts appear in the bind.
bool ReceivesMounts(std::string_view option);

// Makes a bind private. The host's later mounts would come with the host's own options, and no rule
// judges them. A bind without a propagation option receives them, too: runtimes make the host's
// mounts slaves before they bind.
void KeepLaterMountsOut(oci::Mount& bind);

}  // namespace runclad::rules
