// One container of a service's life: created on trial, started, probed, ended and removed.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/learn/learn.hpp"

#include "disturbance.hpp"
#include "docker.hpp"
#include "seen.hpp"
#include "trial.hpp"

namespace runclad::learn {

// What is run, the same each time.
struct Service {
  const Request& request;
  Image image;
  HostPolicy host;
  std::vector<std::string> volumes;  // of the image, except where the request mounts something
  // Volumes begin as empty directories owned by root, as is usual with `-v /srv/data:/data`, not
  // with the image's content.
  bool has_bare_volumes = false;

  [[nodiscard]] bool has_probe() const { return !request.probe.empty() || !image.health.empty(); }
};

// Options of `docker create` for each container of the service.
Words OptionsOf(const Service& service);

// How long one call of the probe may take: a HEALTHCHECK as long as it says itself, if that is more
// than usual.
std::chrono::seconds ProbeLimit(const Request& request, const Image& image);

// "first boot"
std::string PhaseOf(unsigned boot);

// The last line of a log that says what was denied; empty: there is none.
std::string DenialIn(std::string_view log);

Error Interrupted();

class Boot {
 public:
  // `number`: from 1. `expected`: how it must serve; null: however it does.
  Boot(const Service& service, unsigned number, const Serving* expected,
       std::chrono::milliseconds patience)
      : service_(service), number_(number), expected_(expected), patience_(patience) {}

  using MakeTrial = std::function<Result<Trial>(const std::string& id)>;
  Status Create(const Words& options, const Words& arguments, const MakeTrial& make_trial);

  Status Copy(const std::string& from, const std::string& to);
  // Starts it. No value: it was started; otherwise the reason why it was not.
  Result<std::optional<std::string>> Start();
  // Starts it and waits until it serves as expected. No value: it does; otherwise the symptom.
  Result<std::optional<std::string>> UntilItServes();
  Result<ContainerState> State();
  // Whether the probe succeeds; if not, `says` gets the end of its output.
  bool Probe(int pid, std::string& says);
  // The exit status after a signal; no value: it is still running when the time is up.
  Result<std::optional<int>> End(bool by_term);

  // Why what was seen does not count: what others did to the container. Empty: nothing is known.
  // `has_failed`: its failure would be a verdict.
  [[nodiscard]] std::string Disturbance(bool has_failed);

  [[nodiscard]] std::string Symptom(const std::string& what) const;
  [[nodiscard]] const std::string& id() const { return container_->id(); }
  [[nodiscard]] const Trial& trial() const { return *trial_; }
  [[nodiscard]] const Serving& serving() const { return serving_; }
  [[nodiscard]] bool is_slow() const { return is_slow_; }
  [[nodiscard]] std::chrono::milliseconds boot() const { return boot_; }

 private:
  bool IsAsExpected(std::string& last);
  template <typename Do>
  auto During(ActKind kind, Do act);
  // Before Docker forgets them, but not more often than once a second.
  void ReadEvents();

  const Service& service_;
  unsigned number_;
  const Serving* expected_;
  std::chrono::milliseconds patience_;
  // Of a learner that is killed, the next one finds the containers by their trials: the container
  // is removed first.
  std::optional<Trial> trial_;
  std::optional<Container> container_;
  std::optional<History> history_;
  std::chrono::steady_clock::time_point events_read_;
  std::vector<Act> acts_;
  Serving serving_;
  ContainerState last_;
  bool is_slow_ = false;
  std::chrono::milliseconds boot_{0};
};

}  // namespace runclad::learn
