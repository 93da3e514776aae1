#include "runclad/host/lsm.hpp"

#include <fcntl.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::host {
namespace {

struct EngineProfile {
  engine::Engine engine;
  std::string_view name;  // podman's ends in its version
};
constexpr std::array<EngineProfile, 4> kEngineProfiles = {{
    {engine::Engine::kDocker, "docker-default"},
    {engine::Engine::kContainerd, "cri-containerd.apparmor.d"},
    {engine::Engine::kCrio, "crio-default"},
    {engine::Engine::kPodman, "containers-default-"},
}};

bool IsOf(const EngineProfile& profile, std::string_view name) {
  return profile.name.ends_with('-') ? name.starts_with(profile.name) : name == profile.name;
}

std::string Read(const std::string& path) {
  constexpr std::size_t kMaxBytes = std::size_t{4} << 20;
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return {};
  auto bytes = sys::ReadRegularFile(file.get(), kMaxBytes);
  return bytes ? *std::move(bytes) : std::string();
}

// What is said against a profile that is loaded in `mode`.
std::string Against(std::string_view mode) {
  if (mode == "enforce" || mode == "kill") return {};
  return mode == "unconfined" ? "confines nothing" : "is loaded in mode " + std::string(mode);
}

// `loaded`: lines such as "docker-default (enforce)".
void FindProfiles(std::string_view loaded, std::string_view asked_for, engine::Engine engine,
                  LsmFacts& facts) {
  if (!asked_for.empty()) facts.not_enforced_because = "is not loaded";
  bool is_default_of_engine = false;
  while (!loaded.empty()) {
    const std::string_view line = loaded.substr(0, loaded.find('\n'));
    loaded.remove_prefix(std::min(loaded.size(), line.size() + 1));
    const std::size_t space = line.rfind(" (");
    if (space == std::string_view::npos || !line.ends_with(')')) continue;
    const std::string_view name = line.substr(0, space);
    const std::string against = Against(line.substr(space + 2, line.size() - space - 3));
    if (name == asked_for) facts.not_enforced_because = against;
    if (!against.empty() || is_default_of_engine) continue;
    for (const EngineProfile& profile : kEngineProfiles) {
      if (!IsOf(profile, name)) continue;
      is_default_of_engine = profile.engine == engine;
      if (is_default_of_engine || facts.apparmor_default.empty()) facts.apparmor_default = name;
    }
  }
}

}  // namespace

LsmFacts GatherLsm(const oci::Spec& spec, engine::Engine engine, const std::string& host_root) {
  LsmFacts facts;
  if (!spec.has_process()) return facts;
  facts.selinux = !Read(host_root + "/sys/fs/selinux/enforce").empty();
  const std::string profile = spec.apparmor_profile();
  const auto matches_profile = [&](const EngineProfile& entry) { return IsOf(entry, profile); };
  if (std::ranges::any_of(kEngineProfiles, matches_profile)) return facts;
  facts.apparmor = Read(host_root + "/sys/module/apparmor/parameters/enabled").starts_with('Y');
  if (facts.apparmor) {
    FindProfiles(Read(host_root + "/sys/kernel/security/apparmor/profiles"), profile, engine,
                 facts);
  }
  return facts;
}

}  // namespace runclad::host
