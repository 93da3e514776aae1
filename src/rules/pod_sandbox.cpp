#include "runclad/rules/pod_sandbox.hpp"

#include <algorithm>
#include <string_view>

namespace runclad::rules {

bool IsPodSandbox(const oci::Spec& spec, const engine::Identity& identity) {
  constexpr std::string_view kPause[] = {"/pause", "/usr/bin/pause", "/usr/bin/pod"};
  if (!identity.is_sandbox || !identity.is_known()) return false;
  const auto arguments = spec.arguments();
  return arguments.size() == 1 && std::ranges::find(kPause, arguments[0]) != std::end(kPause);
}

}  // namespace runclad::rules
