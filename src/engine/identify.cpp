#include "runclad/engine/identify.hpp"

#include <utility>

#include "containerd_identity.hpp"
#include "docker_identity.hpp"
#include "image_names.hpp"
#include "storage_identity.hpp"

namespace runclad::engine {
namespace {

Status FillIn(const Layout& layout, const Call& call, Identity& identity, Pod& pod) {
  if (!layout.untrusted_record.empty()) {
    identity.unverified = {.names = {}, .digests = {}, .may_have_other_names = true};
    return Error{layout.untrusted_record + " can be modified by users other than root"};
  }
  switch (layout.engine) {
    case Engine::kDocker:
      return IdentifyDocker(layout, call, identity);
    case Engine::kContainerd:
      return IdentifyContainerd(layout, call, identity, pod);
    case Engine::kPodman:
    case Engine::kCrio:
      return IdentifyStorage(layout, call, identity, pod);
    case Engine::kBuildkit:
      return Error{"it is a build step"};
    case Engine::kUnknown:
      break;
  }
  return Error{"no engine's state was found for the bundle"};
}

}  // namespace

Identity Identify(const Layout& layout, const Call& call, Pod* pod) {
  Identity identity;
  identity.engine = layout.engine;
  Pod found;
  const Status is_known = FillIn(layout, call, identity, found);
  if (pod != nullptr) *pod = std::move(found);
  return Finish(std::move(identity), is_known);
}

}  // namespace runclad::engine
