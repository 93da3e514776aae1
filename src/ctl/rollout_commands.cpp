#include "rollout_commands.hpp"

namespace runclad::ctl {

void RolloutCommands::AddPlace(CLI::App& command) {
  command.add_option("--config,--runclad-config", place_.directory,
                     "The policy directory (default /etc/runclad)");
  command.add_option("--state", place_.state,
                     "Where runclad keeps its state (default /var/lib/runclad)");
}

void RolloutCommands::AddToPolicy(CLI::App& policy, const AddCommand& add) {
  CLI::App* apply =
      add(policy, "apply", "Put a policy in force if no running container would be refused",
          "runcladctl policy apply /root/policy --dry-run", [this] {
            apply_.place = place_;
            return ApplyPolicy(apply_, Style::OfStandardOutput());
          });
  apply->add_option("source", apply_.source,
                    "A directory or a signed bundle (default: the policy directory itself)");
  apply->add_flag("--force", apply_.is_forced,
                  "Apply it even if running containers would be refused");
  apply->add_flag("--dry-run", apply_.is_dry_run, "Check and try it, and change nothing");
  apply->add_option("--signers", apply_.signers,
                    "The keys that may sign bundles (default: allowed_signers in the policy "
                    "directory)");
  AddPlace(*apply);
  CLI::App* rollback = add(policy, "rollback", "Put the policy in force that was before",
                           "runcladctl policy rollback", [this] {
                             roll_back_.place = place_;
                             return RollBackPolicy(roll_back_);
                           });
  rollback->add_flag("--files", roll_back_.to_files,
                     "Put the files of the policy directory itself in force");
  AddPlace(*rollback);
  CLI::App* status =
      add(policy, "status", "Show which policy is in force, since when, and by whom",
          "runcladctl policy status",
          [this] { return ShowPolicyStatus(place_, status_as_json_, Style::OfStandardOutput()); });
  status->add_flag("--json", status_as_json_, "Print it as JSON");
  AddPlace(*status);
  CLI::App* bundle =
      add(policy, "bundle", "Pack a policy as one signed file",
          "runcladctl policy bundle . -o fleet.policy --revision 41 --key ~/.ssh/policy",
          [this] { return BundlePolicy(bundle_, Style::OfStandardOutput()); });
  bundle->add_option("directory", bundle_.directory, "The policy's directory")->required();
  bundle->add_option("-o,--output", bundle_.output, "The file to write")->required();
  bundle->add_option("--revision", bundle_.revision, "Its number; higher than the last one's")
      ->required();
  bundle->add_option("--not-after", bundle_.not_after,
                     "The last day on which it can be applied (2027-03-31)");
  bundle->add_option("--key", bundle_.key,
                     "The SSH key that signs it: a private key, or a public one of ssh-agent's");
}

void RolloutCommands::AddBreakGlass(CLI::App& app, const AddCommand& add) {
  CLI::App* command = add(app, "break-glass", "Enforce nothing for a time, and record everything",
                          "runcladctl break-glass --for 1h --reason 'INC-4711: nothing starts'",
                          [this] { return SwitchBreakGlass(break_glass_); });
  command->add_option("--for", break_glass_.time, "For how long: 30m or 2h, at most 24h");
  command->add_option("--reason", break_glass_.reason, "Why; every log line says it");
  command->add_flag("--end", break_glass_.is_end, "Enforce the policy again");
  command->add_flag("--json", break_glass_.json, "Print the switch as JSON");
}

void RolloutCommands::AddClose(CLI::App& app, const AddCommand& add) {
  CLI::App* close = add(app, "close", "Replace runc and crun with runclad", "runcladctl close runc",
                        [this] { return Close(close_, Style::OfStandardOutput()); });
  CLI::App* open =
      add(app, "open", "Take runclad out of the places of runc and crun", "runcladctl open",
          [this] { return Open(close_, Style::OfStandardOutput()); });
  for (CLI::App* command : {close, open}) {
    command->add_option("runtime", close_.runtimes, "runc, crun or a file (default: all of them)");
    command->add_option("--program", close_.program,
                        "runclad's file (default: the one installed with runcladctl)");
    command->add_option("--state", close_.state,
                        "Where runclad keeps its state (default /var/lib/runclad)");
  }
}

}  // namespace runclad::ctl
