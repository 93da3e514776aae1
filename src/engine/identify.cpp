#include "runclad/engine/identify.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "containerd_identity.hpp"
#include "docker_identity.hpp"
#include "storage_identity.hpp"

namespace runclad::engine {
namespace {

// What was read of the image before the fault.
std::optional<UnverifiedImage> Unverified(Identity& half_filled) {
  if (!half_filled.unverified) return std::nullopt;
  UnverifiedImage image = *std::move(half_filled.unverified);
  for (ImageName& name : half_filled.names) image.names.push_back(std::move(name.reference));
  std::ranges::sort(image.names, {}, &Reference::text);
  image.names.erase(std::unique(image.names.begin(), image.names.end()), image.names.end());
  return image;
}

Status FillIn(const Layout& layout, const Call& call, Identity& identity, Pod& pod) {
  if (!layout.untrusted_record.empty()) {
    identity.unverified = {.names = {}, .digests = {}, .may_have_other_names = true};
    return Error{layout.untrusted_record + " is not root's alone"};
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
  return Error{"no engine's state was found beside the bundle"};
}

}  // namespace

Identity Identify(const Layout& layout, const Call& call, Pod* pod) {
  Identity identity;
  identity.engine = layout.engine;
  Pod found;
  const Status is_known = FillIn(layout, call, identity, found);
  if (pod != nullptr) *pod = std::move(found);
  if (is_known) {
    identity.unverified.reset();
    return identity;
  }
  // Nothing else is left of what was found before the fault: not half an image, but which it would
  // be, and whose pod and which layer the engine says are the container's.
  Identity unknown;
  unknown.engine = layout.engine;
  unknown.pod_namespace = std::move(identity.pod_namespace);
  unknown.is_sandbox = identity.is_sandbox;
  unknown.own_layer = std::move(identity.own_layer);
  unknown.unverified = Unverified(identity);
  unknown.unknown_because = is_known.error().message;
  return unknown;
}

}  // namespace runclad::engine
