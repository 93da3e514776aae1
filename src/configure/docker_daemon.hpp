// Which dockerd is meant, and what it says of itself.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runclad/sys/command.hpp"

#include "daemons.hpp"
#include "document.hpp"
#include "files.hpp"
#include "report.hpp"

namespace runclad::configure {

struct Docker {
  std::optional<Daemon> daemon;    // no value: it does not run
  File file;                       // daemon.json
  std::string host;                // "unix:///var/run/docker.sock"
  std::string data;                // the data directory
  std::vector<std::string> hosts;  // all that it listens on; empty: the default one
  sys::CommandOptions options;     // of the client
};

// What the running daemon says.
struct DockerInfo {
  std::string default_runtime;
  Document runtimes;

  [[nodiscard]] std::string PathOf(const std::string& name) const {
    return TextAt(runtimes, {name, "path"}).value_or("");
  }
};

Result<Docker> FindDocker(const Request& request);
// Of a daemon that runs, or of the one that would read `config`.
Result<Docker> DescribeDocker(std::optional<Daemon> daemon,
                              const std::optional<std::string>& config);

// The output of the client for this daemon.
Result<std::string> AskDocker(const Docker& docker, std::vector<std::string> arguments);
Result<DockerInfo> InfoOf(const Docker& docker);

// The containers, stopped ones too, that name the runtime, or all others. Of a daemon that does not
// run, by its data directory.
Result<std::vector<Use>> DockerContainers(const Docker& docker, const std::string& name,
                                          bool of_name);

}  // namespace runclad::configure
