#include "daemons.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string_view>

#include "runclad/sys/command.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/named_file.hpp"
#include "runclad/sys/owned_path.hpp"
#include "runclad/sys/process.hpp"

namespace runclad::configure {
namespace {

namespace fs = std::filesystem;

std::string BaseName(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// In any hierarchy: "0::/system.slice/docker.service".
std::string UnitOf(const fs::path& process) {
  std::istringstream lines(sys::ContentOf(process / "cgroup"));
  for (std::string line; std::getline(lines, line);) {
    const std::string name = BaseName(line);
    if (name.ends_with(".service")) return name;
  }
  return {};
}

std::optional<Daemon> Read(const fs::path& process, const std::string& name) {
  std::error_code fault;
  constexpr std::string_view kDeleted = " (deleted)";  // an upgrade replaced the program
  std::string program = fs::read_symlink(process / "exe", fault);
  if (fault) return std::nullopt;
  if (program.ends_with(kDeleted)) program.resize(program.size() - kDeleted.size());
  if (BaseName(program) != name) return std::nullopt;
  Daemon daemon{.program = program, .argv = {}, .unit = UnitOf(process)};
  std::istringstream arguments(sys::ContentOf(process / "cmdline"));
  for (std::string argument; std::getline(arguments, argument, '\0');) {
    daemon.argv.push_back(argument);
  }
  // dockerd starts itself under other names for what it does in other namespaces.
  if (daemon.argv.empty() || BaseName(daemon.argv.front()) != name) return std::nullopt;
  daemon.pid = static_cast<pid_t>(std::stol(process.filename()));
  return daemon;
}

std::string NameOf(const fs::path& path) {
  std::error_code fault;
  const fs::path canonical = fs::weakly_canonical(path, fault);
  return fault ? path.string() : canonical.string();
}

}  // namespace

std::vector<std::string> Daemon::Values(const std::vector<std::string>& options) const {
  std::vector<std::string> values;
  for (std::size_t index = 1; index < argv.size(); ++index) {
    for (const std::string& option : options) {
      if (argv[index] == option && index + 1 < argv.size()) values.push_back(argv[index + 1]);
      if (argv[index].starts_with(option + "=")) {
        values.push_back(argv[index].substr(option.size() + 1));
      }
    }
  }
  return values;
}

std::optional<std::string> Daemon::Value(const std::vector<std::string>& options) const {
  const std::vector<std::string> values = Values(options);
  if (values.empty()) return std::nullopt;
  return values.back();
}

std::vector<Daemon> FindDaemons(const std::string& name, const std::string& proc) {
  std::vector<Daemon> daemons;
  std::error_code fault;
  const fs::path ours = fs::read_symlink(proc + "/self/ns/mnt", fault);
  for (const std::string& number : sys::NamesIn(proc)) {
    if (number.find_first_not_of("0123456789") != std::string::npos) continue;
    const fs::path process = fs::path(proc) / number;
    std::error_code gone;
    if (fs::read_symlink(process / "ns/mnt", gone) != ours || gone) continue;
    if (!sys::RunsAsRoot(process)) continue;
    if (auto daemon = Read(process, name)) daemons.push_back(std::move(*daemon));
  }
  std::ranges::sort(daemons, {}, &Daemon::pid);
  return daemons;
}

Status CheckDaemon(const std::string& program) {
  if (sys::OnlyRootCouldReplace(program)) return {};
  return Error{program +
               " could be replaced by users other than root, and is therefore not asked for its "
               "configuration; move it to a directory that only root can change"};
}

Result<std::optional<Daemon>> ChooseDaemon(const std::vector<Daemon>& daemons,
                                           const std::vector<std::string>& config_options,
                                           const std::string& default_config,
                                           const std::optional<std::string>& config) {
  const auto config_of = [&](const Daemon& daemon) {
    return NameOf(daemon.Value(config_options).value_or(default_config));
  };
  if (config) {
    for (const Daemon& daemon : daemons) {
      if (config_of(daemon) == NameOf(*config)) return std::optional(daemon);
    }
    return std::optional<Daemon>();
  }
  if (daemons.empty()) return std::optional<Daemon>();
  if (daemons.size() == 1) return std::optional(daemons.front());
  std::string list;
  for (const Daemon& daemon : daemons) {
    list += (list.empty() ? "" : ", ") + config_of(daemon) + " (" + daemon.program + ", pid " +
            std::to_string(daemon.pid) + ")";
  }
  return Error{"several run on this host; choose one by its configuration with --config FILE: " +
               list};
}

std::string RestartCommand(const Daemon& daemon) {
  if (!daemon.unit.empty()) return "systemctl restart " + daemon.unit;
  return "a restart of " + daemon.program + " (pid " + std::to_string(daemon.pid) + ")";
}

Status Restart(const Daemon& daemon) {
  if (daemon.unit.empty()) {
    return Error{daemon.program + " (pid " + std::to_string(daemon.pid) +
                 ") is not a systemd service; restart it yourself, without --restart"};
  }
  constexpr std::chrono::seconds kLimit(120);
  const auto output =
      sys::RunCommand({"systemctl", "restart", daemon.unit}, {.limit = kLimit, .environment = {}});
  if (!output) return output.error();
  if (output->status != 0) return Error{"systemctl restart " + daemon.unit + ": " + output->err};
  return {};
}

}  // namespace runclad::configure
