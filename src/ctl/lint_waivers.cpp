#include "lint_waivers.hpp"

#include <algorithm>
#include <string_view>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/json/pointer.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/rules/catalog.hpp"

namespace runclad::ctl {
namespace {

using json::Document;

// What of the host makes a container root there. This is not complete: it names what is asked for.
struct Path {
  std::string_view path;
  std::string_view read;   // a clause: why even a read-only mount does; empty: only a writable one
  std::string_view write;  // likewise for a writable one
};
constexpr std::string_view kSockets =
    "it has the engines' sockets, which a read-only mount does not protect";
constexpr std::string_view kPrograms = "the host runs what is written there";
constexpr Path kPaths[] = {
    {"/", "it has every key and the engines' sockets, which a read-only mount does not protect",
     "every file of the host can be changed"},
    {"/bin", "", kPrograms},
    {"/boot", "", kPrograms},
    {"/etc", "", "accounts, cron jobs and services are defined there"},
    {"/lib", "", kPrograms},
    {"/lib64", "", kPrograms},
    {"/proc", "it shows the files and the environment of the host's processes (/proc/PID/root)",
     "/proc/sys/kernel/core_pattern names a program that the kernel runs"},
    {"/root", "", "SSH keys and shell startup files are there"},
    {"/run", kSockets, kSockets},
    {"/sbin", "", kPrograms},
    {"/sys", "", "settings below it name programs that the kernel runs"},
    {"/usr", "", kPrograms},
    {"/var", kSockets, kSockets},
    {"/var/lib", "", "it has the engines' storage"},
    {"/var/lib/containerd", "", "it has the engine's storage"},
    {"/var/lib/containers", "", "it has the engine's storage"},
    {"/var/lib/docker", "", "it has the engine's storage"},
    {"/var/run", kSockets, kSockets},
};

bool IsEngineSocket(std::string_view path) {
  constexpr std::string_view kNames[] = {"/buildkitd.sock",   "/containerd.sock", "/crio.sock",
                                         "/cri-dockerd.sock", "/docker.sock",     "/podman.sock"};
  return std::ranges::any_of(kNames, [&](std::string_view name) { return path.ends_with(name); });
}

// Why "bind SOURCE MODE" equals root; empty if it is not known to.
std::string_view WhyRoot(std::string_view entry) {
  constexpr std::string_view kBind = "bind ";
  if (!entry.starts_with(kBind)) return {};
  entry.remove_prefix(kBind.size());
  const std::string_view mode = entry.substr(entry.rfind(' ') + 1);
  std::string_view source = entry.substr(0, entry.rfind(' '));
  while (source.size() > 1 && source.ends_with('/')) source.remove_suffix(1);
  if (IsEngineSocket(source)) return "it is an engine's API socket";
  const auto* known = std::ranges::find(kPaths, source, &Path::path);
  if (known == std::end(kPaths)) return {};
  return mode == "rw" ? known->write : known->read;
}

void AddFrom(const Document& object, const std::string& pointer, const json::Positions& positions,
             const std::string& file, std::vector<LintFinding>& findings) {
  const Document waivers = object.value("waivers", Document::array());
  for (std::size_t i = 0; i < waivers.size(); ++i) {
    if (waivers[i].value("rule", "") != rules::kHostMounts.id()) continue;
    const Document entries = waivers[i].value("exactly", Document::array());
    for (std::size_t j = 0; j < entries.size(); ++j) {
      const auto entry = entries[j].get<std::string>();
      const std::string_view why = WhyRoot(entry);
      if (why.empty()) continue;
      const auto position = positions.find(pointer + "/waivers/" + std::to_string(i) + "/exactly/" +
                                           std::to_string(j));
      findings.push_back({file, position == positions.end() ? 0 : position->second.line,
                          LintLevel::kWarning, "waiver-equals-root",
                          "the waiver of host-mounts for " + Quoted(entry) +
                              " makes the container root on the host: " + std::string(why)});
    }
  }
}

}  // namespace

std::vector<LintFinding> RootWaivers(const std::string& file, const std::string& text) {
  std::vector<LintFinding> findings;
  json::Positions positions;
  const auto document = json::Read(text, {.comments = true, .positions = &positions});
  if (!document || !document->is_object()) return findings;
  AddFrom(*document, "", positions, file, findings);
  const Document tags = document->value("tags", Document::object());
  for (const auto& [tag, part] : tags.items()) {
    AddFrom(part, "/tags/" + json::Escape(tag), positions, file, findings);
  }
  return findings;
}

}  // namespace runclad::ctl
