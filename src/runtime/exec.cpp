// exec: applies the process rules with the settings recorded at create.
#include <charconv>
#include <cstdlib>
#include <memory>
#include <optional>
#include <utility>

#include "runclad/enforce/record.hpp"
#include "runclad/host/runtime_state.hpp"
#include "runclad/json/pointer.hpp"
#include "runclad/oci/exec_process.hpp"
#include "runclad/oci/spec.hpp"

#include "call.hpp"
#include "directories.hpp"
#include "kept.hpp"
#include "known.hpp"
#include "machine.hpp"

namespace runclad::runtime {
namespace {

struct Requested {
  oci::Spec process;
  std::optional<std::string> piped = {};  // the bytes of --process, if it is a pipe
};

// The process as the call asks for it: from --process, or, as the lower runtime would do, from the
// bundle's config.json and the flags.
Result<Requested> RequestedProcess(const Call& call, const std::string& bundle_path,
                                   const policy::Effective& policy) {
  if (const auto file_name = call.line.option("process"); file_name && !file_name->empty()) {
    const std::string name(*file_name);
    auto input = call.machine.ReadInput(name);
    if (!input) return input.error().In("--process " + name);
    auto process = oci::Spec::ParseProcess(input->bytes);
    if (!process) return process.error().In("--process " + name);
    Requested requested{*std::move(process)};
    if (input->is_pipe) requested.piped = std::move(input->bytes);
    return requested;
  }
  const auto opened = call.machine.OpenBundle(bundle_path, /*is_new=*/false, FaultsOf(policy));
  if (!opened) return opened.error();
  const std::unique_ptr<Bundle>& bundle = *opened;
  const auto config = oci::Spec::Parse(bundle->config());
  if (!config) return config.error().In(bundle->path() + "/config.json");
  if (!config->has_process()) return Error{bundle->path() + "/config.json has no process"};
  const auto process =
      oci::ProcessFromFlags(json::Get(config->document(), "/process").document(), call.line);
  if (!process) return process.error();
  auto spec = oci::Spec::FromProcess(*process);
  if (!spec) return spec.error();
  return Requested{*std::move(spec)};
}

// Above the descriptors that --preserve-fds and LISTEN_FDS hand into the container.
int LowestFd(const oci::CommandLine& line) {
  constexpr int kFirst = 3;
  constexpr int kMaxPreserved = 1 << 16;
  int preserved = 0;
  const std::string_view text = line.option("preserve-fds").value_or("0");
  std::from_chars(text.data(), text.data() + text.size(), preserved);
  int listening = 0;
  if (const char* fds = std::getenv("LISTEN_FDS"); fds != nullptr) {  // NOLINT(concurrency-*)
    const std::string_view count = fds;
    std::from_chars(count.data(), count.data() + count.size(), listening);
  }
  if (preserved < 0 || preserved > kMaxPreserved) preserved = kMaxPreserved;
  if (listening < 0 || listening > kMaxPreserved) listening = kMaxPreserved;
  return kFirst + preserved + listening;
}

// Sealed and in memory: it cannot be swapped between our check and the lower runtime's read.
Result<Arguments> HandOnProcess(oci::CommandLine& line, std::string_view process,
                                Machine& machine) {
  const auto memory = machine.Seal("runclad-process", process, LowestFd(line));
  if (!memory) return memory.error();
  line.SetOption("process", "/proc/self/fd/" + std::to_string(*memory));
  return line.Canonical();
}

// A container that `run` started was verified just now: not again at its next exec.
Status Stamp(const Call& call, const enforce::Record& record, const host::RuntimeState& state) {
  if (record.pid != 0 || state.is_waiting) return {};
  const auto records = call.machine.OpenRecords(call.root(), /*create=*/false);
  if (!records) return records.error();
  return (*records)->Stamp(record.id, state.pid, state.start_time);
}

}  // namespace

Result<Arguments> Exec(Call& call) {
  auto known = FindKnown(call);
  if (!known) return known.error();
  if (!*known) return WithoutContainer(std::move(call.line));
  const host::RuntimeState& state = (*known)->state;
  auto& record = (*known)->record;

  policy::Effective policy;
  engine::Identity identity;
  if (record) {
    if (auto kept = Keeps(call, *record, state); !kept) return kept.error();
    if (auto stamped = Stamp(call, *record, state); !stamped) return stamped.error();
    policy = std::move(record->process_policy);
    // That of now, not of the create.
    policy.break_glass = call.machine.BreakGlassReason();
    identity = std::move(record->identity);
  } else {
    auto loaded = LoadNamedPolicy(call, call.line.config_directory, {});
    if (!loaded) return loaded.error();
    const auto admission = Admit(*loaded, call.machine);
    if (!admission) return admission.error();
    if (admission->passes_through) return call.line.Canonical();
    policy = *std::move(loaded);
  }

  auto requested = RequestedProcess(call, state.bundle, policy);
  if (!requested) return requested.error();
  const auto facts = call.machine.GatherOfProcess(requested->process, policy, identity,
                                                  "/proc/" + std::to_string(state.pid) + "/root");
  if (!facts) return facts.error();
  const enforce::Decision decision =
      enforce::Decide(std::move(requested->process), policy, *facts, rules::Scope::kProcess);
  // Where nothing may happen that is not logged, a count is not enough.
  const auto log = record && !policy.log.required ? LogOrCount : Log;
  const auto logged =
      log(call, policy, state.bundle, identity, decision, enforce::FindingsText(decision.findings));
  if (!logged) return logged.error();
  if (!policy.is_enforced()) {
    return requested->piped ? HandOnProcess(call.line, *requested->piped, call.machine)
                            : call.line.Canonical();
  }
  if (decision.outcome == enforce::Outcome::kRefused) {
    return Error{enforce::RefusalSentence(decision)};
  }
  oci::DropProcessFlags(call.line);
  return HandOnProcess(call.line, decision.spec.WriteProcess(), call.machine);
}

}  // namespace runclad::runtime
