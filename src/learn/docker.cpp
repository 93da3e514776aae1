#include "docker.hpp"

#include <unistd.h>

#include <algorithm>
#include <charconv>

#include <nlohmann/json.hpp>

#include "runclad/base/printable.hpp"
#include "runclad/enforce/own_line.hpp"
#include "runclad/engine/reference.hpp"
#include "runclad/json/reader.hpp"

namespace runclad::learn {
namespace {

using json::Document;

constexpr std::chrono::seconds kLimit(60);

std::string LastLine(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  const std::size_t begin = text.rfind('\n');
  return Printable(begin == std::string_view::npos ? text : text.substr(begin + 1));
}

Result<sys::CommandOutput> Ask(Words command, std::chrono::seconds limit = kLimit) {
  command.insert(command.begin(), "docker");
  return sys::RunCommand(command, {.limit = limit, .environment = {}});
}

// Its standard output, without the last end of line.
Result<std::string> OutputOf(const Words& command, std::chrono::seconds limit = kLimit) {
  auto output = Ask(command, limit);
  if (!output) return output.error();
  if (output->status != 0) {
    return Error{"docker " + command.front() + " failed: " + LastLine(output->err)};
  }
  while (output->out.ends_with('\n')) output->out.pop_back();
  return std::move(output->out);
}

Status Done(const Words& command, std::chrono::seconds limit = kLimit) {
  const auto output = OutputOf(command, limit);
  return output ? Status() : Status(output.error());
}

Words LinesOf(const std::string& text) {
  Words lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (end > at) lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// "CMD", "curl", … or "CMD-SHELL", "curl …".
Words HealthOf(const Document& config) {
  const auto health = config.find("Healthcheck");
  if (health == config.end() || !health->is_object()) return {};
  const auto test = health->find("Test");
  if (test == health->end() || !test->is_array()) return {};
  Words words;
  for (const Document& word : *test) {
    if (!word.is_string()) return {};
    words.push_back(word.get<std::string>());
  }
  if (words.size() < 2) return {};  // "NONE"
  const std::string kind = words.front();
  words.erase(words.begin());
  if (kind == "CMD") return words;
  if (kind == "CMD-SHELL") return {"/bin/sh", "-c", words.front()};
  return {};
}

std::chrono::nanoseconds HealthLimitOf(const Document& config) {
  const auto health = config.find("Healthcheck");
  if (health == config.end() || !health->is_object()) return {};
  const auto timeout = health->find("Timeout");
  if (timeout == health->end() || !timeout->is_number_integer()) return {};
  return std::chrono::nanoseconds(std::max<std::int64_t>(timeout->get<std::int64_t>(), 0));
}

void RemoveVolume(const std::string& name) {
  static_cast<void>(Ask({"volume", "rm", "--force", name}));
}

}  // namespace

Result<Image> ReadImage(const std::string& text, const std::string& name) {
  // A time zone's offset or a nanosecond is not a number here, and Docker writes sizes as integers.
  const auto document = json::Read(text, {.keeps_numbers = true});
  if (!document) return document.error().In("docker image inspect");
  const Error odd{"docker image inspect printed something unexpected"};
  if (!document->is_array() || document->size() != 1 || !(*document)[0].is_object()) return odd;
  const Document& entry = (*document)[0];
  Image image;
  const auto id = entry.find("Id");
  const auto config = entry.find("Config");
  if (id == entry.end() || !id->is_string() || config == entry.end() || !config->is_object()) {
    return odd;
  }
  image.id = id->get<std::string>();
  if (!engine::IsSha256Digest(image.id)) return odd;
  if (const auto user = config->find("User"); user != config->end() && user->is_string()) {
    image.user = user->get<std::string>();
  }
  if (const auto paths = config->find("Volumes"); paths != config->end() && paths->is_object()) {
    for (const auto& [path, unused] : paths->items()) image.volumes.push_back(path);
  }
  image.health = HealthOf(*config);
  image.health_limit = HealthLimitOf(*config);
  const bool is_id = image.id.find(name) != std::string::npos;  // "sha256:…" or a part of it
  if (const auto reference = engine::ParseReference(name); reference && !is_id) {
    image.repository = reference->repository;
  }
  return image;
}

Result<Image> InspectImage(const std::string& name) {
  const auto text = OutputOf({"image", "inspect", "--", name});
  if (!text) return text.error();
  return ReadImage(*text, name);
}

Result<std::string> CreateContainer(const Words& options, const Image& image,
                                    const Words& arguments) {
  static unsigned count = 0;
  const std::string name = kNamePrefix + std::to_string(::getpid()) + "-" + std::to_string(++count);
  Words command = {"create", "--label", kLabel, "--name", name};
  command.insert(command.end(), options.begin(), options.end());
  command.push_back(image.id);
  command.insert(command.end(), arguments.begin(), arguments.end());
  return OutputOf(command);
}

Result<std::optional<std::string>> StartContainer(const std::string& id) {
  const auto output = Ask({"start", id});
  if (!output) return output.error();
  if (output->status == 0) return std::optional<std::string>();
  const std::string refusal = enforce::OwnLineIn(output->err);
  return std::optional(refusal.empty() ? LastLine(output->err) : Printable(refusal));
}

Result<ContainerState> StateOf(const std::string& id) {
  const auto text = OutputOf({"inspect", "--type", "container", "--format",
                              "{{.State.Running}}\n{{.State.Pid}}\n{{.State.ExitCode}}\n"
                              "{{.State.OOMKilled}}",
                              id});
  if (!text) return text.error();
  const Words lines = LinesOf(*text);
  if (lines.size() != 4) return Error{"docker inspect printed something unexpected"};
  const auto number = [](const std::string& line, int& value) {
    std::from_chars(line.data(), line.data() + line.size(), value);
  };
  ContainerState state;
  state.is_running = lines[0] == "true";
  number(lines[1], state.pid);
  number(lines[2], state.exit_status);
  state.was_out_of_memory = lines[3] == "true";
  return state;
}

Result<std::vector<Event>> EventsSince(std::int64_t since) {
  const auto seconds = [](std::int64_t time) {
    constexpr std::int64_t kPerSecond = 1'000'000'000;
    std::string fraction = std::to_string(kPerSecond + time % kPerSecond);
    fraction.front() = '.';
    return std::to_string(time / kPerSecond) + fraction;
  };
  const auto text = OutputOf({"events", "--since", seconds(since), "--until",
                              seconds(NanosecondsNow()), "--format", kEventFormat});
  if (!text) return text.error();
  return ReadEvents(*text);
}

Status SendSignal(const std::string& id, const std::string& signal) {
  return Done({"kill", "--signal", signal, id});
}

Status StopContainer(const std::string& id, std::chrono::seconds limit) {
  return Done({"stop", "--time", std::to_string(limit.count()), id}, limit + kLimit);
}

std::string LogsOf(const std::string& id) {
  const auto output = Ask({"logs", "--tail", "200", id});
  return output ? output->out + output->err : std::string();
}

Status CopyInto(const std::string& id, const std::string& from, const std::string& to) {
  return Done({"cp", "--follow-link", from, id + ":" + to});
}

bool HasContent(const std::string& id, const std::string& path) {
  // The archive's first header is the directory's own, and the second one says how far it goes; a
  // directory with extended attributes has another one in front, which counts as content.
  constexpr std::size_t kHeader = 512;
  const auto output = sys::RunCommand(
      {"/bin/sh", "-c", "docker cp --follow-link \"$0:$1/.\" - | head -c 1024", id, path},
      {.limit = kLimit, .environment = {}});
  return output && output->out.size() > kHeader && output->out[kHeader] != 0;
}

// The client reads comma-separated values, in which the last of two equal keys counts.
std::string MountOption(const std::string& volume, const std::string& path, bool is_bare) {
  std::string target;
  for (const char c : path) target += c == '"' ? std::string("\"\"") : std::string(1, c);
  return "type=volume,source=" + volume + ",\"target=" + target + '"' +
         (is_bare ? ",volume-nocopy" : "");
}

Status RemoveContainer(const std::string& id) {
  const auto output = Ask({"rm", "--force", "--volumes", id});
  if (!output) return output.error();
  const bool is_gone =
      output->status == 0 || output->err.find("No such container") != std::string::npos;
  if (is_gone) return {};
  return Error{"the container " + id + " cannot be removed: " + LastLine(output->err)};
}

Container::~Container() { static_cast<void>(RemoveContainer(id_)); }

Volumes::~Volumes() {
  for (const std::string& name : names_) RemoveVolume(name);
}

Status Volumes::Make(const Words& paths, bool are_bare, Words& options) {
  for (const std::string& path : paths) {
    // Docker draws the name: nobody else can have made a volume of that name before.
    auto name = OutputOf({"volume", "create", "--label", kLabel});
    if (!name) return name.error();
    options.emplace_back("--mount");
    options.push_back(MountOption(*name, path, are_bare));
    names_.push_back(*std::move(name));
  }
  return {};
}

void RemoveLeftovers() {
  const std::string filter = std::string("label=") + kLabel;
  const std::string by_name = std::string("name=^/?") + kNamePrefix;
  if (const auto ids = OutputOf(
          {"ps", "--all", "--quiet", "--no-trunc", "--filter", filter, "--filter", by_name})) {
    for (const std::string& id : LinesOf(*ids)) static_cast<void>(RemoveContainer(id));
  }
  if (const auto names = OutputOf({"volume", "ls", "--quiet", "--filter", filter})) {
    for (const std::string& name : LinesOf(*names)) RemoveVolume(name);
  }
}

std::string EngineVersions() {
  const auto version = OutputOf({"version", "--format", "{{.Server.Version}}"});
  return version ? "Docker " + Printable(*version) : "Docker";
}

}  // namespace runclad::learn
