// The OCI runtime that runclad executes. It is not part of the policy: kill and delete find it
// without reading any.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"

namespace runclad::sys {

// Where runtimes are searched for, in this order.
inline constexpr std::array<std::string_view, 6> kRuntimeDirectories = {
    "/usr/local/sbin/", "/usr/local/bin/", "/usr/sbin/", "/usr/bin/", "/sbin/", "/bin/"};

// Where `runcladctl close` moves a runtime, under its own name, when it puts runclad in its place.
inline constexpr const char* kClosedDirectory = "/usr/libexec/runclad";
// Beside it, a link to the place that it had: "/usr/libexec/runclad/.runc.from" ->
// "/usr/sbin/runc".
std::string PlaceLinkOf(std::string_view name);
// The place of `runtime` before it was closed; `runtime` itself if it is not closed.
std::string PlaceOf(const std::string& runtime);

// `named` (--runclad-runtime); else, if runclad was called as a runtime that is closed, that one;
// else the link /usr/libexec/runclad/runtime; else runc, then crun in the system's directories or
// closed; never by $PATH. It must be a program that only root can change and not runclad itself,
// whose file is `own`. `called_as`: the path that was executed.
Result<std::string> FindLowerRuntime(const std::optional<std::string>& named,
                                     std::string_view called_as = {},
                                     const std::string& own = "/proc/self/exe");

// The path by which the kernel executed this program; empty if it does not say.
std::string_view CalledAs();

// By the name that engines and distributions give it.
bool IsCrun(const std::string& program);

// Where `runtime` keeps its containers when no --root is given: below $XDG_RUNTIME_DIR where it
// would look there (crun always, runc without root and in user namespaces), else below /run.
std::string DefaultRoot(const std::string& runtime);

}  // namespace runclad::sys
