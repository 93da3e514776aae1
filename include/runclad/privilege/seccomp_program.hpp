// Seccomp filters as programs: compiled as runc would, and run on paper. For tests and for checking
// policies; the create path compiles nothing. (Target runclad_privilege_program.)
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/privilege/seccomp.hpp"

namespace runclad::privilege {

// A system call as a filter sees it.
struct SeccompCall {
  std::string_view architecture;  // "SCMP_ARCH_X86_64", …
  std::uint32_t number = 0;       // x32: with its bit 30
  std::array<std::uint64_t, 6> arguments{};
};

// What the kernel would do with a call: a SECCOMP_RET_* value.
struct SeccompAnswer {
  std::uint32_t value = 0;

  [[nodiscard]] bool allows() const;
  [[nodiscard]] std::optional<int> errno_value() const;  // for SECCOMP_RET_ERRNO
  friend bool operator==(const SeccompAnswer&, const SeccompAnswer&) = default;
};

class SeccompProgram {
 public:
  // libseccomp's program for `filter`, its rules handed over as runc does: a rule that repeats the
  // default is left out, unknown names are ignored, a repeated argument index makes the comparisons
  // alternatives. Without runc's own prefix, which answers ENOSYS to numbers above all that the
  // filter names.
  static Result<SeccompProgram> Compile(const SeccompFilter& filter);
  // Whether it can be compiled, tried in a separate process with a limit of CPU time: with some
  // filters, libseccomp 2.5.4 never finishes.
  static Status TryCompile(const SeccompFilter& filter, unsigned seconds);

  [[nodiscard]] SeccompAnswer Answer(const SeccompCall& call) const;
  [[nodiscard]] const std::vector<sock_filter>& instructions() const { return instructions_; }

 private:
  explicit SeccompProgram(std::vector<sock_filter> instructions)
      : instructions_(std::move(instructions)) {}

  std::vector<sock_filter> instructions_;
};

// The number of a syscall, as libseccomp knows it; none when the architecture has none, or only
// one behind a multiplexer (socket on i386).
std::optional<std::uint32_t> SyscallNumber(std::string_view architecture, const std::string& name);

// The reverse; empty: libseccomp knows no such call.
std::string SyscallName(std::string_view architecture, std::uint32_t number);

// The call as a filter sees it; no value: the architecture is unknown.
std::optional<seccomp_data> ToSeccompData(const SeccompCall& call);

}  // namespace runclad::privilege
