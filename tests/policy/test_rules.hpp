// Rules and profiles of the tests' own, so that they hold whatever the catalogue becomes.
#pragma once

#include <string_view>
#include <vector>

#include "runclad/policy/effective.hpp"

namespace runclad::policy {

inline constexpr Action kAllActions[] = {Action::kFix, Action::kRefuse, Action::kWarn,
                                         Action::kOff};
inline constexpr Action kNoFix[] = {Action::kRefuse, Action::kOff};
inline constexpr std::string_view kUnlisted[] = {"refuse", "fix"};

inline constexpr std::string_view kDockerCapabilities[] = {"CAP_CHOWN", "CAP_KILL"};

inline constexpr ParameterSchema kCapabilityParameters[] = {
    {.name = "allow",
     .vocabulary = Vocabulary::kCapability,
     .order = Order::kMoreIsLooser,
     .docker_default = std::span<const std::string_view>(kDockerCapabilities)},
    {.name = "unlisted",
     .type = ParameterType::kText,
     .vocabulary = Vocabulary::kChoice,
     .choices = kUnlisted,
     .order = Order::kLaterIsLooser,
     .docker_default = std::string_view("refuse")},
};
inline constexpr ParameterSchema kSeccompParameters[] = {
    {.name = "allow",
     .vocabulary = Vocabulary::kSyscall,
     .order = Order::kMoreIsLooser,
     .docker_default = std::span<const std::string_view>()},
    {.name = "deny",
     .merge = Merge::kAccumulate,
     .vocabulary = Vocabulary::kSyscall,
     .order = Order::kFewerIsLooser,
     .docker_default = std::span<const std::string_view>()},
    {.name = "families",
     .vocabulary = Vocabulary::kSocketFamily,
     .order = Order::kMoreIsLooser,
     .docker_default = std::span<const std::string_view>()},
    {.name = "deny-socketcall",
     .type = ParameterType::kBoolean,
     .order = Order::kFalseIsLooser,
     .docker_default = true},
};
inline constexpr ParameterSchema kMountParameters[] = {
    {.name = "deny",
     .merge = Merge::kAccumulate,
     .vocabulary = Vocabulary::kAbsolutePath,
     .order = Order::kFewerIsLooser,
     .docker_default = std::span<const std::string_view>()},
    {.name = "allow",
     .vocabulary = Vocabulary::kAbsolutePath,
     .order = Order::kMoreIsLooser,
     .docker_default = std::span<const std::string_view>()},
    {.name = "label", .type = ParameterType::kText},
};
inline constexpr ParameterSchema kPidsParameters[] = {
    {.name = "default",
     .type = ParameterType::kInteger,
     .order = Order::kMoreIsLooser,
     .docker_default = Anything{},
     .minimum = 1,
     .maximum = 65536},
    {.name = "maximum",
     .type = ParameterType::kInteger,
     .order = Order::kMoreIsLooser,
     .docker_default = std::int64_t{4096}},
};
inline constexpr ParameterSchema kUserParameters[] = {
    {.name = "allow-uids",
     .vocabulary = Vocabulary::kIdRange,
     .order = Order::kMoreIsLooser,
     .docker_default = Anything{}},
    {.name = "run-as",
     .type = ParameterType::kText,
     .vocabulary = Vocabulary::kUserAndGroup,
     .order = Order::kLaterIsLooser,
     .docker_default = Anything{}},
};

inline constexpr RuleSchema kRules[] = {
    {.id = "capabilities", .actions = kAllActions, .parameters = kCapabilityParameters},
    {.id = "seccomp", .actions = kAllActions, .parameters = kSeccompParameters},
    {.id = "host-mounts", .actions = kNoFix, .parameters = kMountParameters},
    {.id = "pids-limit", .actions = kAllActions, .parameters = kPidsParameters},
    {.id = "user", .actions = kAllActions, .parameters = kUserParameters},
};

inline std::string_view TestProfile(std::string_view name) {
  if (name == "restricted") {
    return R"({ "rules": {
      "capabilities": { "action": "fix", "allow": ["NET_BIND_SERVICE"], "unlisted": "fix" },
      "host-mounts": { "action": "refuse", "deny": ["/etc", "/run"], "allow": ["/srv/shared"] },
      "pids-limit": { "action": "fix", "default": 2048 } } })";
  }
  if (name == "build") return R"({ "rules": { "pids-limit": { "action": "off" } } })";
  if (name == "baseline") return R"({ "rules": { "pids-limit": { "action": "warn" } } })";
  return {};
}

inline Result<Effective> ParseText(std::string_view text, bool origins = false) {
  return Parse(text, "/etc/runclad/policy.json", kRules,
               {.origins = origins, .profile = TestProfile});
}

}  // namespace runclad::policy
