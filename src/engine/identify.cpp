#include "runclad/engine/identify.hpp"

#include <utility>

#include "containerd_identity.hpp"
#include "docker_identity.hpp"
#include "storage_identity.hpp"

namespace runclad::engine {
namespace {

Status FillIn(const Layout& layout, const Call& call, Identity& identity, Pod& pod) {
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
  return Error{"no engine's state was found beside the bundle"};
}

}  // namespace

Identity Identify(const Layout& layout, const Call& call, Pod* pod) {
  Identity identity;
  identity.engine = layout.engine;
  Pod found;
  const Status is_known = FillIn(layout, call, identity, found);
  if (pod != nullptr) *pod = std::move(found);
  if (is_known) return identity;
  // Nothing is left of what was found before the fault, but whose pod the engine says it is.
  Identity unknown;
  unknown.engine = layout.engine;
  unknown.pod_namespace = std::move(identity.pod_namespace);
  unknown.is_sandbox = identity.is_sandbox;
  unknown.unknown_because = is_known.error().message;
  return unknown;
}

}  // namespace runclad::engine
