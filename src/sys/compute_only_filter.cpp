// Written as the kernel takes it (seccomp(2)): libseccomp's compiler would be linked into the
// runtime for these few calls.
#include "compute_only_filter.hpp"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "runclad/base/sanitizers.hpp"

namespace runclad::sys {
namespace {

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#elif defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_PPC64LE;
#elif defined(__s390x__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_S390X;
#elif defined(__riscv) && __riscv_xlen == 64
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_RISCV64;
#else
constexpr std::uint32_t kArchitecture = 0;  // no call is of it: everything kills
#endif

// Whatever their arguments are.
constexpr std::uint32_t kHarmless[] = {
    SYS_exit,        SYS_exit_group,    SYS_brk,          SYS_munmap,
    SYS_mremap,      SYS_madvise,       SYS_getpid,       SYS_futex,
    SYS_getrandom,   SYS_clock_gettime, SYS_gettimeofday,
#if defined(RUNCLAD_UNDER_ASAN)
    SYS_sigaltstack,  // which it looks at before whatever does not return
#endif
};

class Program {
 public:
  void Load(std::size_t offset) {
    Add(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset), 0, 0);
  }
  // The low half: that is what the kernel takes of a descriptor and of protection bits.
  void LoadArgument(std::size_t index) {
    constexpr std::size_t kHalf = std::endian::native == std::endian::big ? 4 : 0;
    Load(offsetof(seccomp_data, args) + index * sizeof(std::uint64_t) + kHalf);
  }
  // How many instructions to skip.
  void IfEqual(std::uint32_t value, std::uint8_t then, std::uint8_t otherwise) {
    Add(BPF_JMP | BPF_JEQ | BPF_K, value, then, otherwise);
  }
  void IfHas(std::uint32_t bits, std::uint8_t then, std::uint8_t otherwise) {
    Add(BPF_JMP | BPF_JSET | BPF_K, bits, then, otherwise);
  }
  void Allow() { Add(BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0); }
  void Kill() { Add(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0); }

  bool Install() {
    sock_fprog program{static_cast<unsigned short>(code_.size()), code_.data()};
    return ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
  }

 private:
  void Add(unsigned code, std::uint32_t k, std::uint8_t then, std::uint8_t otherwise) {
    code_.push_back({static_cast<std::uint16_t>(code), then, otherwise, k});
  }

  std::vector<sock_filter> code_;
};

}  // namespace

bool AllowOnlyComputing(int output) {
  constexpr std::uint32_t kNoFile = 0xffffffff;
  Program program;
  program.Load(offsetof(seccomp_data, arch));
  program.IfEqual(kArchitecture, 1, 0);
  program.Kill();
  program.Load(offsetof(seccomp_data, nr));
  for (const std::uint32_t number : kHarmless) {
    program.IfEqual(number, 0, 1);
    program.Allow();
  }
  program.IfEqual(SYS_write, 0, 4);
  program.LoadArgument(0);
  program.IfEqual(static_cast<std::uint32_t>(output), 0, 1);
  program.Allow();
  program.Kill();

  program.IfEqual(SYS_mprotect, 0, 4);
  program.LoadArgument(2);
  program.IfHas(PROT_EXEC, 1, 0);
  program.Allow();
  program.Kill();

  program.IfEqual(SYS_mmap, 0, 6);
  program.LoadArgument(2);
  program.IfHas(PROT_EXEC, 3, 0);
  program.LoadArgument(4);
  program.IfEqual(kNoFile, 0, 1);
  program.Allow();
  program.Kill();

  program.Kill();
  return program.Install();
}

}  // namespace runclad::sys
