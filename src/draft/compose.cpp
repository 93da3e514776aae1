#include "runclad/draft/compose.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/sys/command.hpp"
#include "runclad/sys/named_file.hpp"

#include "compose_service.hpp"
#include "documents.hpp"
#include "values.hpp"
#include "variables.hpp"
#include "yaml.hpp"

namespace runclad::draft {
namespace {

namespace fs = std::filesystem;
using json::Document;

constexpr std::size_t kMaxComposeBytes = std::size_t{4} << 20;

Project ProjectOf(const std::string& path, const Document& file) {
  Project project;
  project.file = &file;
  project.directory = AbsolutePath(fs::path(AbsolutePath(path)).parent_path());
  project.name = ScalarOf(MemberOf(file, "name")).value_or("");
  if (!project.name.empty()) return project;
  for (const char c : fs::path(project.directory).filename().string()) {
    const char lower = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const bool is_kept = (lower >= 'a' && lower <= 'z') || (lower >= '0' && lower <= '9') ||
                         lower == '-' || lower == '_';
    if (is_kept) project.name += lower;
  }
  return project;
}

Status CheckTopLevel(const Document& file) {
  if (!file.is_object()) return Error{"the file is not a mapping"};
  constexpr std::string_view kKnown[] = {"configs", "models",   "name",    "networks",
                                         "secrets", "services", "version", "volumes"};
  for (const auto& [key, value] : file.items()) {
    if (key.starts_with("x-")) continue;
    if (key == "include") {
      return Error{"\"include\" needs docker compose, which is not installed here"};
    }
    if (std::ranges::find(kKnown, key) == std::end(kKnown)) {
      return Error{"unknown key " + Quoted(key) + Suggestion(key, kKnown)};
    }
  }
  if (!MemberOf(file, "services").is_object()) return Error{"the file has no \"services\""};
  return {};
}

// `is_resolved`: compose has already left out the services that it would not start.
Result<std::vector<Request>> RequestsOf(const Document& file, const ComposeRequest& asked,
                                        bool is_resolved) {
  if (auto checked = CheckTopLevel(file); !checked) return checked.error();
  const Project project = ProjectOf(asked.path, file);
  const Document& services = MemberOf(file, "services");
  for (const std::string& name : asked.services) {
    if (!services.contains(name)) return Error{"there is no service " + Quoted(name)};
  }
  std::vector<Request> requests;
  for (const auto& [name, service] : services.items()) {
    const bool is_named = std::ranges::find(asked.services, name) != asked.services.end();
    const Document& profiles = MemberOf(service, "profiles");
    const bool has_profile = profiles.is_array() && !profiles.empty();
    if (asked.services.empty() ? has_profile && !is_resolved : !is_named) continue;
    auto request = ReadService(name, service, project);
    if (!request) return request.error().In("service " + name);
    requests.push_back(*std::move(request));
  }
  if (requests.empty()) return Error{"the file has no service that would be started"};
  return requests;
}

}  // namespace

Result<std::vector<Request>> ReadPlainCompose(const ComposeRequest& asked) {
  const auto text = sys::ReadFile(asked.path, kMaxComposeBytes);
  if (!text) return text.error();
  auto documents = ReadYaml(*text);
  if (!documents) return documents.error().In(asked.path);
  if (documents->size() != 1) {
    return Error{asked.path + ": must be one YAML document, not " +
                 std::to_string(documents->size())};
  }
  const auto variables =
      ReadVariables(fs::path(AbsolutePath(asked.path)).parent_path().string() + "/.env");
  if (!variables) return variables.error();
  Document& file = documents->front();
  if (auto done = SubstituteAll(file, *variables); !done) return done.error().In(asked.path);
  auto requests = RequestsOf(file, asked, /*is_resolved=*/false);
  if (!requests) return requests.error().In(asked.path);
  return requests;
}

Result<std::vector<Request>> ReadCompose(const ComposeRequest& asked) {
  const auto version = sys::RunCommand({"docker", "compose", "version"});
  if (!version || version->status != 0) return ReadPlainCompose(asked);
  std::vector<std::string> command = {"docker", "compose",  "--file", asked.path,
                                      "config", "--format", "json"};
  command.insert(command.end(), asked.services.begin(), asked.services.end());
  // What the file includes from elsewhere is not fetched by root.
  const auto output =
      sys::RunCommand(command, {.environment = {{"COMPOSE_EXPERIMENTAL_GIT_REMOTE", "false"},
                                                {"COMPOSE_EXPERIMENTAL_OCI_REMOTE", "false"}}});
  if (!output) return output.error();
  if (output->status != 0) {
    return Error{"docker compose config does not accept " + asked.path + ": " + output->err};
  }
  const auto file = json::Read(output->out, {.keeps_numbers = true});
  if (!file) return file.error().In("docker compose config");
  // The output also lists the services' dependencies.
  auto requests = RequestsOf(*file, asked, /*is_resolved=*/true);
  if (!requests) return requests.error().In(asked.path);
  return requests;
}

}  // namespace runclad::draft
