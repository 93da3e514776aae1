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

}  // namespace runclad::engine
