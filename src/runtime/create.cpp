// create and run: the whole catalogue, the record, the canonical document.
#include <sys/stat.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "runclad/enforce/facts.hpp"
#include "runclad/enforce/host_policy.hpp"
#include "runclad/enforce/process_policy.hpp"
#include "runclad/enforce/record.hpp"
#include "runclad/enforce/staged_sources.hpp"
#include "runclad/enforce/subject.hpp"
#include "runclad/host/cgroup_controllers.hpp"
#include "runclad/host/runtime_state.hpp"
#include "runclad/oci/spec.hpp"
#include "runclad/oci/user_namespace.hpp"
#include "runclad/sys/bundle.hpp"
#include "runclad/sys/lower_runtime.hpp"
#include "runclad/sys/user_namespace.hpp"

#include "call.hpp"

namespace runclad::runtime {
namespace {

// runc makes its root itself, but the records are named by it.
Status MakeRoot(const std::string& root) {
  for (std::size_t at = root.find('/', 1);; at = root.find('/', at + 1)) {
    const std::string directory = root.substr(0, at);
    if (::mkdir(directory.c_str(), S_IRWXU) != 0 && errno != EEXIST) {
      return SystemError("the runtime's root " + directory + " cannot be created", errno);
    }
    if (at == std::string::npos) return {};
  }
}

// For a config.json in a directory that belongs to another user.
std::optional<uid_t> BundleOwner(const std::string& config) {
  const auto spec = oci::Spec::Parse(config);
  return spec ? oci::BundleOwner(*spec, sys::RootOfUserNamespace) : std::nullopt;
}

Status WriteRecord(const store::Records& records, const Call& call, const std::string& bundle,
                   const policy::Effective& policy, const oci::Spec& spec,
                   const rules::Facts& facts, std::string_view findings,
                   const std::string& root_path) {
  enforce::Record record;
  record.id = call.line.id();
  record.bundle = bundle;
  record.process_policy = enforce::ProcessPolicy(policy, spec, facts);
  record.identity = facts.identity;
  record.promise = enforce::PromiseOf(spec, policy, facts);
  // The place of a staged root filesystem is gone with this process.
  if (!record.promise.root_path.empty()) record.promise.root_path = root_path;
  return enforce::WriteRecord(records, record, findings);
}

}  // namespace

Result<Arguments> Create(const Call& call) {
  const std::string id(call.line.id());
  const std::string root = call.root();
  const std::string named_bundle(call.line.option("bundle").value_or(""));
  const auto bundle =
      sys::Bundle::Open(named_bundle.empty() ? "." : named_bundle, oci::kMaxSpecBytes, BundleOwner);
  if (!bundle) return bundle.error();
  auto spec = oci::Spec::Parse(bundle->config());
  if (!spec) return spec.error().In(bundle->path() + "/config.json");

  // The lower runtime would refuse as well, but only after we had replaced a living container's
  // document and record.
  if (host::ContainerExists(root, id)) {
    return Error{"a container " + id + " already exists in " + root};
  }
  const std::string named_root(call.line.global("root").value_or(""));
  const bool starts_at_once = call.line.verb != "create";
  enforce::Request request{.id = id,
                           .bundle = bundle->path(),
                           .runtime_root = named_root,
                           .starts_at_once = starts_at_once};
  const enforce::Subject subject = enforce::FindSubject(*spec, request);
  const auto policy = enforce::LoadPolicy(call.line.config_directory, subject.identity);
  if (!policy) return policy.error();
  const auto admission = Admit(*policy);
  if (!admission) return admission.error();
  if (admission->passes_through) return call.line.Canonical();

  // Before anything in the bundle is judged, so that what is judged is what the runtime finds.
  if (policy->mode == policy::Mode::kEnforce) {
    if (auto taken = bundle->TakeOwnership(); !taken) return taken.error();
  }
  if (auto made = MakeRoot(root); !made) return made.error();
  const auto records = store::Records::Open(root, /*create=*/true);
  if (!records) return records.error();
  records->Sweep(root);
  request.records = &*records;
  request.policy_of = [&](const engine::Identity& image) {
    return enforce::LoadPolicy(call.line.config_directory, image);
  };
  auto gathered = enforce::GatherFacts(*spec, *policy, request, subject);
  if (!gathered) return gathered.error();
  rules::Facts& facts = *gathered;
  facts.is_crun = sys::IsCrun(call.lower_runtime);
  // Static, so that it is not destroyed before exec: a tenth of the cost.
  static const enforce::Decision decision =
      enforce::Decide(*std::move(spec), *policy, facts, rules::Scope::kContainer);

  const std::string findings = enforce::FindingsText(decision.findings);
  const bool is_enforced = policy->mode == policy::Mode::kEnforce;
  const bool goes_on = !is_enforced || decision.outcome != enforce::Outcome::kRefused;
  const auto logged_error = [&](const Error& error) {
    const auto logged = LogError(call, *policy, bundle->path(), error);
    return logged ? error : logged.error();
  };
  std::optional<enforce::Staged> staged;
  if (goes_on && is_enforced) {
    if (auto held = host::RequireControllers(decision.spec); !held) {
      return logged_error(held.error());
    }
    auto result = enforce::StageSources(decision.spec, starts_at_once, facts);
    if (!result) return logged_error(result.error());
    staged = *std::move(result);
  }
  if (goes_on) {
    const oci::Spec& handed_on = staged ? staged->spec : decision.spec;
    const auto recorded = WriteRecord(*records, call, bundle->path(), *policy, handed_on, facts,
                                      findings, decision.spec.root_path());
    if (!recorded) return recorded.error();
    enforce::KeepName(subject);
  }
  const auto logged = Log(call, *policy, bundle->path(), facts.identity, decision, findings);
  if (!logged) {
    if (goes_on) records->Remove(id);
    return logged.error();
  }
  if (!goes_on) return Error{enforce::RefusalSentence(decision)};
  if (is_enforced) {
    // Even when no rule changed it: so that runc reads exactly what was checked.
    if (auto written = bundle->ReplaceConfig(decision.spec.Write()); !written) {
      // No container will come of what was recorded and logged.
      records->Remove(id);
      return logged_error(
          written.error().In("the bundle " + bundle->path() +
                             " must be writable so that runclad can replace config.json"));
    }
  }
  if (staged) {
    const std::string config = bundle->path() + "/config.json";
    if (auto covered = staged->staging.Cover(config, staged->spec.Write()); !covered) {
      records->Remove(id);
      return covered.error();
    }
  }
  return call.line.Canonical();
}

}  // namespace runclad::runtime
