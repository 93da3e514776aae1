#include "draft_facts.hpp"

#include <linux/magic.h>
#include <sys/prctl.h>
#include <sys/vfs.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/enforce/paper_facts.hpp"
#include "runclad/engine/own_files.hpp"
#include "runclad/host/kernel.hpp"
#include "runclad/host/lsm.hpp"
#include "runclad/host/namespaces.hpp"
#include "runclad/host/sources.hpp"
#include "runclad/privilege/capabilities.hpp"
#include "runclad/rules/catalog.hpp"
#include "runclad/rules/facts.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/rules/rule.hpp"
#include "runclad/rules/scan.hpp"
#include "runclad/store/records.hpp"

#include "bundles.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using Sources = std::map<std::string, host::SourceFacts>;

engine::Layout LayoutOf(engine::Engine engine, const draft::Host& host) {
  engine::Layout layout;
  layout.engine = engine;
  layout.namespace_directories = {"/run/netns", "/var/run/netns", "/run/docker/netns"};
  if (engine == engine::Engine::kDocker) {
    layout.data_root = host.docker_root;
    layout.run_directories = {"/run/docker", "/run/containerd"};
  } else if (engine == engine::Engine::kPodman) {
    layout.data_root = host.podman_root;
  } else {
    layout.data_root = host.containerd_root;
    layout.run_directories = {"/run/containerd"};
  }
  layout.data_directories = {layout.data_root};
  return layout;
}

// A document that contains only binds of these sources.
Result<oci::Spec> BindsOf(const std::vector<std::string>& sources) {
  json::Document document = {{"ociVersion", "1.0.2"}, {"mounts", json::Document::array()}};
  for (const std::string& source : sources) {
    document["mounts"].push_back(
        {{"destination", "/mnt"}, {"type", "bind"}, {"source", source}, {"options", {"rbind"}}});
  }
  return oci::Spec::Parse(document.dump());
}

class DraftFacts {
 public:
  DraftFacts(const draft::Draft& draft, const oci::Spec& spec, const policy::Effective& policy,
             const engine::Identity& identity, std::vector<std::string>& not_judged)
      : draft_(draft),
        spec_(spec),
        policy_(policy),
        identity_(identity),
        not_judged_(not_judged),
        lists_(rules::PathListsOf(policy.rule(rules::kHostMounts.schema))),
        layout_(LayoutOf(identity.engine, ThisHost())) {}

  Result<rules::Facts> Gather() {
    rules::Facts facts = enforce::FactsOnPaper(spec_, policy_, identity_, {});
    facts.Put(rules::ContainerName{draft_.id, {}});
    facts.Put(host::FindKernel(spec_));
    facts.Put(host::GatherLsm(spec_, identity_.engine));
    if (auto gathered = GatherSources(facts.Get<rules::Sources>()); !gathered) {
      return gathered.error();
    }
    GatherNamespaces(facts.Get<rules::Namespaces>());
    auto user_namespace = host::DescribeUserNamespace(spec_, facts.Get<rules::Namespaces>());
    // The user namespace of a sandbox that does not exist yet has the document's mappings.
    if (const auto mappings = spec_.uid_mappings(); !user_namespace && !mappings.empty()) {
      user_namespace =
          host::UserNamespaceFacts{.root = mappings.front().host_id, .has_host_ids = false};
    }
    facts.Put(std::move(user_namespace));
    auto& image = facts.Get<rules::ImageFacts>();
    rules::Scan scan = rules::FindScan(policy_.rule(rules::kImage.schema).parameters, identity_,
                                       std::time(nullptr));
    image.scan = std::move(scan.found);
    image.no_scan_because = std::move(scan.missing_because);
    return facts;
  }

 private:
  // Where a bind's source is or would be made, links followed.
  Result<std::string> PlaceOf(const std::string& source, bool& is_missing) const {
    std::error_code fault;
    is_missing = !fs::exists(source, fault);
    if (!is_missing) return source;
    if (std::ranges::find(draft_.made_if_missing, source) == draft_.made_if_missing.end()) {
      return Error{"the source " + Quoted(source) +
                   " of a mount does not exist: the engine itself would refuse this"};
    }
    const fs::path place = fs::weakly_canonical(source, fault);
    if (fault) return SystemError(source + " cannot be examined", fault.value());
    return place.string();
  }

  Status Judge(const std::vector<std::string>& sources, Sources& judged) const {
    const auto spec = BindsOf(sources);
    if (!spec) return spec.error();
    engine::OwnFiles own_files(layout_, {});
    host::GatherSources(*spec, lists_,
                        rules::ReadOnlyPaths(policy_.rule(rules::kReadOnlyMounts.schema)), "/",
                        own_files, judged);
    return {};
  }

  Status GatherSources(Sources& sources) const {
    for (const oci::Mount& mount : spec_.mounts()) {
      if (!mount.is_bind()) continue;
      auto described = Describe(mount.source, sources);
      if (!described) return described;
    }
    return {};
  }

  Status Describe(const std::string& source, Sources& sources) const {
    host::SourceFacts own;
    own.access = host::SourceFacts::Access::kEngineOwn;
    own.resolved = source;
    const bool is_own = std::ranges::find(draft_.engine_files, source) != draft_.engine_files.end();
    if (is_own) {
      sources[source] = std::move(own);
      return {};
    }
    const auto volume = draft_.volumes.find(source);
    if (volume != draft_.volumes.end() && !volume->second.starts_with('/')) {
      own.is_volume = true;
      sources[source] = std::move(own);
      return {};
    }
    const std::string& path = volume == draft_.volumes.end() ? source : volume->second;
    bool is_missing = false;
    const auto place = PlaceOf(path, is_missing);
    if (!place) return place.error();
    Sources judged;
    if (is_missing) {
      const auto spec = BindsOf({*place});
      if (!spec) return spec.error();
      host::DescribeNamedSources(
          *spec, lists_, rules::ReadOnlyPaths(policy_.rule(rules::kReadOnlyMounts.schema)), judged);
    } else if (auto done = Judge({*place}, judged); !done) {
      return done;
    }
    host::SourceFacts facts = std::move(judged[*place]);
    facts.is_volume = facts.is_volume || volume != draft_.volumes.end();
    sources[source] = std::move(facts);
    return {};
  }

  void GatherNamespaces(std::map<std::string, host::NamespaceFacts>& namespaces) const {
    using Owner = host::NamespaceFacts::Owner;
    host::GatherNamespaces(
        spec_, layout_, [](pid_t) { return std::string(); }, {}, namespaces);
    for (const auto& [path, joined] : draft_.namespaces) {
      host::NamespaceFacts& facts = namespaces[path];
      facts = {};
      switch (joined.whose) {
        case draft::Joined::Whose::kHost:
          facts.owner = Owner::kHost;
          break;
        case draft::Joined::Whose::kSandbox:
          facts.owner = Owner::kContainer;
          break;
        case draft::Joined::Whose::kContainer:
          facts.owner = Owner::kContainer;
          facts.container = joined.container;
          DescribeJoined(joined.container, facts);
      }
    }
  }

  void DescribeJoined(const std::string& name, host::NamespaceFacts& facts) const {
    const auto found = FindRunningContainer(name);
    if (!found) {
      const std::string sentence =
          "the container " + Quoted(name) +
          ", which it joins: it is not running, and is assumed to have been made "
          "by runclad";
      if (std::ranges::find(not_judged_, sentence) == not_judged_.end()) {
        not_judged_.push_back(sentence);
      }
      return;
    }
    facts.container = found->id;
    const auto records = store::Records::Open(host::RuntimeRootOf(*found), /*create=*/false);
    const auto life = records ? records->FindLife(found->id)
                              : Result<std::optional<store::Life>>(std::optional<store::Life>());
    const bool is_ours = life && life->has_value();
    if (is_ours) return;
    facts.owner = host::NamespaceFacts::Owner::kForeign;
    facts.container.clear();
  }

  const draft::Draft& draft_;
  const oci::Spec& spec_;
  const policy::Effective& policy_;
  const engine::Identity& identity_;
  std::vector<std::string>& not_judged_;
  host::PathLists lists_;
  engine::Layout layout_;
};

}  // namespace

draft::Host ThisHost() {
  draft::Host host;
  const auto empty = oci::Spec::Parse("{}");
  if (empty) {
    const host::KernelFacts kernel = host::FindKernel(*empty);
    host.kernel_major = kernel.major;
    host.kernel_minor = kernel.minor;
    host.architecture = kernel.architecture;
  }
  for (const std::string& name : privilege::AllCapabilities()) {
    const auto number = privilege::CapabilityNumber(name);
    if (number && ::prctl(PR_CAPBSET_READ, *number, 0, 0, 0) == 1) {
      host.capabilities.push_back(name);
    }
  }
  struct statfs status {};
  host.has_only_cgroup2 =
      ::statfs("/sys/fs/cgroup", &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC;
  std::error_code fault;
  host.has_apparmor = fs::exists("/sys/kernel/security/apparmor/profiles", fault);
  return host;
}

Result<enforce::Decision> DecideOn(const draft::Draft& draft, oci::Spec spec,
                                   const policy::Effective& policy,
                                   const engine::Identity& identity,
                                   std::vector<std::string>& not_judged) {
  const auto facts = DraftFacts(draft, spec, policy, identity, not_judged).Gather();
  if (!facts) return facts.error();
  return enforce::Decide(std::move(spec), policy, *facts, rules::Scope::kContainer);
}

}  // namespace runclad::ctl
