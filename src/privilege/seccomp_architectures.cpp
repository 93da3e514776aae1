#include "seccomp_architectures.hpp"

#include <algorithm>
#include <string_view>

#include "seccomp_side.hpp"

namespace runclad::privilege {
namespace {

constexpr std::string_view k64BitArchitectures[] = {
    "SCMP_ARCH_AARCH64",  "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_MIPS64",
    "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_PPC64",       "SCMP_ARCH_PPC64LE",
    "SCMP_ARCH_RISCV64",  "SCMP_ARCH_S390X",       "SCMP_ARCH_X86_64"};

bool Has64Bits(std::string_view architecture) {
  return std::ranges::find(k64BitArchitectures, architecture) != std::end(k64BitArchitectures);
}

}  // namespace

std::vector<std::string> CommonArchitectures(const SeccompFilter& requested,
                                             const SeccompFilter& ours, bool only_64_bit) {
  std::vector<std::string> common;
  for (const std::string& architecture : ours.architectures) {
    if (common.empty()) {
      common.push_back(architecture);
      if (only_64_bit && Has64Bits(architecture)) break;
    } else if (SaysNothing(requested) || std::ranges::find(requested.architectures, architecture) !=
                                             requested.architectures.end()) {
      common.push_back(architecture);
    }
  }
  return common;
}

bool ComparesNarrowly(const std::vector<std::string>& architectures) {
  return architectures.empty() || !std::ranges::all_of(architectures, Has64Bits);
}

}  // namespace runclad::privilege
