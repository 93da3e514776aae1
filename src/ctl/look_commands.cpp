#include "look_commands.hpp"

#include <string>

#include <CLI/CLI.hpp>

#include "runclad/look/question.hpp"

namespace runclad::ctl {
namespace {

CLI::App* Add(CLI::App& app, const std::string& name, const std::string& description,
              const std::string& example) {
  CLI::App* command = app.add_subcommand(name, description);
  command->footer("Example: " + example);
  return command;
}

void AddRoots(CLI::App& command, std::vector<std::string>& roots) {
  command.add_option("--root", roots, "Look into this directory of a runtime, too (runc's --root)")
      ->allow_extra_args(false);
}

void AddAttach(CLI::App& command, look::LookOptions::Filters& filters) {
  using Filters = look::LookOptions::Filters;
  CLI::Option* all = command.add_flag_callback(
      "--attach", [&filters] { filters = Filters::kKernel; },
      "Stop a task of every container for a moment, to read its filters from the kernel");
  command
      .add_flag_callback(
          "--no-attach", [&filters] { filters = Filters::kDocument; },
          "Stop no task: take the filters from the containers' documents")
      ->excludes(all);
}

void AddNoAttach(CLI::App& command, look::Attach& attach) {
  command.add_flag_callback(
      "--no-attach", [&attach] { attach = look::Attach::kNo; },
      "Stop no task: answers that depend on the filters are then unknown");
}

std::string QuestionHelp() {
  std::vector<std::string_view> examples;
  for (const look::QuestionKind& kind : look::QuestionKinds()) examples.push_back(kind.example);
  return Joined(examples);
}

}  // namespace

void LookCommands::AddTo(CLI::App& app, std::function<Result<Output>()>& run) {
  AddPs(app, run);
  AddCan(app, run);
  AddScore(app, run);
  AddReport(app, run);
  AddDrift(app, run);
  AddShield(app, run);
}

void LookCommands::AddPs(CLI::App& app, std::function<Result<Output>()>& run) {
  CLI::App* command = Add(app, "ps", "Show what the kernel holds for every running container",
                          "runcladctl ps --wide");
  command->add_option("container", ps_.container,
                      "Everything about this one: its name, its id or a unique prefix of the id");
  CLI::Option* wide = command->add_flag("-w,--wide", ps_.is_wide, "Show more columns");
  CLI::Option* json = command->add_flag("--json", ps_.json, "Print it as JSON")->excludes(wide);
  command->add_option("--watch", ps_.watch_seconds, "Print it again after this many seconds")
      ->check(CLI::Range(1U, 86400U))
      ->excludes(json);
  AddAttach(*command, ps_.filters);
  AddRoots(*command, ps_.runtime_roots);
  command->callback([this, &run] { run = [this] { return Ps(ps_, Style::OfStandardOutput()); }; });
}

void LookCommands::AddCan(CLI::App& app, std::function<Result<Output>()>& run) {
  CLI::App* command =
      Add(app, "can", "Say whether a running container can do something, and what decides it",
          "runcladctl can web socket AF_ALG");
  command->add_option("container", can_.container, "Its name, its id or a unique prefix of the id")
      ->required();
  command->add_option("question", can_.question, QuestionHelp())->required();
  command->add_flag("--json", can_.json, "Print it as JSON");
  AddNoAttach(*command, can_.attach);
  AddRoots(*command, can_.runtime_roots);
  command->callback(
      [this, &run] { run = [this] { return Can(can_, Style::OfStandardOutput()); }; });
}

void LookCommands::AddScore(CLI::App& app, std::function<Result<Output>()>& run) {
  CLI::App* command = Add(app, "score", "Show how exposed running containers are, from 0.0 to 10.0",
                          "runcladctl score --threshold 6");
  command->add_option("container", score_.container,
                      "Every check of this one: its name, its id or a unique prefix of the id");
  command->add_option("--bundle", score_.bundle,
                      "A bundle or its config.json: what its document would give");
  command->add_option("--explain", score_.explain, "Describe a check");
  command->add_option("--threshold", score_.threshold,
                      "Exit with status 1 if a container is more exposed");
  command->add_option("--weights", score_.weights_file,
                      "A JSON file with weights of one's own: {\"seccomp\": 20}");
  command->add_option("--diff", score_files_, "Compare two files that score --json has written")
      ->expected(2);
  command->add_flag("--json", score_.json, "Print it as JSON");
  AddAttach(*command, score_.filters);
  AddRoots(*command, score_.runtime_roots);
  command->callback([this, &run] {
    run = [this] {
      if (score_files_.size() == 2) {
        score_.before = score_files_[0];
        score_.after = score_files_[1];
      }
      return ScoreContainers(score_, Style::OfStandardOutput());
    };
  });
}

void LookCommands::AddReport(CLI::App& app, std::function<Result<Output>()>& run) {
  CLI::App* command = Add(app, "report", "Write a report of the host's containers",
                          "runcladctl report --html --output report.html");
  const auto add = [&](const char* flag, const char* description, ReportFormat format) {
    command->add_flag_callback(
        flag, [this, format] { report_formats_.push_back(format); }, description);
  };
  add("--html", "One page that needs no other file and runs no script", ReportFormat::kHtml);
  add("--json", "Print it as JSON", ReportFormat::kJson);
  add("--sarif", "Print the checks that each container fails, as SARIF 2.1.0",
      ReportFormat::kSarif);
  add("--junit", "Print a test suite for each container, as JUnit XML", ReportFormat::kJunit);
  command->add_option("--output", report_.output,
                      "Write it to this file, which only root can read");
  command->add_option("--compare", report_.compare,
                      "Also show the results of docker-bench-security, from its JSON file");
  command->add_option("--config,--runclad-config", report_.config_directory,
                      "The policy directory (default /etc/runclad)");
  AddAttach(*command, report_.filters);
  AddRoots(*command, report_.runtime_roots);
  command->callback([this, &run] {
    run = [this]() -> Result<Output> {
      if (report_formats_.size() != 1) {
        return Error{"report needs one of --html, --json, --sarif and --junit"};
      }
      report_.format = report_formats_.front();
      return WriteReport(report_);
    };
  });
}

void LookCommands::AddDrift(CLI::App& app, std::function<Result<Output>()>& run) {
  CLI::App* command = Add(app, "drift", "Show what running containers have changed of their images",
                          "runcladctl drift --all");
  command->add_option("container", drift_.container,
                      "Its name, its id or a unique prefix of the id");
  command->add_flag("--all", drift_all_, "Every running container");
  command->add_flag("--json", drift_.json, "Print it as JSON");
  AddRoots(*command, drift_.runtime_roots);
  command->callback([this, &run] {
    run = [this]() -> Result<Output> {
      if (drift_.container.empty() != drift_all_) {
        return Error{"drift needs either a container or --all"};
      }
      return DriftOfContainers(drift_, Style::OfStandardOutput());
    };
  });
}

void LookCommands::AddShield(CLI::App& app, std::function<Result<Output>()>& run) {
  CLI::App* shield = app.add_subcommand(
      "shield", "Close a hole of the kernel for new containers, and show which are exposed to it");
  shield->require_subcommand(1);
  const auto add = [&](const char* name, const char* description, const char* example,
                       ShieldRequest::Action action) {
    CLI::App* command = Add(*shield, name, description, example);
    command->add_option("--config,--runclad-config", shield_.config_directory,
                        "The policy directory (default /etc/runclad)");
    command->add_option("--modprobe-directory", shield_.modprobe_directory,
                        "Where modprobe reads what it must not load (default /etc/modprobe.d)");
    command->callback([this, &run, action] {
      shield_.action = action;
      run = [this] { return RunShield(shield_, Style::OfStandardOutput()); };
    });
    return command;
  };
  CLI::App* addition = add("add", "Deny it to new containers", "runcladctl shield add af-alg",
                           ShieldRequest::Action::kAdd);
  addition->add_option("shield", shield_.what, "A file, or the id of a shield that is shipped")
      ->required();
  CLI::Option* signature = addition->add_option(
      "--signature", shield_.signature,
      "The file's signature (ssh-keygen -Y sign -n runclad-shield): others than root may own it");
  addition
      ->add_option("--signers", shield_.signers,
                   "The keys that may sign (default: allowed_signers in the policy directory)")
      ->needs(signature);
  add("remove", "Give new containers what they had before", "runcladctl shield remove af-alg",
      ShieldRequest::Action::kRemove)
      ->add_option("shield", shield_.what, "Its id")
      ->required();
  CLI::App* status = add("status", "Show which running containers are exposed",
                         "runcladctl shield status", ShieldRequest::Action::kStatus);
  status->add_flag("--json", shield_.json, "Print it as JSON");
  AddNoAttach(*status, shield_.attach);
  AddRoots(*status, shield_.runtime_roots);
}

}  // namespace runclad::ctl
