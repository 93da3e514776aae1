// What a process's program is in its container's filesystem: ProgramFacts.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "runclad/base/result.hpp"
#include "runclad/host/facts.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/sys/rootfs.hpp"

namespace runclad::host {

// Looks where the runtime will: below `rootfs`, along PATH, and at the interpreters of scripts. The
// files are the image's: nothing is followed out of it, little is read, nothing is waited for.
// What a mount of the spec covers is not in there yet and stays unknown; `resolved` are the
// mounts' destinations as facts have them. No value where the document names no program.
Result<std::optional<ProgramFacts>> FindProgram(const oci::Spec& spec, const sys::Rootfs* rootfs,
                                                const std::map<std::string, std::string>& resolved);

}  // namespace runclad::host
