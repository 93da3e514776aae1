#include "runclad/engine/identity.hpp"

namespace runclad::engine {

std::string_view Name(Engine engine) {
  switch (engine) {
    case Engine::kDocker:
      return "docker";
    case Engine::kContainerd:
      return "containerd";
    case Engine::kPodman:
      return "podman";
    case Engine::kCrio:
      return "cri-o";
    case Engine::kBuildkit:
      return "buildkit";
    case Engine::kUnknown:
      break;
  }
  return "unknown";
}

std::string_view Name(Tier tier) {
  switch (tier) {
    case Tier::kTag:
      return "tag";
    case Tier::kRepositoryDigest:
      return "repository-digest";
    case Tier::kDigest:
      return "digest";
    case Tier::kNone:
      break;
  }
  return "none";
}

}  // namespace runclad::engine
