// The subcommands that look at running containers, and their command line.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runclad/look/container.hpp"
#include "runclad/look/filters.hpp"

#include "commands.hpp"

namespace CLI {
class App;
}

namespace runclad::ctl {

struct PsRequest {
  std::string container;  // an id, the beginning of one or a name: everything about it; empty: all
  bool is_wide = false;
  bool json = false;
  unsigned watch_seconds = 0;  // print again after that many seconds; 0: once
  // kKernel stops a task of each container for a moment to read its filters.
  look::LookOptions::Filters filters = look::LookOptions::Filters::kWhereNeeded;
  std::vector<std::string> runtime_roots;  // beside the known ones
};
// Every running container, with what the kernel holds for it.
Result<Output> Ps(const PsRequest& request, const Style& style);

struct CanRequest {
  std::string container;              // an id, the beginning of one or a name
  std::vector<std::string> question;  // "socket", "AF_ALG"
  bool json = false;
  look::Attach attach = look::Attach::kYes;
  std::vector<std::string> runtime_roots;
};
// Whether the container can do something. Status: 0 yes, 1 no, 2 unknown.
Result<Output> Can(const CanRequest& request, const Style& style);

struct ScoreRequest {
  std::string container;  // an id, the beginning of one or a name: every check; empty: all
  std::string bundle;     // or its config.json: by the document alone; empty: running containers
  std::string explain;    // a check's id: its page
  std::string weights_file;
  std::string before;  // with `after`: compare two files that were written with json
  std::string after;
  std::optional<double> threshold;  // status 1 if one is more exposed
  bool json = false;
  look::LookOptions::Filters filters = look::LookOptions::Filters::kWhereNeeded;
  std::vector<std::string> runtime_roots;
};
// How exposed the containers are, the most exposed one first.
Result<Output> ScoreContainers(const ScoreRequest& request, const Style& style);

enum class ReportFormat { kHtml, kJson, kSarif, kJunit };
struct ReportRequest {
  ReportFormat format = ReportFormat::kHtml;
  std::string output;   // a file, which only its owner can read; empty: standard output
  std::string compare;  // a result file of docker-bench-security; empty: none
  look::LookOptions::Filters filters = look::LookOptions::Filters::kWhereNeeded;
  std::optional<std::string> config_directory;
  std::vector<std::string> runtime_roots;
};
// The whole host in one document.
Result<Output> WriteReport(const ReportRequest& request);

struct DriftRequest {
  std::string container;  // empty: all
  bool json = false;
  std::vector<std::string> runtime_roots;
};
// What the containers have changed of their images. Status: 0 nothing, 1 something, 3 unknown.
Result<Output> DriftOfContainers(const DriftRequest& request, const Style& style);

struct ShieldRequest {
  enum class Action { kAdd, kRemove, kStatus };
  Action action = Action::kStatus;
  std::string what;            // add: a file, or the id of one that is shipped; remove: an id
  std::string signature = {};  // add: of the file, by a key that `signers` names; empty: not signed
  std::string signers = {};    // empty: allowed_signers of the policy directory
  std::string modprobe_directory = {};  // empty: /etc/modprobe.d
  bool json = false;
  look::Attach attach = look::Attach::kYes;
  std::optional<std::string> config_directory;
  std::vector<std::string> runtime_roots;
};
// Closes a hole for every new container, or says who is exposed. Status of the latter: 1 if a
// container is not closed.
Result<Output> RunShield(const ShieldRequest& request, const Style& style);

class LookCommands {
 public:
  // Whichever subcommand is asked for puts itself into `run`. Both must outlive this.
  void AddTo(CLI::App& app, std::function<Result<Output>()>& run);

 private:
  void AddPs(CLI::App& app, std::function<Result<Output>()>& run);
  void AddCan(CLI::App& app, std::function<Result<Output>()>& run);
  void AddScore(CLI::App& app, std::function<Result<Output>()>& run);
  void AddReport(CLI::App& app, std::function<Result<Output>()>& run);
  void AddDrift(CLI::App& app, std::function<Result<Output>()>& run);
  void AddShield(CLI::App& app, std::function<Result<Output>()>& run);

  PsRequest ps_;
  CanRequest can_;
  ScoreRequest score_;
  std::vector<std::string> score_files_;
  ReportRequest report_;
  std::vector<ReportFormat> report_formats_;  // that were asked for
  DriftRequest drift_;
  bool drift_all_ = false;
  ShieldRequest shield_;
};

}  // namespace runclad::ctl
