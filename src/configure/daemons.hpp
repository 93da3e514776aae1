// The engines' daemons that run on this host.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::configure {

struct Daemon {
  pid_t pid = 0;
  std::string program;  // its own file, as the kernel names it
  std::vector<std::string> argv;
  std::string unit;  // its systemd service; empty: none

  // The value of the last of these options ("--config", "-c"), in one argument or in two.
  [[nodiscard]] std::optional<std::string> Value(const std::vector<std::string>& options) const;
  [[nodiscard]] std::vector<std::string> Values(const std::vector<std::string>& options) const;
};

// Those of a program's name that root runs in our mount namespace: not those in containers, and not
// a program of another user that has an engine's name. `proc`: where /proc is.
std::vector<Daemon> FindDaemons(const std::string& name, const std::string& proc = "/proc");

// A daemon's own program is asked how it reads its configuration, as root. An error if a user other
// than root could have put another program in its place.
Status CheckDaemon(const std::string& program);

// Of several, the one that reads `config` (the default one is `default_config`); no value if it
// does not run. An error that lists them if there are several and `config` names none.
Result<std::optional<Daemon>> ChooseDaemon(const std::vector<Daemon>& daemons,
                                           const std::vector<std::string>& config_options,
                                           const std::string& default_config,
                                           const std::optional<std::string>& config);

// "systemctl restart docker.service", or words for a daemon without a unit.
std::string RestartCommand(const Daemon& daemon);
// Restarts its unit; an error if it has none.
Status Restart(const Daemon& daemon);

}  // namespace runclad::configure
