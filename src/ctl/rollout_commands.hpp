// The arguments of the commands in rollout.hpp.
#pragma once

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "rollout.hpp"

namespace runclad::ctl {

// Makes a subcommand: parent, name, description, example, what it runs.
using AddCommand = std::function<CLI::App*(CLI::App&, const std::string&, const std::string&,
                                           const std::string&, std::function<Result<Output>()>)>;

class RolloutCommands {
 public:
  // Those of `runcladctl policy`.
  void AddToPolicy(CLI::App& policy, const AddCommand& add);
  void AddBreakGlass(CLI::App& app, const AddCommand& add);
  void AddClose(CLI::App& app, const AddCommand& add);

 private:
  void AddPlace(CLI::App& command);

  PolicyPlace place_;
  ApplyRequest apply_;
  RollBackRequest roll_back_;
  bool status_as_json_ = false;
  BundleRequest bundle_;
  BreakGlassRequest break_glass_;
  CloseRequest close_;
};

}  // namespace runclad::ctl
