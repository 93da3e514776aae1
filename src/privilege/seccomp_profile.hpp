// A conditional seccomp profile as tables: what src/generate/seccomp_tables.cpp makes of the JSON.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "runclad/base/inline_text.hpp"
#include "runclad/privilege/seccomp.hpp"

namespace runclad::privilege {

using ProfileName = InlineText<23>;

// When a group of the profile counts: each list that is not empty must hold.
struct ProfileGate {
  std::span<const ProfileName> needs_capabilities;    // all of them
  std::span<const ProfileName> needs_architectures;   // one of them; libseccomp's names
  std::span<const ProfileName> without_capabilities;  // none of them
  std::span<const ProfileName> without_architectures;
  int kernel_major = 0;  // at least this kernel
  int kernel_minor = 0;
};

// What a group says of its syscalls.
struct ProfileEffect {
  ProfileName action;
  std::int32_t errno_return = -1;  // -1: none given
  std::span<const SeccompArgument> arguments;
};

struct ProfileEntry {
  InlineText<32> text;
  std::uint8_t effect;  // indexes of ProfileTable
  std::uint8_t gate;

  [[nodiscard]] std::string_view name() const { return text; }
};

struct ProfileArchitecture {
  ProfileName native;
  std::span<const ProfileName> others;
};

struct ProfileTable {
  std::string_view default_action;
  std::uint32_t default_errno_return = 0;
  std::span<const ProfileArchitecture> architectures;
  std::span<const ProfileGate> gates;
  std::span<const ProfileEffect> effects;  // in the order of a canonical filter's rules
  std::span<const ProfileEntry> entries;   // in the order of name, effect, gate
};

// profiles/seccomp/default.json
const ProfileTable& DefaultProfile();

}  // namespace runclad::privilege
