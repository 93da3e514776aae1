#include "runclad/privilege/syscalls.hpp"

#include <algorithm>
#include <string>

#include "seccomp_profile.hpp"
#include "syscall_names.hpp"

namespace runclad::privilege {

bool IsForCapability(std::string_view syscall) {
  const ProfileTable& profile = DefaultProfile();
  return std::ranges::any_of(
      std::ranges::equal_range(profile.entries, syscall, {}, &ProfileEntry::name),
      [&](const ProfileEntry& entry) {
        const ProfileEffect& effect = profile.effects[entry.effect];
        return !profile.gates[entry.gate].needs_capabilities.empty() &&
               effect.action == "SCMP_ACT_ALLOW" && effect.arguments.empty();
      });
}

bool IsSyscallName(std::string_view name) {
  return !name.empty() && name.find('\n') == std::string_view::npos &&
         kSyscallNames.find('\n' + std::string(name) + '\n') != std::string_view::npos;
}

}  // namespace runclad::privilege
