#include "filter_faults.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "runclad/base/spelling.hpp"
#include "runclad/host/kernel.hpp"
#include "runclad/privilege/capabilities.hpp"
#include "runclad/privilege/seccomp_program.hpp"
#include "runclad/rules/catalog.hpp"
#include "runclad/rules/parameters.hpp"

#include "style.hpp"

namespace runclad::ctl {
namespace {

// Why the filter of a container with these capabilities cannot be created; empty when it can.
std::string FilterFault(const privilege::SeccompTuning& tuning,
                        const privilege::SeccompConditions& conditions) {
  const privilege::SeccompFilter ours = privilege::DefaultSeccompFilter(conditions);
  const privilege::SeccompIntersection meet = privilege::Intersect(ours, ours, tuning);
  if (!meet.lost.empty()) {
    return "the seccomp filter would block " + Joined(meet.lost) + ", which every program needs";
  }
  for (const std::string& entry : tuning.deny) {
    const std::string call = entry.substr(0, entry.find(' '));
    const auto is_cut = [&](const privilege::SeccompDropped& dropped) {
      return dropped.call == call;
    };
    if (entry.find(' ') != std::string::npos && std::ranges::any_of(meet.dropped, is_cut)) {
      return "seccomp/deny: " + Quoted(entry) +
             " takes more rules than a filter may have for one call, so that more would be denied; "
             "compare fewer arguments, or bits of them (&MASK==), or deny the call";
    }
  }
  constexpr unsigned kSeconds = 10;  // a fifth of one is usual
  const auto compiled = privilege::SeccompProgram::TryCompile(meet.filter, kSeconds);
  return compiled ? "" : "the seccomp filter cannot be compiled: " + compiled.error().message;
}

}  // namespace

std::set<std::string> FilterFaults(const policy::Effective& policy) {
  const policy::RuleSetting& setting = policy.rule(rules::kSeccomp.schema);
  if (setting.action == policy::Action::kOff) return {};
  const policy::StringList allowed =
      rules::AllowedCapabilities(policy.rule(rules::kCapabilities.schema));
  privilege::SeccompTuning tuning = rules::SeccompTuningOf(setting);
  tuning.listeners.clear();
  const auto nothing = oci::Spec::Parse("{}");
  if (!nothing) return {nothing.error().message};
  const host::KernelFacts kernel = host::FindKernel(*nothing);
  std::set<std::string> faults;
  for (const std::string& name : tuning.deny) {
    if (privilege::IsEssential(name)) {
      faults.insert("seccomp/deny lists " + name + ", which every program needs");
    }
  }
  const std::vector<std::string> none;
  for (const std::vector<std::string>& kept :
       {none, policy::Copied(allowed), privilege::AllCapabilities()}) {
    faults.insert(FilterFault(tuning, {.capabilities = kept,
                                       .architecture = kernel.architecture,
                                       .kernel_major = kernel.major,
                                       .kernel_minor = kernel.minor}));
  }
  faults.erase("");
  return faults;
}

}  // namespace runclad::ctl
