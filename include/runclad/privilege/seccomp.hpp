// Seccomp filters as the OCI runtime spec describes them (linux.seccomp), and the intersection of
// two. Nothing here loads or compiles a filter.
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
  // None at all is not the same as an empty list: runc >= 1.2 then adds SPEC_ALLOW itself.
  std::optional<std::vector<std::string>> flags;
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

// runclad's own profile (profiles/seccomp/default.json) resolved for `conditions`, canonical. The
// first architecture is the native one.
SeccompFilter DefaultSeccompFilter(const SeccompConditions& conditions);

// Whether nothing starts, or no C library works, without the system call.
bool IsEssential(std::string_view syscall);

struct SeccompTuning {
  // Syscalls added to ours first, and taken away (denied_call.hpp: with arguments); deny wins.
  std::vector<std::string> allow = {};
  std::vector<std::string> deny = {};
  // ENOSYS for socketcall, through which 32-bit programs reach every socket family: no filter can
  // look at its arguments.
  bool deny_socketcall = false;
  bool only_64_bit = false;  // of the architectures the native one alone, where it has 64 bits
  // No file gets a set-user-ID or set-group-ID bit. ENOSYS for openat2, whose mode no filter sees.
  bool deny_set_id = false;
  // Sockets of trusted agents: NOTIFY rules for calls that are otherwise allowed are kept for them.
  std::vector<std::string> listeners = {};
  // Address families, by number, whose sockets are added to those of ours.
  std::vector<std::uint16_t> families = {};
};

// What OCI cannot express or runclad does not keep, and denies instead.
struct SeccompDropped {
  enum class Kind {
    kWideNumbers,   // conditions compare more than the argument's 32 bits, or are too many
    kTooManyRules,  // a condition, written out, would need too many rules
    kMiscompiled,   // libseccomp would allow more than the conditions do
    kPermission,    // an action that does not count as permission
    kWholeFilter,   // a flag, the default action, the listener, or what the tuning takes away
  };
  Kind kind = Kind::kWholeFilter;
  std::string call;      // of the first three kinds
  std::string sentence;  // for people
};

struct SeccompIntersection {
  SeccompFilter filter;  // canonical: sorted, merged, every errno written out
  std::vector<SeccompDropped> dropped;
  std::vector<std::string> lost;  // essential syscalls of which nothing is left
  // Syscalls that one filter names and `requested` allows in some way, and ours in none; sorted.
  std::vector<std::string> withheld;
};

// What both filters allow, and never more; denials of either filter are kept. `requested` is the
// engine's filter. If its default action is not a denial, it is a deny list, which is subtracted
// from ours. Conditional permissions only: the result never has an allowing and a denying rule for
// one syscall, of which libseccomp would keep the allowing one.
SeccompIntersection Intersect(const SeccompFilter& requested, const SeccompFilter& ours,
                              const SeccompTuning& tuning);

}  // namespace runclad::privilege
