#include "runclad/enforce/paper_facts.hpp"

#include "runclad/host/sources.hpp"
#include "runclad/rules/parameters.hpp"

namespace runclad::enforce {
namespace {

constexpr std::uint32_t kStickyAndOpen = 01777;  // of /tmp
constexpr std::uint32_t kOrdinary = 0755;

void AddDirectories(const oci::Spec& spec, const policy::Effective& policy, rules::Facts& facts) {
  if (spec.root_is_read_only()) return;
  const auto add = [&](const std::string& path, std::uint32_t mode) {
    facts.directories[path] = {.kind = rules::DirectoryFacts::Kind::kDirectory, .mode = mode};
  };
  for (const std::string& path : rules::WritablePaths(policy.rule("read-only-rootfs").parameters)) {
    add(path, kOrdinary);
  }
  add("/tmp", kStickyAndOpen);
  add("/var/tmp", kStickyAndOpen);
  add("/run", kOrdinary);
}

}  // namespace

rules::Facts FactsOnPaper(const oci::Spec& spec, const policy::Effective& policy,
                          const engine::Identity& identity, const PaperHost& host) {
  rules::Facts facts;
  facts.identity = identity;
  facts.mispinned_name = policy.image.mispinned_name;
  facts.pinned_digests = policy.image.pinned;
  facts.no_scan_because = "a test has no scan results";
  facts.listed_devices = policy::Copied(rules::AllowedDevices(policy.rule("devices").parameters));
  facts.kernel.major = host.kernel_major;
  facts.kernel.minor = host.kernel_minor;
  facts.kernel.architecture = host.architecture;
  facts.lsm.apparmor = host.has_apparmor;
  facts.lsm.selinux = host.has_selinux;
  if (host.has_apparmor) facts.lsm.apparmor_default = "docker-default";
  facts.root.kind = rules::RootFacts::Kind::kOrdinary;
  facts.exec_paths = policy::Copied(rules::ExecPaths(policy.rule("mount-options").parameters));
  const policy::RuleSetting& read_only = policy.rule("read-only-mounts");
  const bool wants_read_only = read_only.action != policy::Action::kOff;
  host::DescribeNamedSources(
      spec, rules::PathListsOf(policy.rule("host-mounts").parameters),
      wants_read_only ? rules::ReadOnlyPaths(read_only.parameters) : policy::StringList(),
      facts.sources);
  AddDirectories(spec, policy, facts);
  return facts;
}

}  // namespace runclad::enforce
