// runclad's own profile, resolved. The JSON is read when runclad is built, never when it runs.
#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "runclad/base/inline_text.hpp"
#include "runclad/privilege/seccomp.hpp"

#include "seccomp_profile.hpp"

namespace runclad::privilege {
namespace {

// One architecture has three names: Go's, libseccomp's (in the profile's conditions), the spec's.
struct ArchitectureNames {
  InlineText<8> go;
  InlineText<12> profile;
  InlineText<22> spec;
};

constexpr ArchitectureNames kArchitectures[] = {
    {"386", "x86", "SCMP_ARCH_X86"},
    {"amd64", "amd64", "SCMP_ARCH_X86_64"},
    {"arm", "arm", "SCMP_ARCH_ARM"},
    {"arm64", "arm64", "SCMP_ARCH_AARCH64"},
    {"loong64", "loongarch64", "SCMP_ARCH_LOONGARCH64"},
    {"mips", "mips", "SCMP_ARCH_MIPS"},
    {"mips64", "mips64", "SCMP_ARCH_MIPS64"},
    {"mips64le", "mipsel64", "SCMP_ARCH_MIPSEL64"},
    {"mipsle", "mipsel", "SCMP_ARCH_MIPSEL"},
    {"ppc64", "ppc64", "SCMP_ARCH_PPC64"},
    {"ppc64le", "ppc64le", "SCMP_ARCH_PPC64LE"},
    {"riscv64", "riscv64", "SCMP_ARCH_RISCV64"},
    {"s390x", "s390x", "SCMP_ARCH_S390X"},
};

ArchitectureNames NamesOf(std::string_view go_name) {
  const auto* found = std::ranges::find(kArchitectures, go_name, &ArchitectureNames::go);
  return found == std::end(kArchitectures) ? ArchitectureNames{} : *found;
}

bool IsOpen(const ProfileGate& gate, const SeccompConditions& conditions,
            std::string_view architecture) {
  const auto has_capability = [&](std::string_view name) {
    return std::ranges::find(conditions.capabilities, name) != conditions.capabilities.end();
  };
  const auto is_architecture = [&](std::string_view name) { return name == architecture; };
  return std::ranges::all_of(gate.needs_capabilities, has_capability) &&
         std::ranges::none_of(gate.without_capabilities, has_capability) &&
         (gate.needs_architectures.empty() ||
          std::ranges::any_of(gate.needs_architectures, is_architecture)) &&
         std::ranges::none_of(gate.without_architectures, is_architecture) &&
         std::tie(conditions.kernel_major, conditions.kernel_minor) >=
             std::tie(gate.kernel_major, gate.kernel_minor);
}

std::vector<std::string> ArchitecturesFor(std::string_view native) {
  for (const ProfileArchitecture& entry : DefaultProfile().architectures) {
    if (entry.native != native) continue;
    std::vector<std::string> all = {std::string(native)};
    all.insert(all.end(), entry.others.begin(), entry.others.end());
    return all;
  }
  return {};  // the lower runtime filters the native architecture at least, and kills all others
}

}  // namespace

SeccompFilter DefaultSeccompFilter(const SeccompConditions& conditions) {
  const ProfileTable& profile = DefaultProfile();
  const ArchitectureNames names = NamesOf(conditions.architecture);
  std::array<bool, 256> is_open{};  // by gate
  for (std::size_t gate = 0; gate < profile.gates.size(); ++gate) {
    is_open[gate] = IsOpen(profile.gates[gate], conditions, names.profile);
  }

  std::vector<SeccompRule> rules(profile.effects.size());
  for (const ProfileEntry& entry : profile.entries) {
    if (!is_open[entry.gate]) continue;
    std::vector<std::string>& rule = rules[entry.effect].names;
    if (rule.empty()) rule.reserve(entry.effect == 0 ? profile.entries.size() : 4);
    // Several open gates may lead to the same syscall.
    if (rule.empty() || rule.back() != entry.name()) rule.emplace_back(entry.name());
  }

  SeccompFilter filter;
  filter.default_action = profile.default_action;
  filter.default_errno_return = profile.default_errno_return;
  filter.architectures = ArchitecturesFor(names.spec);
  filter.flags.emplace();
  for (std::size_t effect = 0; effect < rules.size(); ++effect) {
    if (rules[effect].names.empty()) continue;
    const ProfileEffect& says = profile.effects[effect];
    rules[effect].action = says.action;
    if (says.errno_return >= 0) {
      rules[effect].errno_return = static_cast<std::uint32_t>(says.errno_return);
    }
    rules[effect].arguments.assign(says.arguments.begin(), says.arguments.end());
    filter.rules.push_back(std::move(rules[effect]));
  }
  return filter;
}

}  // namespace runclad::privilege
