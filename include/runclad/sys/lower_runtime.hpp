// The OCI runtime that runclad executes. It is not part of the policy: kill and delete find it
// without reading any.
#pragma once

#include <optional>
#include <string>

#include "runclad/base/result.hpp"

namespace runclad::sys {

// `named` (--runclad-runtime), else the link /usr/libexec/runclad/runtime, else runc, then crun in
// the system's directories; never by $PATH. It must be a program that only root can change and not
// runclad itself, whose file is `own`.
Result<std::string> FindLowerRuntime(const std::optional<std::string>& named,
                                     const std::string& own = "/proc/self/exe");

// By the name that engines and distributions give it.
bool IsCrun(const std::string& program);

// Where `runtime` keeps its containers when no --root is given: below $XDG_RUNTIME_DIR where it
// would look there (crun always, runc without root and in user namespaces), else below /run.
std::string DefaultRoot(const std::string& runtime);

}  // namespace runclad::sys
