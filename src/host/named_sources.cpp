// Sources of a host that exists on paper only, for tests of a policy.
#include <filesystem>
#include <utility>

#include "runclad/host/sources.hpp"
#include "runclad/oci/overlay.hpp"

#include "host_paths.hpp"

namespace runclad::host {
namespace {

using Access = SourceFacts::Access;

class NamedJudge {
 public:
  NamedJudge(const PathLists& lists, PathLists::List read_only)
      : policy_(NamedHostPaths(lists)),
        read_only_(NamedHostPaths({.deny = read_only})),
        has_read_only_(!read_only.empty()),
        is_allow_only_(lists.allow_only) {}

  [[nodiscard]] SourceFacts Of(const std::string& source) const {
    std::string path = std::filesystem::path(source).lexically_normal();
    while (path.size() > 1 && path.ends_with('/')) path.pop_back();
    Verdict verdict = policy_.Judge(path);
    SourceFacts facts;
    facts.access = verdict.access;
    facts.because = std::move(verdict.because);
    facts.list = verdict.is_denied_by_list ? SourceFacts::List::kDeny : SourceFacts::List::kNone;
    facts.allow = std::move(verdict.allow);
    facts.is_credential = verdict.is_credential;
    facts.resolved = path;
    facts.exact = path;
    const bool is_granted = facts.access == Access::kAllowed || facts.access == Access::kReadOnly;
    if (is_allow_only_ && is_granted && !verdict.is_listed && !verdict.is_data) {
      facts.access = Access::kDenied;
      facts.because = "is not on the list of what may be mounted";
      facts.list = SourceFacts::List::kMissing;
      facts.allow = path;
    }
    if (has_read_only_) facts.read_only_because = read_only_.Judge(path).because;
    return facts;
  }

 private:
  PathPolicy policy_;
  PathPolicy read_only_;
  bool has_read_only_;
  bool is_allow_only_;
};

}  // namespace

void DescribeNamedSources(const oci::Spec& spec, const PathLists& lists, PathLists::List read_only,
                          std::map<std::string, SourceFacts>& sources) {
  const NamedJudge judge(lists, read_only);
  const auto describe = [&](const std::string& source) {
    if (source.starts_with('/')) sources.try_emplace(source, judge.Of(source));
  };
  for (const oci::Mount& mount : spec.mounts()) {
    if (mount.is_bind()) describe(mount.source);
    const auto layers = oci::OverlayLayers(mount);
    if (!layers) continue;
    for (const oci::OverlayLayer& layer : *layers) describe(layer.path);
  }
}

}  // namespace runclad::host
