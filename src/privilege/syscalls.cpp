#include "runclad/privilege/syscalls.hpp"

#include <algorithm>
#include <string>

#include "seccomp_profile.hpp"
#include "syscall_names.hpp"

namespace runclad::privilege {

bool IsForCapability(std::string_view syscall) {
  const ProfileTable& profile = DefaultProfile();
  const auto end = profile.entries.end();
  auto entry = std::lower_bound(
      profile.entries.begin(), end, syscall,
      [](const ProfileEntry& each, std::string_view name) { return each.name() < name; });
  for (; entry != end && entry->name() == syscall; ++entry) {
    const ProfileEffect& effect = profile.effects[entry->effect];
    if (!profile.gates[entry->gate].needs_capabilities.empty() &&
        effect.action == "SCMP_ACT_ALLOW" && effect.arguments.empty()) {
      return true;
    }
  }
  return false;
}

bool IsSyscallName(std::string_view name) {
  return !name.empty() && name.find('\n') == std::string_view::npos &&
         kSyscallNames.find('\n' + std::string(name) + '\n') != std::string_view::npos;
}

}  // namespace runclad::privilege
