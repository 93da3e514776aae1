// BuildKit runs one program for every build step, and knows it by no name.
#include <filesystem>
#include <utility>

#include "runclad/sys/command.hpp"

#include "daemons.hpp"
#include "plan.hpp"
#include "report.hpp"
#include "surveys.hpp"

namespace runclad::configure {
namespace {

constexpr const char* kBuildkitConfig = "/etc/buildkit/buildkitd.toml";

struct Buildkit {
  std::optional<Daemon> daemon;
  File file;
  Owned owned;
};

Result<Buildkit> FindBuildkit(const Request& request) {
  auto daemon =
      ChooseDaemon(FindDaemons("buildkitd"), {"--config"}, kBuildkitConfig, request.config);
  if (!daemon) return daemon.error();
  Buildkit buildkit{std::move(*daemon), {}, {}};
  if (!request.config && !buildkit.daemon && sys::FindInPath("buildkitd").empty()) {
    return Error{"buildkitd is not installed (dockerd has a BuildKit of its own: README)"};
  }
  if (buildkit.daemon && buildkit.daemon->Value({"--oci-worker-binary"})) {
    return Error{
        "buildkitd (pid " + std::to_string(buildkit.daemon->pid) +
        ") is started with --oci-worker-binary, which comes before its file: set that to " +
        request.program + ", or remove it first"};
  }
  std::string config = kBuildkitConfig;
  if (buildkit.daemon) config = buildkit.daemon->Value({"--config"}).value_or(config);
  auto file = ReadFile(request.config.value_or(config));
  if (!file) return file.error();
  buildkit.file = std::move(*file);
  buildkit.owned = {
      Format::kToml, request.name,
      [program = request.program](const Document& tree, const Document* original, const Document&) {
        return BuildkitRestores(program, tree, original);
      }};
  return buildkit;
}

}  // namespace

Result<Report> RegisterBuildkit(const Request& request) {
  const auto buildkit = FindBuildkit(request);
  if (!buildkit) return buildkit.error();
  const Registration registration = {request.name, request.program, true};
  const Originals originals(request.state_directory, request.engine, request.name);
  const auto plan =
      PlanToSet(buildkit->file, buildkit->owned, BuildkitSettings(registration), originals);
  if (!plan) return plan.error();
  if (request.is_dry_run) return Report{DiffOf({*plan})};
  if (!IsNeeded({*plan})) return Report{buildkit->file.path + " has it already\n"};
  const auto committed = Commit(
      {*plan}, originals, [] { return Status(); }, [] {});
  if (!committed) return committed.error();
  return WithRestart(buildkit->daemon, "buildkitd", request,
                     buildkit->file.path + ": build steps run under " + request.program +
                         "; set \"builds\": \"build\" in the policy, so that they can write\n");
}

Result<Report> UnregisterBuildkit(const Request& request) {
  const auto buildkit = FindBuildkit(request);
  if (!buildkit) return buildkit.error();
  const Originals originals(request.state_directory, request.engine, request.name);
  const auto plan = PlanToUnset(buildkit->file, buildkit->owned, {}, originals);
  if (!plan) return plan.error();
  if (request.is_dry_run) return Report{DiffOf({*plan})};
  if (!IsNeeded({*plan}))
    return Report{NothingText(buildkit->file.path, {request.name, "", false}, {})};
  const auto committed = Commit(
      {*plan}, originals, [] { return Status(); }, [] {});
  if (!committed) return committed.error();
  return WithRestart(buildkit->daemon, "buildkitd", request,
                     BackText(buildkit->file.path, {request.name, "", false}, {}));
}

Survey SurveyBuildkit(const Daemon& daemon) {
  Survey survey = SurveyOf("buildkit", daemon);
  survey.place = daemon.Value({"--config"}).value_or(kBuildkitConfig);
  const auto file = ReadFile(survey.place);
  const auto parsed = file ? ParseToml(file->text()) : Result<Parsed>(file.error());
  if (!parsed) {
    survey.fault = parsed.error().In(survey.place).message;
    return survey;
  }
  survey.is_stale = IsNewerThan(survey.place, daemon);
  const Document* enabled = Find(parsed->tree, {"worker", "oci", "enabled"});
  if (enabled != nullptr && *enabled == Document(false)) return survey;
  survey.builder =
      daemon.Value({"--oci-worker-binary"})
          .value_or(TextAt(parsed->tree, {"worker", "oci", "binary"}).value_or("runc"));
  return survey;
}

}  // namespace runclad::configure
