// Which engine called, and which image the container is made of, on whose word.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace runclad::engine {

enum class Engine { kUnknown, kDocker, kContainerd, kPodman, kCrio, kBuildkit };

std::string_view Name(Engine engine);  // "docker"

// What is known of a container's image. Everything empty: unknown, and `unknown_because` says why.
struct Identity {
  Engine engine = Engine::kUnknown;
  std::string config_digest;  // "sha256:…"
  std::vector<std::string> names;
  std::string unknown_because;
};

}  // namespace runclad::engine
