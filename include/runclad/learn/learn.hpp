// Finds the least that an image's service needs by running it, and proves it by taking grants away.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/learn/minimise.hpp"

namespace runclad::learn {

struct Request {
  std::string image;                       // named as for `docker run`
  std::vector<std::string> arguments;      // for its entrypoint
  std::vector<std::string> run_arguments;  // further options of `docker create`
  std::string probe;  // a shell command on the host; empty: the image's HEALTHCHECK, or else that
                      // the same ports and users are seen as without limits
  std::chrono::seconds probe_limit{0};               // for one call of the probe; 0: see ProbeLimit
  unsigned boots = 2;                                // how many containers run on the same volumes
  std::chrono::seconds boot_limit{60};               // until the probe succeeds without limits
  std::chrono::seconds stop_limit{10};               // after the signal
  std::string profile = "restricted";                // the profile that the file is for
  std::optional<std::string> config_directory;       // the host's policy
  bool needs_calls = false;                          // system calls are traced, or it is an error
  std::function<void(const std::string& line)> say;  // receives the progress
};

struct Learned {
  std::string repository;              // "docker.io/library/nginx"
  std::string image;                   // as it was named
  std::string digest;                  // of its config
  std::vector<std::string> arguments;  // for its entrypoint
  std::vector<std::string> volumes;    // those that were made for it
  std::vector<std::string> filled;     // writable directories in which the image has something
  std::string user;  // "999:999" of all its processes; empty: several, or root, or started so
  std::vector<std::string> calls;  // names of system calls that were seen, if they were needed
  std::string provenance;          // how it was proved
  std::string image_file;          // the file's text, JSON
  std::vector<Judged> judged;      // every grant that was tried, in that order
  std::vector<std::string> notes;  // what was seen, and what remains unknown
  unsigned lives = 0;              // how many times the service was run
};

// Runs containers of the image with Docker, through runclad, until it is known what the service
// needs, and removes them. SIGINT and SIGTERM end it early, with an error. Errors: the service does
// not work under the profile whatever it is granted, nothing can be proved, or Docker fails.
Result<Learned> Learn(const Request& request);

// The first process of a container that does nothing: waits for SIGTERM.
void DoNothing();

}  // namespace runclad::learn
