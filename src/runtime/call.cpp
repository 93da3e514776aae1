#include "call.hpp"

#include <unistd.h>

#include <chrono>

#include "runclad/sys/lower_runtime.hpp"

namespace runclad::runtime {

std::string Call::root() const {
  const auto named = line.global("root");
  return named && !named->empty() ? std::string(*named) : sys::DefaultRoot(lower_runtime);
}

Result<Admission> Admit(const policy::Effective& policy) {
  if (::geteuid() == 0) return Admission{};
  switch (policy.rootless) {
    case policy::Rootless::kApply:
      return Admission{};
    case policy::Rootless::kPassThrough:
      return Admission{.passes_through = true};
    case policy::Rootless::kRefuse:
      break;
  }
  return Error{
      "called without root privileges: the user of a rootless engine owns everything that runclad "
      "relies on; "
      "set \"rootless\" to \"pass-through\" or \"apply\" in the policy, or use another runtime"};
}

namespace {

std::int64_t Microseconds(const Call& call) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                               call.begin)
      .count();
}

}  // namespace

Status Log(const Call& call, const policy::Effective& policy, const std::string& bundle,
           const engine::Identity& identity, const enforce::Decision& decision,
           std::string_view findings) {
  return enforce::WriteLog(policy.log, enforce::LogLine({.verb = call.line.verb,
                                                         .container = call.line.id(),
                                                         .bundle = bundle,
                                                         .identity = identity,
                                                         .policy = &policy,
                                                         .decision = &decision,
                                                         .findings = findings,
                                                         .error = {},
                                                         .microseconds = Microseconds(call)}));
}

Status LogError(const Call& call, const policy::Effective& policy, const std::string& bundle,
                const Error& error) {
  return enforce::WriteLog(policy.log, enforce::LogLine({.verb = call.line.verb,
                                                         .container = call.line.id(),
                                                         .bundle = bundle,
                                                         .identity = {},
                                                         .policy = &policy,
                                                         .decision = nullptr,
                                                         .findings = {},
                                                         .error = error.message,
                                                         .microseconds = Microseconds(call)}));
}

}  // namespace runclad::runtime
