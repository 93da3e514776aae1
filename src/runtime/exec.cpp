// exec: applies the process rules with the settings recorded at create.
#include <fcntl.h>

#include <charconv>
#include <optional>
#include <utility>

#include "runclad/enforce/facts.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/enforce/record.hpp"
#include "runclad/host/runtime_state.hpp"
#include "runclad/json/pointer.hpp"
#include "runclad/oci/exec_process.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/sys/bundle.hpp"
#include "runclad/sys/file.hpp"

#include "call.hpp"
#include "kept.hpp"
#include "known.hpp"

namespace runclad::runtime {
namespace {

// The process as the call asks for it: from --process, or, as the lower runtime would do, from the
// bundle's config.json and the flags.
Result<oci::Spec> RequestedProcess(const Call& call, const std::string& bundle_path) {
  if (const auto file_name = call.line.option("process"); file_name && !file_name->empty()) {
    const std::string name(*file_name);
    const UniqueFd file(::open(name.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!file) return SystemError("--process " + name + " cannot be opened", errno);
    const auto bytes = sys::ReadRegularFile(file.get(), oci::kMaxSpecBytes);
    if (!bytes) return bytes.error().In("--process " + name);
    auto process = oci::Spec::ParseProcess(*bytes);
    if (!process) return process.error().In("--process " + name);
    return process;
  }
  const auto bundle = sys::Bundle::Open(bundle_path, oci::kMaxSpecBytes);
  if (!bundle) return bundle.error();
  const auto config = oci::Spec::Parse(bundle->config());
  if (!config) return config.error().In(bundle->path() + "/config.json");
  if (!config->has_process()) return Error{bundle->path() + "/config.json has no process"};
  const auto process =
      oci::ProcessFromFlags(json::Get(config->document(), "/process").document(), call.line);
  if (!process) return process.error();
  return oci::Spec::FromProcess(*process);
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

// A container that `run` started was verified just now: not again at its next exec.
Status Stamp(const Call& call, const enforce::Record& record, const host::RuntimeState& state) {
  if (record.pid != 0 || state.is_waiting) return {};
  const auto records = store::Records::Open(call.root(), /*create=*/false);
  if (!records) return records.error();
  return records->Stamp(record.id, state.pid, state.start_time);
}

}  // namespace

Result<Arguments> Exec(Call call) {
  auto known = FindKnown(call);
  if (!known) return known.error();
  const host::RuntimeState& state = known->state;
  auto& record = known->record;

  policy::Effective policy;
  engine::Identity identity;
  if (record) {
    if (auto kept = Keeps(call, *record, state); !kept) return kept.error();
    if (auto stamped = Stamp(call, *record, state); !stamped) return stamped.error();
    policy = std::move(record->process_policy);
    identity = std::move(record->identity);
  } else {
    auto loaded = enforce::LoadPolicy(call.line.config_directory);
    if (!loaded) return loaded.error();
    const auto admission = Admit(*loaded);
    if (!admission) return admission.error();
    if (admission->passes_through) return call.line.Canonical();
    policy = *std::move(loaded);
  }

  auto process = RequestedProcess(call, state.bundle);
  if (!process) return process.error();
  const auto facts = enforce::GatherProcessFacts(*process, policy, identity,
                                                 "/proc/" + std::to_string(state.pid) + "/root");
  if (!facts) return facts.error();
  const enforce::Decision decision =
      enforce::Decide(*std::move(process), policy, *facts, rules::Scope::kProcess);
  const auto logged =
      Log(call, policy, state.bundle, identity, decision, enforce::FindingsText(decision.findings));
  if (!logged) return logged.error();
  if (policy.mode == policy::Mode::kAudit) return call.line.Canonical();
  if (decision.outcome == enforce::Outcome::kRefused) {
    return Error{enforce::RefusalSentence(decision)};
  }

  // Sealed and in memory: it cannot be swapped between our check and runc's read.
  auto memory =
      sys::SealedMemory("runclad-process", decision.spec.WriteProcess(), LowestFd(call.line));
  if (!memory) return memory.error();
  call.line.SetOption("process", "/proc/self/fd/" + std::to_string(memory->Release()));
  oci::DropProcessFlags(call.line);
  return call.line.Canonical();
}

}  // namespace runclad::runtime
