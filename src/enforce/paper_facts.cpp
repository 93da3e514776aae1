#include "runclad/enforce/paper_facts.hpp"

#include <map>
#include <string>
#include <utility>

#include "runclad/host/sources.hpp"
#include "runclad/rules/catalog.hpp"
#include "runclad/rules/parameters.hpp"

namespace runclad::enforce {
namespace {

constexpr std::uint32_t kStickyAndOpen = 01777;  // of /tmp
constexpr std::uint32_t kOrdinary = 0755;

void AddDirectories(const oci::Spec& spec, const policy::Effective& policy,
                    std::map<std::string, rules::DirectoryFacts>& directories) {
  if (spec.root_is_read_only()) return;
  const auto add = [&](const std::string& path, std::uint32_t mode) {
    directories[path] = {.kind = rules::DirectoryFacts::Kind::kDirectory, .mode = mode};
  };
  for (const std::string& path : rules::WritablePaths(policy.rule(rules::kReadOnlyRootfs.schema))) {
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
  facts.Put(identity);
  rules::ImageFacts image;
  image.mispinned_name = policy.image.mispinned_name;
  image.pinned_digests = policy.image.pinned;
  image.no_scan_because = "a test has no scan results";
  facts.Put(std::move(image));
  facts.Put(rules::ListedDevices{
      policy::Copied(rules::AllowedDevices(policy.rule(rules::kDevices.schema)))});
  rules::KernelFacts kernel;
  kernel.major = host.kernel_major;
  kernel.minor = host.kernel_minor;
  kernel.architecture = host.architecture;
  facts.Put(std::move(kernel));
  rules::LsmFacts lsm;
  lsm.apparmor = host.has_apparmor;
  lsm.selinux = host.has_selinux;
  if (host.has_apparmor) lsm.apparmor_default = "docker-default";
  facts.Put(std::move(lsm));
  facts.Get<rules::RootFacts>().kind = rules::RootFacts::Kind::kOrdinary;
  facts.Put(rules::ExecDirectories{
      policy::Copied(rules::ExecPaths(policy.rule(rules::kMountOptions.schema)))});
  host::DescribeNamedSources(spec, rules::PathListsOf(policy.rule(rules::kHostMounts.schema)),
                             rules::ReadOnlyPaths(policy.rule(rules::kReadOnlyMounts.schema)),
                             facts.Get<rules::Sources>());
  AddDirectories(spec, policy, facts.Get<rules::ImageDirectories>().by_path);
  return facts;
}

}  // namespace runclad::enforce
