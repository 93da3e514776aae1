// Seccomp filters as the OCI runtime spec describes them (linux.seccomp), and what may be said of
// two of them. Nothing here loads or compiles a filter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace runclad::privilege {

enum class SeccompOperator {
  kNotEqual,
  kLess,
  kLessEqual,
  kEqual,
  kGreaterEqual,
  kGreater,
  kMaskedEqual
};

// One comparison of a syscall argument: for kMaskedEqual (argument & value) == value_two.
struct SeccompArgument {
  std::uint32_t index = 0;  // 0 to 5
  std::uint64_t value = 0;
  std::uint64_t value_two = 0;
  SeccompOperator op = SeccompOperator::kEqual;
  friend bool operator==(const SeccompArgument&, const SeccompArgument&) = default;
};

struct SeccompRule {
  std::vector<std::string> names;
  std::string action;  // "SCMP_ACT_ALLOW", …
  std::optional<std::uint32_t> errno_return;
  std::vector<SeccompArgument> arguments;  // all must hold, but runc ORs a repeated index
  friend bool operator==(const SeccompRule&, const SeccompRule&) = default;
};

struct SeccompFilter {
  std::string default_action;
  std::optional<std::uint32_t> default_errno_return;
  std::vector<std::string> architectures;  // "SCMP_ARCH_X86_64", …
  std::vector<std::string> flags;
  std::string listener_path;
  std::string listener_metadata;
  std::vector<SeccompRule> rules;
  friend bool operator==(const SeccompFilter&, const SeccompFilter&) = default;
};

// What the conditional profile depends on.
struct SeccompConditions {
  std::vector<std::string> capabilities;  // canonical names that the container keeps (bounding set)
  std::string architecture = "amd64";     // Go's name of the native architecture
  int kernel_major = 0;
  int kernel_minor = 0;
};

// runclad's own profile (profiles/seccomp/default.json) resolved for `conditions`.
SeccompFilter DefaultSeccompFilter(const SeccompConditions& conditions);

struct SeccompTuning {
  std::vector<std::string> allow;  // syscalls added to ours before intersecting (per-image policy)
  std::vector<std::string> deny;   // syscalls taken away, deny wins
  bool deny_socketcall = false;  // ERRNO(ENOSYS) for the 32-bit socketcall (FACTS: it walks around
                                 // argument rules on socket)
};

struct SeccompIntersection {
  SeccompFilter filter;
  std::vector<std::string> dropped;  // alternatives that OCI cannot express, left out: sentences
  std::vector<std::string> lost;     // essential syscalls that no alternative is left of
};

// What both filters allow, never more; denials of either stay. `requested` is the engine's.
SeccompIntersection Intersect(const SeccompFilter& requested, const SeccompFilter& ours,
                              const SeccompTuning& tuning);

}  // namespace runclad::privilege
