// One call of the runtime: the input and output of every verb that runclad handles.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/enforce/decision.hpp"
#include "runclad/enforce/log.hpp"
#include "runclad/oci/command_line.hpp"
#include "runclad/policy/effective.hpp"
#include "runclad/sys/bundle.hpp"

namespace runclad::runtime {

class Machine;

struct Call {
  oci::CommandLine line;
  std::string lower_runtime;
  std::chrono::steady_clock::time_point begin;
  Machine& machine;
  // Whether a line, or a count, says why the call ends here.
  mutable bool end_is_logged = false;

  // --root, or where the lower runtime keeps its containers.
  [[nodiscard]] std::string root() const;
};

// The arguments of the lower runtime, without its name.
using Arguments = std::vector<std::string>;

// Each verb returns the arguments to pass on, or the sentence to report (a refusal or an error).
Result<Arguments> Create(const Call& call);
Result<Arguments> Exec(Call& call);
Result<Arguments> Update(Call& call);
Result<Arguments> Start(const Call& call);
// A verb that runclad does not know.
Result<Arguments> PassUnknown(const Call& call);
Result<Arguments> Delete(const Call& call);

// Whether a caller without root privileges (a rootless engine) may continue; `passes_through`: no
// policy is applied to it.
struct Admission {
  bool passes_through = false;
};
Result<Admission> Admit(const policy::Effective& policy, Machine& machine);

// How a bundle is opened: a policy that is not enforced changes nothing, and so refuses none that
// the lower runtime would take.
sys::Bundle::Faults FaultsOf(const policy::Effective& policy);

// Writes the decision's log line. An error: the line is required and could not be written.
Status Log(const Call& call, const policy::Effective& policy, const std::string& bundle,
           const engine::Identity& identity, const enforce::Decision& decision,
           std::string_view findings);

// The same for an exec into a recorded container: what repeats the decision before it is counted.
Status LogOrCount(const Call& call, const policy::Effective& policy, const std::string& bundle,
                  const engine::Identity& identity, const enforce::Decision& decision,
                  std::string_view findings);

// The same for what could not go on.
Status LogError(const Call& call, const policy::Effective& policy, const std::string& bundle,
                const Error& error);

// The same for what the call asks for and does not get.
Status LogRefusal(const Call& call, const policy::Effective& policy, const std::string& bundle,
                  const Error& refusal);

// The same where no policy says where the log is: in the default one, and in syslog. It is never
// required, and an error: a refusal has the mode and the profile in its line.
void LogWithoutPolicy(const Call& call, const std::string& bundle, const engine::Identity& identity,
                      const Error& error);

// Whatever else ends a call: no container is stopped, or not started, without a line in the log.
void LogEnd(const Call& call, const Error& error);

}  // namespace runclad::runtime
