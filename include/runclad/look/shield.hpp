// Shields: what is denied to every new container until a hole of the kernel is closed, and which
// running containers are still exposed to it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/look/container.hpp"
#include "runclad/privilege/denied_call.hpp"

namespace runclad::look {

struct Shield {
  std::string id;
  std::string reason;
  std::string until;                  // "2027-03-31"; empty: as long as it is there
  std::vector<std::string> families;  // canonical: "AF_ALG"
  std::vector<std::string> syscalls;
  std::vector<privilege::DeniedCall> calls;  // with arguments
  std::vector<std::string> devices;          // "c 10:229", "b 8:*"
  std::vector<std::string> device_paths;     // nodes of this host, which are still to be looked up
  std::vector<std::string> modules;          // of the kernel, as /proc/modules names them
};

// {"id": …, "reason": …, "until": …, "deny": {"families": […], "syscalls": […], "devices": […],
// "modules": […]}}; everything but "until", and one list, is required. A device is a path, or
// {"type": "c", "major": 10, "minor": 229}; without "minor" it is all of them. A system call is a
// name, or has arguments as the OCI runtime spec writes them: {"name": "setsockopt", "args":
// [{"index": 1, "value": 41, "op": "SCMP_CMP_EQ"}]}. Errors name the member.
Result<Shield> ParseShield(std::string_view text);

// The same as ParseShield reads it, in one form.
std::string TextOf(const Shield& shield);

// The policy file that denies it: it goes to policy.d, where lists that deny accumulate.
std::string PolicyOf(const Shield& shield);

// The names of these files: after every other file of policy.d.
inline constexpr std::string_view kPolicyPrefix = "zz-shield-";

enum class Exposure {
  kClosed,   // no task can make the call, by its own filters
  kExposed,  // one can: the container must be started again
  kUnknown,
};

struct ShieldState {
  Exposure exposure = Exposure::kUnknown;
  std::string because;  // what is open: "socket AF_ALG", or why it is not known
};

// Of each shield, by the filters of every task, whether the shield was there when it started or
// not; unknown where they are not read, or where tasks end and start faster than they are read.
std::vector<ShieldState> StatesOf(std::span<const Shield> shields, const Container& container,
                                  Attach attach = Attach::kYes);

// Where the kernel says what it has loaded, and modprobe reads what to load.
struct ModulePlaces {
  std::string proc = "/proc";
  std::string sys = "/sys";
  std::string libraries = "/lib/modules";  // with a directory for each kernel
  // In kmod's order (modprobe.d(5)).
  std::vector<std::string> modprobe = {"/etc/modprobe.d", "/run/modprobe.d",
                                       "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d",
                                       "/lib/modprobe.d"};
};

// Exposed: it is loaded or built in, or modprobe would load it by all its files. Unknown: the
// kernel does not say what is built in, or an alias decides.
ShieldState StateOfModule(const std::string& module, const ModulePlaces& places = {});

}  // namespace runclad::look
