// Registers runclad with an engine, and takes it back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"

namespace runclad::configure {

inline constexpr std::string_view kEngines[] = {"docker", "containerd", "crio", "podman",
                                                "buildkit"};

struct Request {
  std::string engine;            // one of kEngines
  std::string name = "runclad";  // the runtime's name in the engine
  std::string program;           // runclad's, absolute
  std::optional<std::string>
      config;  // the engine's configuration file; no value: as the engine says
  bool is_default = false;
  bool is_dry_run = false;
  bool wants_drop_in = false;
  bool wants_restart = false;
  bool is_final = false;        // Unregister: an error where containers still need the name
  std::string state_directory;  // where the files are kept as they were before
};

struct Report {
  std::string text;  // lines for an operator, or a unified diff
  bool is_refused = false;
};

// The engine is asked what it has; its files are changed in one step, checked by the engine itself,
// and put back if that fails. Done twice, it changes nothing.
Result<Report> Register(const Request& request);

// The engine's files are as before. Where containers of the engine still name the runtime, the name
// stays and leads to the lower runtime, so that they start.
Result<Report> Unregister(const Request& request);

}  // namespace runclad::configure
