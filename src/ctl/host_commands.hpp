// The arguments of the commands that look at a host as a whole.
#pragma once

#include "doctor.hpp"
#include "metrics.hpp"
#include "rollout_commands.hpp"
#include "status.hpp"

namespace runclad::ctl {

class HostCommands {
 public:
  void AddDoctor(CLI::App& app, const AddCommand& add);
  void AddStatus(CLI::App& app, const AddCommand& add);
  void AddMetrics(CLI::App& app, const AddCommand& add);

 private:
  DoctorRequest doctor_;
  StatusRequest status_;
  MetricsRequest metrics_;
};

}  // namespace runclad::ctl
