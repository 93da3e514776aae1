// runcladctl: its commands and their options. In one file, as one list in the order in which --help
// prints them.
#include <algorithm>
#include <cstdio>
#include <exception>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include "runclad/base/printable.hpp"
#include "runclad/base/spelling.hpp"
#include "runclad/base/version.hpp"

#include "check_draft.hpp"
#include "commands.hpp"
#include "completion.hpp"
#include "host_commands.hpp"
#include "learn_command.hpp"
#include "look_commands.hpp"
#include "rollout_commands.hpp"

namespace runclad::ctl {
namespace {

// The arguments of every subcommand, and the one that was asked for.
class CommandLine {
 public:
  CommandLine() {
    app_.set_version_flag("--version", VersionLine());
    app_.require_subcommand(1);
    app_.footer("Example: runcladctl check /run/containerd/io.containerd.runtime.v2.task/moby/ID");
    AddCheck();
    AddRules();
    AddExplain();
    AddWhy();
    AddIdentify();
    AddPolicy();
    AddScan();
    AddConfigure();
    rollout_.AddBreakGlass(app_, Adder());
    rollout_.AddClose(app_, Adder());
    look_.AddTo(app_, run_);
    learn_.AddTo(app_, Adder());
    host_.AddDoctor(app_, Adder());
    host_.AddStatus(app_, Adder());
    host_.AddMetrics(app_, Adder());
    AddCompletion();
  }

  // What to print and the exit status; usage faults are errors.
  Result<Output> Run(int argc, const char* const* argv) {
    if (argc > 1) {
      const std::string_view command = argv[1];
      const std::vector<std::string_view> known = Commands();
      if (!command.starts_with('-') && std::ranges::find(known, command) == known.end()) {
        const std::string suggestion = Suggestion(command, known);
        return Error{"unknown command " + Quoted(command) +
                     (suggestion.empty() ? "; runcladctl --help lists them" : suggestion)};
      }
    }
    try {
      app_.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
      const CLI::App& command = Innermost();
      return Output{
          command.help(command.get_parent() == nullptr ? "" : NameOf(*command.get_parent()))};
    } catch (const CLI::CallForVersion&) {
      return Output{VersionLine() + "\n"};
    } catch (const CLI::ParseError& error) {
      return Error{std::string(error.what()) + "; see " + NameOf(Innermost()) + " --help"};
    }
    return run_();
  }

 private:
  [[nodiscard]] std::vector<std::string_view> Commands() const {
    std::vector<std::string_view> names;
    for (const CLI::App* command : app_.get_subcommands([](const CLI::App*) { return true; })) {
      names.emplace_back(command->get_name());
    }
    return names;
  }

  [[nodiscard]] const CLI::App& Innermost() const {
    const CLI::App* app = &app_;
    while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
    return *app;
  }

  static std::string VersionLine() { return "runcladctl " + std::string(VersionAndCommit()); }

  static std::string NameOf(const CLI::App& app) {
    return app.get_parent() == nullptr ? "runcladctl"
                                       : NameOf(*app.get_parent()) + " " + app.get_name();
  }

  CLI::App* Add(CLI::App& parent, const std::string& name, const std::string& description,
                const std::string& example, std::function<Result<Output>()> run) {
    CLI::App* command = parent.add_subcommand(name, description);
    command->footer("Example: " + example);
    command->callback([this, run = std::move(run)] { run_ = run; });
    return command;
  }

  AddCommand Adder() {
    return [this](CLI::App& parent, const std::string& name, const std::string& description,
                  const std::string& example, std::function<Result<Output>()> run) {
      return Add(parent, name, description, example, std::move(run));
    };
  }

  static void AddConfig(CLI::App& command, std::optional<std::string>& directory) {
    command.add_option("--config,--runclad-config", directory,
                       "The policy directory (default /etc/runclad)");
  }

  void AddCheck() {
    CLI::App* command =
        Add(app_, "check", "Show what runclad would do to a container, without changing it",
            "runcladctl check --all --profile restricted", [this] { return RunCheck(); });
    command->add_option("bundle", check_.target,
                        "A bundle, its config.json, or a running container's id or name");
    command->add_option("word", draft_.command_line,
                        "After --: docker run … or podman run …; after --compose: services");
    command->add_option("--compose", draft_.compose, "A compose file: check its services");
    command->add_option("--pod", draft_.pod,
                        "A Kubernetes manifest: check the containers of its pods");
    command->add_flag("--all", check_all_, "Check every running container of every engine");
    command->add_option("--process", process_, "A process.json: show what exec would get");
    command->add_option("--profile", check_.profile,
                        "Check under this profile in place of the policy's own");
    CLI::Option* as_json =
        command->add_flag("--json", check_.json, "Print findings and the document as JSON");
    command->add_flag("--sarif", check_.sarif, "Print the findings as SARIF 2.1.0")
        ->excludes(as_json);
    command->add_option("--image-config", draft_.image_config,
                        "The image's config, if no engine on this host has the image");
    AddImage(*command, check_.image);
    AddConfig(*command, check_.config_directory);
  }

  Result<Output> RunCheck() {
    if (!draft_.command_line.empty() || !draft_.compose.empty() || !draft_.pod.empty()) {
      return RunDraft();
    }
    if (!draft_.image_config.empty()) {
      return Error{"--image-config is for a container that does not exist yet"};
    }
    const int targets =
        (check_.target.empty() ? 0 : 1) + (process_.empty() ? 0 : 1) + (check_all_ ? 1 : 0);
    if (targets != 1)
      return Error{
          "check needs one of: a bundle or container, --process, --all, --compose, --pod, "
          "or a command line after --"};
    if (!check_.profile.empty()) {
      if (auto profile = LoadProfile(check_.profile); !profile) return profile.error();
    }
    if (check_all_) {
      if (!check_.image.is_empty()) return Error{"--all takes each image from its engine's state"};
      return CheckAll(check_, Style::OfStandardOutput());
    }
    check_.is_process = !process_.empty();
    if (check_.is_process) check_.target = process_;
    return Check(check_, Style::OfStandardOutput());
  }

  Result<Output> RunDraft() {
    std::vector<std::string> words = std::move(draft_.command_line);
    draft_.command_line.clear();
    if (!check_.target.empty()) words.insert(words.begin(), check_.target);
    const int files = (draft_.compose.empty() ? 0 : 1) + (draft_.pod.empty() ? 0 : 1);
    if (files > 1 || !process_.empty() || check_all_ || (!draft_.pod.empty() && !words.empty())) {
      return Error{"check takes one of: a command line after --, --compose, --pod"};
    }
    if (!check_.profile.empty()) {
      if (auto profile = LoadProfile(check_.profile); !profile) return profile.error();
    }
    (files == 0 ? draft_.command_line : draft_.services) = std::move(words);
    return CheckDraft(draft_, check_, Style::OfStandardOutput());
  }

  void AddRules() {
    CLI::App* command = Add(app_, "rules", "List the rules", "runcladctl rules", [this] {
      if (rules_as_manual_) return RulesManual();
      return ListRules(rules_as_json_, Style::OfStandardOutput());
    });
    CLI::Option* as_json =
        command->add_flag("--json", rules_as_json_, "Print everything about every rule as JSON");
    command->add_flag("--man", rules_as_manual_, "Print the manual page runclad-rules(7)")
        ->excludes(as_json);
  }

  void AddExplain() {
    CLI::App* command =
        Add(app_, "explain", "Describe one rule", "runcladctl explain capabilities", [this] {
          if (rule_as_markdown_) return RulePage(rule_);
          return Explain(rule_, Style::OfStandardOutput());
        });
    command->add_option("rule", rule_, "The rule's id")->required();
    command->add_flag("--markdown", rule_as_markdown_, "Print it as a page in Markdown");
  }

  void AddWhy() {
    CLI::App* command = Add(
        app_, "why", "Show what was done to a container and the policy lines that would allow it",
        "runcladctl why 3f2a9c", [this]() -> Result<Output> {
          if (why_.container.empty() != last_) {
            return Error{"why needs either a container or --last"};
          }
          return Why(why_, Style::OfStandardOutput());
        });
    command->add_option("container", why_.container,
                        "Its name, its id or a unique prefix of the id");
    command->add_flag("--last", last_, "The last container in the log");
    command->add_flag("--all", why_.all, "Show every change, also those that hardly matter");
    command->add_option("--root", why_.runtime_root,
                        "The runtime's --root, if several containers have the id");
    command->add_option("--log", why_.log_file, "The log to search (default: the policy's)");
    command->add_flag("--json", why_.json, "Print it as JSON");
    AddConfig(*command, why_.config_directory);
  }

  void AddIdentify() {
    CLI::App* command =
        Add(app_, "identify",
            "Show which image a container is made of and how far its names are trusted",
            "runcladctl identify 3f2a9c",
            [this] { return Identify(identify_, Style::OfStandardOutput()); });
    command
        ->add_option("container", identify_.container,
                     "Its bundle, its id or a unique prefix of the id")
        ->required();
    command->add_option("--root", identify_.runtime_root,
                        "The runtime's --root, if several containers have the id");
    command->add_flag("--json", identify_.json, "Print it as JSON");
  }

  static void AddImage(CLI::App& command, ImageRequest& image) {
    command.add_option("--image", image.name, "The image's name, as a user types it");
    command.add_option("--digest", image.digest, "The digest of its config (sha256:…)");
  }

  void AddPolicy() {
    CLI::App* policy = app_.add_subcommand("policy", "Check, print and write policy files");
    policy->require_subcommand(1);
    CLI::App* lint = Add(*policy, "lint", "Report the faults of a policy",
                         "runcladctl policy lint /etc/runclad", [this]() -> Result<Output> {
                           if (lint_as_json_ && lint_as_sarif_)
                             return Error{"use either --json or --sarif"};
                           if (lint_as_json_) lint_.format = LintFormat::kJson;
                           if (lint_as_sarif_) lint_.format = LintFormat::kSarif;
                           return LintPolicy(lint_, Style::OfStandardOutput());
                         });
    lint->add_flag("--json", lint_as_json_, "Print the findings as JSON");
    lint->add_flag("--sarif", lint_as_sarif_, "Print the findings as SARIF 2.1.0");
    lint->add_flag("--ci", lint_.is_checkout,
                   "Ignore owners and permissions: the directory is a checkout");
    CLI::App* schema = Add(*policy, "schema", "Print the JSON Schema of policy files",
                           "runcladctl policy schema image", [this] { return PrintSchema(sort_); });
    schema->add_option("sort", sort_, "policy, image, or shared (_default, digests, pods)")
        ->capture_default_str();
    CLI::App* show =
        Add(*policy, "show", "Print the policy that applies and where each value comes from",
            "runcladctl policy show --image nginx:1.27",
            [this] { return ShowPolicy(show_, Style::OfStandardOutput()); });
    AddImage(*show, show_.image);
    show->add_option("--container", show_.container, "Show the policy for this container's image");
    show->add_flag("--builds", show_.builds, "Show the policy for what BuildKit runs");
    show->add_flag("--json", show_.json, "Print it as JSON");
    AddConfig(*show, show_.config_directory);
    CLI::App* test = Add(*policy, "test", "Run tables of test cases against the policy",
                         "runcladctl policy test --config . cases.json",
                         [this] { return TestPolicy(test_, Style::OfStandardOutput()); });
    test->add_option("file", test_.files, "The files with the cases")->required();
    test->add_flag("--json", test_.json, "Print the results as JSON");
    test->add_option("--junit", test_.junit, "Also write the results to this file as JUnit XML");
    test->add_option("--shared", test_.shared,
                     "A directory with shipped image files, as /usr/share/runclad (default: none)");
    AddConfig(*test, test_.config_directory);
    AddPin(*policy);
    rollout_.AddToPolicy(*policy, Adder());
    lint->add_option("path", lint_.path, "Its directory or file (default /etc/runclad)");
  }

  void AddPin(CLI::App& policy) {
    CLI::App* pin =
        Add(policy, "pin", "Write an image's file, or change the digests that it pins",
            "runcladctl policy pin nginx --from-container 3f2a9c", [this] { return RunPin(); });
    pin->add_option("image", pin_.image, "The image's name (default: the name in the source)");
    pin->add_option("--from-container", pin_.container,
                    "The digests of this container's image: its id, a unique prefix of it, or its "
                    "name");
    pin->add_option("--image", pin_.stored_image,
                    "The digests of the image that an engine of this host has under this name");
    pin->add_option("--digest", pin_.digest, "This digest (sha256:…)");
    pin->add_flag("--add", pin_.add, "Add the digests to a file that exists");
    pin->add_flag("--remove", pin_.remove, "Remove the digests from the file");
    pin->add_flag("--all", pin_all_, "Pin the image of every running container");
    AddConfig(*pin, pin_.config_directory);
  }

  Result<Output> RunPin() {
    const int sources = (pin_.container.empty() ? 0 : 1) + (pin_.stored_image.empty() ? 0 : 1) +
                        (pin_.digest.empty() ? 0 : 1);
    if (pin_all_) {
      if (sources > 0 || pin_.remove || !pin_.image.empty()) {
        return Error{"--all pins what runs on this host: use it without an image and a source"};
      }
      return PinAll(pin_);
    }
    if (sources != 1) {
      return Error{"policy pin needs one of: --from-container, --image, --digest, --all"};
    }
    if (pin_.add && pin_.remove) return Error{"use either --add or --remove"};
    return PinImage(pin_);
  }

  void AddScan() {
    CLI::App* scan = app_.add_subcommand("scan", "Manage scan results of images");
    scan->require_subcommand(1);
    CLI::App* import =
        Add(*scan, "import", "Import a report of Trivy or Grype (JSON)",
            "runcladctl scan import nginx.trivy.json", [this] { return ImportScan(scan_); });
    import->add_option("file", scan_.file, "The report")->required();
    import->add_option("--digest", scan_.digest, "A digest of the image (sha256:…)");
    import->add_option("--state", scan_.state_directory,
                       "Where runclad keeps its state (default /var/lib/runclad)");
  }

  void AddConfigure() {
    CLI::App* add = Add(app_, "configure", "Register runclad with an engine",
                        "runcladctl configure docker --default --dry-run",
                        [this] { return Configure(configure_); });
    CLI::App* undo = Add(app_, "unconfigure", "Put an engine's configuration back",
                         "runcladctl unconfigure docker", [this] {
                           configure_.is_undone = true;
                           return Configure(configure_);
                         });
    for (CLI::App* command : {add, undo}) {
      configure::Request& what = configure_.what;
      command->add_option("engine", what.engine, "docker, containerd, crio, podman or buildkit")
          ->required();
      command->add_option("--name", what.name, "The runtime's name in the engine")
          ->capture_default_str();
      command->add_option("--config", what.config,
                          "The engine's configuration file (default: the one that it reads)");
      command->add_flag("--dry-run", what.is_dry_run, "Print the changes as a diff");
      command->add_option("--program", what.program,
                          "The runtime's file (default: the one installed with runcladctl)");
      command->add_option("--state", what.state_directory,
                          "Where runclad keeps its state (default /var/lib/runclad)");
      command->add_flag("--restart", what.wants_restart,
                        "Restart the engine's service if it has to be restarted");
    }
    add->add_flag("--default", configure_.what.is_default, "Make it the engine's default runtime");
    add->add_flag("--drop-in", configure_.what.wants_drop_in,
                  "Write a file of its own that the engine's main file imports");
    undo->add_flag("--final", configure_.what.is_final,
                   "Change nothing if containers still need the runtime's name");
  }

  void AddCompletion() {
    CLI::App* command = Add(app_, "completion", "Print a script that completes runcladctl's words",
                            "runcladctl completion bash >/etc/bash_completion.d/runcladctl",
                            [this] { return Completion(app_, shell_); });
    command->add_option("shell", shell_, "bash, zsh or fish")->required();
  }

  CLI::App app_{"Inspects runclad's decisions and manages its policy.", "runcladctl"};
  std::function<Result<Output>()> run_;
  CheckRequest check_;
  bool check_all_ = false;
  DraftRequest draft_;
  std::string process_;
  bool rules_as_json_ = false;
  bool rules_as_manual_ = false;
  bool rule_as_markdown_ = false;
  std::string rule_;
  WhyRequest why_;
  bool last_ = false;
  IdentifyRequest identify_;
  ShowRequest show_;
  TestRequest test_;
  PinRequest pin_;
  bool pin_all_ = false;
  LintRequest lint_;
  bool lint_as_json_ = false;
  bool lint_as_sarif_ = false;
  std::string sort_ = "policy";
  ScanRequest scan_;
  ConfigureRequest configure_;
  RolloutCommands rollout_;
  LookCommands look_;
  HostCommands host_;
  LearnCommand learn_;
  std::string shell_;
};

// One line, whatever the error quotes.
int Fail(const std::string& message) {
  std::ignore = std::fprintf(stderr, "runcladctl: %s\n", Printable(message).c_str());
  return kError;
}

int Main(int argc, const char* const* argv) {
  const Result<Output> output = CommandLine().Run(argc, argv);
  if (!output) return Fail(output.error().message);
  // Whatever a command took over from others, and did not escape itself.
  if (std::fputs(PrintableLines(output->text).c_str(), stdout) == EOF || std::fflush(stdout) != 0) {
    return Fail("standard output cannot be written");
  }
  return output->status;
}

}  // namespace
}  // namespace runclad::ctl

int main(int argc, char** argv) {
  try {
    return runclad::ctl::Main(argc, argv);
  } catch (const std::exception& exception) {
    return runclad::ctl::Fail(exception.what());
  }
}
