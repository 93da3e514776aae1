// create and run: the whole catalogue, the record, the canonical document.
#include <memory>
#include <optional>
#include <utility>

#include "runclad/enforce/process_policy.hpp"
#include "runclad/enforce/record.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/sys/lower_runtime.hpp"

#include "call.hpp"
#include "directories.hpp"
#include "machine.hpp"
#include "report.hpp"

namespace runclad::runtime {
namespace {

std::optional<Error> RefusedRestore(const Call& call) {
  if (call.line.verb != "restore") return std::nullopt;
  return Error{
      "restore would bring back a container with the capabilities, the filter and the mounts of "
      "its checkpoint, which no rule can check: create the container again instead"};
}

Status WriteRecord(const Records& records, const Call& call, const std::string& bundle,
                   const policy::Effective& policy, const oci::Spec& spec,
                   const rules::Facts& facts, std::string_view findings,
                   const std::string& root_path) {
  enforce::Record record;
  record.id = call.line.id();
  record.bundle = bundle;
  record.process_policy = enforce::ProcessPolicy(policy, spec, facts);
  record.identity = facts.Get<engine::Identity>();
  record.promise = enforce::PromiseOf(spec, policy, facts);
  // The place of a staged root filesystem is gone with this process.
  if (!record.promise.root_path.empty()) record.promise.root_path = root_path;
  return records.Write(record, findings);
}

}  // namespace

Result<Arguments> Create(const Call& call) {
  const std::string id(call.line.id());
  const std::string root = call.root();
  const std::string named_bundle(call.line.option("bundle").value_or(""));
  Machine& machine = call.machine;
  // What is wrong with it counts as soon as the mode is known.
  const auto opened = machine.OpenBundle(named_bundle.empty() ? "." : named_bundle,
                                         /*is_new=*/true, sys::Bundle::Faults::kKeep);
  if (!opened) return opened.error();
  const std::unique_ptr<Bundle>& bundle = *opened;
  auto spec = oci::Spec::Parse(bundle->config());
  if (!spec && bundle->fault()) return *bundle->fault();
  if (!spec) return spec.error().In(bundle->path() + "/config.json");

  // The lower runtime would refuse as well, but only after we had replaced a living container's
  // document and record.
  if (machine.HasContainer(root, id)) {
    return Error{"a container " + id + " already exists in " + root};
  }
  const std::string named_root(call.line.global("root").value_or(""));
  const bool starts_at_once = call.line.verb != "create";
  enforce::Request request{.id = id,
                           .bundle = bundle->path(),
                           .runtime_root = named_root,
                           .starts_at_once = starts_at_once,
                           .is_crun = sys::IsCrun(call.lower_runtime)};
  const enforce::Subject subject = machine.FindSubject(*spec, request);
  const auto trial = machine.FindTrial(id);
  if (!trial) return trial.error();
  const std::optional<std::string>& config_directory = *trial ? *trial : call.line.config_directory;
  const auto policy =
      *trial ? machine.LoadPolicy(config_directory, subject.identity)
             : LoadNamedPolicy(call, config_directory, subject.identity, bundle->path());
  if (!policy) return policy.error();
  const auto admission = Admit(*policy, machine);
  if (!admission) return admission.error();
  if (admission->passes_through) return call.line.Canonical();
  if (!policy->fell_back_because.empty()) WarnOfFallback(*policy);
  const auto restore = RefusedRestore(call);
  if (restore) {
    if (auto logged = LogRefusal(call, *policy, bundle->path(), *restore); !logged) {
      return logged.error();
    }
  }
  if (bundle->fault()) {
    if (auto logged = LogError(call, *policy, bundle->path(), *bundle->fault()); !logged) {
      return logged.error();
    }
  }
  if (policy->is_enforced()) {
    if (bundle->fault()) return *bundle->fault();
    if (restore) return *restore;
  }

  if (auto checked = CheckDirectories(call, bundle->path(), *policy, subject.layout); !checked) {
    return checked.error();
  }
  // Before anything in the bundle is judged, so that what is judged is what the runtime finds.
  if (policy->is_enforced()) {
    if (auto taken = bundle->TakeOwnership(); !taken) return taken.error();
  }
  const auto found_records = machine.OpenRecords(root, /*create=*/true);
  if (!found_records) return found_records.error();
  const Records& records = **found_records;
  request.policy_of = [&](const engine::Identity& image) {
    // The same files, although another policy may be in force by now.
    return machine.LoadPolicy(
        policy->directory.empty() ? config_directory : std::optional(policy->directory), image);
  };
  auto gathered = machine.Gather(*spec, *policy, request, subject);
  if (!gathered) return gathered.error();
  rules::Facts& facts = *gathered;
  // Static, so that it is not destroyed before exec: a tenth of the cost.
  static std::optional<enforce::Decision> last;
  last = enforce::Decide(*std::move(spec), *policy, facts, rules::Scope::kContainer);
  const enforce::Decision& decision = *last;

  const std::string findings = enforce::FindingsText(decision.findings);
  const bool is_enforced = policy->is_enforced();
  const bool goes_on = !is_enforced || decision.outcome != enforce::Outcome::kRefused;
  const auto logged_error = [&](const Error& error) {
    const auto logged = LogError(call, *policy, bundle->path(), error);
    return logged ? error : logged.error();
  };
  std::optional<oci::Spec> staged;
  if (goes_on && is_enforced) {
    auto result = machine.StageSources(decision.spec, starts_at_once, facts);
    if (!result) return logged_error(result.error());
    staged = *std::move(result);
  }
  if (goes_on) {
    const oci::Spec& handed_on = staged ? *staged : decision.spec;
    const auto recorded = WriteRecord(records, call, bundle->path(), *policy, handed_on, facts,
                                      findings, decision.spec.root_path());
    if (!recorded) return recorded.error();
    machine.KeepName(subject);
  }
  const auto logged =
      Log(call, *policy, bundle->path(), facts.Get<engine::Identity>(), decision, findings);
  if (!logged) {
    if (goes_on) records.Remove(id);
    return logged.error();
  }
  if (!goes_on) return Error{enforce::RefusalSentence(decision)};
  if (is_enforced) {
    // Even when no rule changed it: so that runc reads exactly what was checked.
    if (auto written = bundle->ReplaceConfig(decision.spec.Write()); !written) {
      // No container will come of what was recorded and logged.
      records.Remove(id);
      return logged_error(
          written.error().In("the bundle " + bundle->path() +
                             " must be writable so that runclad can replace config.json"));
    }
  }
  if (staged) {
    const std::string config = bundle->path() + "/config.json";
    if (auto covered = machine.Cover(config, staged->Write()); !covered) {
      records.Remove(id);
      return covered.error();
    }
  }
  // Last, so that nothing of ours is in the trace.
  if (*trial) machine.LetLearnerFollow(**trial, id);
  return call.line.Canonical();
}

}  // namespace runclad::runtime
