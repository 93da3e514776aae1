// The directories that a call names, in which the lower runtime trusts or writes files as root, and
// the policy and the programs that it names. Users of podman and buildah can pass such flags.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/engine/layout.hpp"
#include "runclad/policy/effective.hpp"

#include "call.hpp"

namespace runclad::runtime {

// An error where a user of an engine, or a container, could have written the lower runtime or the
// checkpoint program (--criu) that the call names, in every mode.
Status CheckPrograms(const Call& call);

// The policy in `directory`, if one is named, unless a user of an engine or a container could have
// written it. Whether they could is decided without it.
Result<policy::Effective> LoadNamedPolicy(const Call& call,
                                          const std::optional<std::string>& directory,
                                          const engine::Identity& identity,
                                          const std::string& bundle = {});

// For create and run: an error where a container, or a user other than root, could change the
// runtime's state (--root), the bundle, or what is in the directories of --log and --pid-file, or
// the named policy and runtime, under that policy. In mode audit it is logged alone.
Status CheckDirectories(const Call& call, const std::string& bundle,
                        const policy::Effective& policy, const engine::Layout& layout);

// Whether the call names a file that the runtime writes (--log, --pid-file) where engines have
// none.
bool NamesUnusualFile(const oci::CommandLine& line);

// For every verb but create and run: an error where a container, or a user other than root, could
// change what is in the directory of such a file, and it is not the container's bundle. In mode
// audit it is logged alone.
Status CheckFiles(const Call& call);

// The same for our own line in the file of --log, of a call that may not have been parsed; by the
// host's policy.
bool MayWriteLog(std::string_view path);

// Whether the runtime signals, changes or removes what its state names. What only prints it is of
// no use to who forged it.
bool ActsOnState(const oci::CommandLine& line);

// For every other verb: the lower runtime acts as root on what it finds in its state directory,
// down to hooks and process ids. An error where others could have written there and no container of
// this id was created by runclad. Reads a policy only if the directory is an unusual one.
Status CheckRuntimeRoot(const Call& call);

}  // namespace runclad::runtime
