// A conditional seccomp profile as tables: what src/generate/seccomp_tables.cpp makes of the JSON.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "runclad/privilege/seccomp.hpp"

namespace runclad::privilege {

// When a group of the profile counts: each list that is not empty must hold.
struct ProfileGate {
  std::span<const std::string_view> needs_capabilities;    // all of them
  std::span<const std::string_view> needs_architectures;   // one of them; libseccomp's names
  std::span<const std::string_view> without_capabilities;  // none of them
  std::span<const std::string_view> without_architectures;
  int kernel_major = 0;  // at least this kernel
  int kernel_minor = 0;
};

// What a group says of its syscalls.
struct ProfileEffect {
  std::string_view action;
  std::int32_t errno_return = -1;  // -1: none given
  std::span<const SeccompArgument> arguments;
};

struct ProfileEntry {
  char text[32];  // in place: a pointer to it would be relocated at every start
  std::uint8_t length;
  std::uint8_t effect;  // indexes of ProfileTable
  std::uint8_t gate;

  [[nodiscard]] std::string_view name() const { return {text, length}; }
};

struct ProfileArchitecture {
  std::string_view native;
  std::span<const std::string_view> others;
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
