#include "call.hpp"

#include <chrono>

#include "runclad/base/sha256.hpp"
#include "runclad/sys/lower_runtime.hpp"

#include "directories.hpp"
#include "machine.hpp"

namespace runclad::runtime {

std::string Call::root() const {
  const auto named = line.global("root");
  return named && !named->empty() ? std::string(*named) : sys::DefaultRoot(lower_runtime);
}

Result<Admission> Admit(const policy::Effective& policy, Machine& machine) {
  if (machine.IsRoot()) return Admission{};
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

sys::Bundle::Faults FaultsOf(const policy::Effective& policy) {
  return policy.is_enforced() ? sys::Bundle::Faults::kFail : sys::Bundle::Faults::kKeep;
}

namespace {

std::int64_t Microseconds(const Call& call) {
  return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() -
                                                               call.begin)
      .count();
}

std::string LineOf(const Call& call, const policy::Effective& policy, const std::string& bundle,
                   const engine::Identity& identity, const enforce::Decision& decision,
                   std::string_view findings) {
  return enforce::LogLine({.verb = call.line.verb,
                           .container = call.line.id(),
                           .bundle = bundle,
                           .identity = identity,
                           .policy = &policy,
                           .decision = &decision,
                           .findings = findings,
                           .error = {},
                           .microseconds = Microseconds(call)});
}

}  // namespace

Status Log(const Call& call, const policy::Effective& policy, const std::string& bundle,
           const engine::Identity& identity, const enforce::Decision& decision,
           std::string_view findings) {
  call.end_is_logged = decision.outcome == enforce::Outcome::kRefused;
  if (!enforce::IsLogged(policy.log, decision)) return {};
  return call.machine.WriteLog(policy.log,
                               LineOf(call, policy, bundle, identity, decision, findings));
}

Status LogOrCount(const Call& call, const policy::Effective& policy, const std::string& bundle,
                  const engine::Identity& identity, const enforce::Decision& decision,
                  std::string_view findings) {
  call.end_is_logged = decision.outcome == enforce::Outcome::kRefused;
  if (!enforce::IsLogged(policy.log, decision)) return {};
  // All that is in the line and can differ between two calls for the same container, but for times.
  std::string key(call.line.verb);
  for (const std::string_view part :
       {enforce::Name(decision.outcome), policy::Name(policy.mode),
        std::string_view(policy.break_glass), std::string_view(policy.digest),
        std::string_view(policy.log.target), std::string_view(bundle), findings}) {
    key.append("\n").append(part);
  }
  // Somebody else's command is not a repeat of a health check. Its arguments may hold a secret.
  std::string arguments;
  for (const std::string& argument : decision.spec.arguments()) {
    arguments.append(argument).push_back('\0');
  }
  key.append("\n").append(Sha256(arguments));
  return call.machine.CountOrLog(
      call.root(), call.line.id(), key,
      [&] { return LineOf(call, policy, bundle, identity, decision, findings); },
      [&](const std::string& line) { return call.machine.WriteLog(policy.log, line); });
}

namespace {

std::string ErrorLine(const Call& call, const policy::Effective* policy, const std::string& bundle,
                      const engine::Identity& identity, const Error& error, bool is_refusal) {
  call.end_is_logged = true;
  return enforce::LogLine({.verb = call.line.verb,
                           .container = call.line.id(),
                           .bundle = bundle,
                           .identity = identity,
                           .policy = policy,
                           .decision = nullptr,
                           .findings = {},
                           .error = error.message,
                           .is_refusal = is_refusal,
                           .microseconds = Microseconds(call)});
}

}  // namespace

Status LogError(const Call& call, const policy::Effective& policy, const std::string& bundle,
                const Error& error) {
  return call.machine.WriteLog(policy.log, ErrorLine(call, &policy, bundle, {}, error, false));
}

Status LogRefusal(const Call& call, const policy::Effective& policy, const std::string& bundle,
                  const Error& refusal) {
  return call.machine.WriteLog(policy.log, ErrorLine(call, &policy, bundle, {}, refusal, true));
}

void LogWithoutPolicy(const Call& call, const std::string& bundle, const engine::Identity& identity,
                      const Error& error) {
  if (!call.machine.IsRoot()) return;
  call.machine.WriteLogAnywhere(
      ErrorLine(call, nullptr, bundle, identity, error, /*is_refusal=*/false));
}

void LogEnd(const Call& call, const Error& error) {
  if (call.end_is_logged || !call.machine.IsRoot()) return;
  // Without one, that has been logged in its place.
  if (const auto policy = LoadNamedPolicy(call, call.line.config_directory, {})) {
    static_cast<void>(LogError(call, *policy, {}, error));
  }
}

}  // namespace runclad::runtime
