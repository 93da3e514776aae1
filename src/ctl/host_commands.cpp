#include "host_commands.hpp"

namespace runclad::ctl {

void HostCommands::AddDoctor(CLI::App& app, const AddCommand& add) {
  CLI::App* command = add(app, "doctor", "Report what is wrong with this host, and how to fix it",
                          "runcladctl doctor --only roads",
                          [this] { return Doctor(doctor_, Style::OfStandardOutput()); });
  command->add_option("--only", doctor_.only, "Only this check or category; may be repeated");
  command->add_flag("--list", doctor_.list, "List the checks");
  CLI::Option* daily = command->add_flag(
      "--daily", doctor_.daily, "Print lines for the system log, as the timer's service does");
  command->add_flag("--json", doctor_.json, "Print it as JSON")->excludes(daily);
  command->add_option("--timeout", doctor_.limit, "Seconds for each question to an engine")
      ->capture_default_str()
      ->check(CLI::Range(1, 600));
  command->add_option("--program", doctor_.program,
                      "The runtime's file (default: the one installed with runcladctl)");
  command->add_option("--config,--runclad-config", doctor_.config_directory,
                      "The policy directory (default /etc/runclad)");
  // How the probe is called in its container.
  command->add_option("--inside", doctor_.inside)->group("");
}

void HostCommands::AddStatus(CLI::App& app, const AddCommand& add) {
  CLI::App* command =
      add(app, "status", "Show this host's engines, containers and policy", "runcladctl status",
          [this] { return ShowStatus(status_, Style::OfStandardOutput()); });
  command->add_flag("--json", status_.json, "Print it as JSON");
  command->add_option("--timeout", status_.limit, "Seconds for each question to an engine")
      ->capture_default_str()
      ->check(CLI::Range(1, 600));
  command->add_option("--program", status_.program,
                      "The runtime's file (default: the one installed with runcladctl)");
  command->add_option("--state", status_.state,
                      "Where runclad keeps its state (default /var/lib/runclad)");
  command->add_option("--config,--runclad-config", status_.config_directory,
                      "The policy directory (default /etc/runclad)");
}

void HostCommands::AddMetrics(CLI::App& app, const AddCommand& add) {
  CLI::App* command = add(app, "metrics", "Print this host's metrics for Prometheus",
                          "runcladctl metrics", [this] { return ShowMetrics(metrics_); });
  command->add_option("--textfile", metrics_.textfile,
                      "Write them to this file for node-exporter's textfile collector");
  command->add_option("--timeout", metrics_.limit, "Seconds for each question to an engine")
      ->capture_default_str()
      ->check(CLI::Range(1, 600));
  command->add_option("--program", metrics_.program,
                      "The runtime's file (default: the one installed with runcladctl)");
  command->add_option("--state", metrics_.state,
                      "Where runclad keeps its state (default /var/lib/runclad)");
  command->add_option("--config,--runclad-config", metrics_.config_directory,
                      "The policy directory (default /etc/runclad)");
}

}  // namespace runclad::ctl
