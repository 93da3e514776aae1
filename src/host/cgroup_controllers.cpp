#include "runclad/host/cgroup_controllers.hpp"

#include <fcntl.h>

#include <optional>
#include <string>

#include "runclad/sys/file.hpp"

namespace runclad::host {
namespace {

struct Limit {
  const char* controller;
  const char* member;
};
constexpr Limit kLimits[] = {
    {"pids", "limit"}, {"memory", "limit"}, {"cpu", "quota"}, {"cpu", "shares"}};

// "cpuset cpu memory pids"; none where cgroup v1 is in use, also with cgroup v2 beside it: then
// `root` is a directory without this file.
std::optional<std::string> Controllers(std::string_view root) {
  constexpr std::size_t kMaxBytes = 4096;
  const auto file = sys::OpenWithoutLinks(AT_FDCWD, std::string(root) + "/cgroup.controllers",
                                          O_RDONLY | O_NONBLOCK);
  if (!file) return std::nullopt;
  auto text = sys::ReadRegularFile(file->get(), kMaxBytes);
  if (!text) return std::nullopt;
  return text->substr(0, text->find('\n'));
}

bool HasWord(const std::string& words, const std::string& word) {
  return (' ' + words + ' ').find(' ' + word + ' ') != std::string::npos;
}

}  // namespace

Status RequireControllers(const oci::Spec& spec, std::string_view root) {
  std::optional<std::string> controllers;
  for (const auto& [name, member] : kLimits) {
    const auto limit = spec.resource(name, member);
    if (!limit || *limit <= 0) continue;
    if (!controllers) controllers = Controllers(root);
    if (!controllers) return {};
    const std::string controller = name;
    if (HasWord(*controllers, controller)) continue;
    return Error{"/linux/resources/" + controller + '/' + member + ' ' + std::to_string(*limit) +
                 " cannot be set: the host's cgroup v2 has no " + controller +
                 " controller (it has " + (controllers->empty() ? "none" : *controllers) +
                 "); make it available (it is missing if the kernel was started with "
                 "cgroup_disable=" +
                 controller + " or if cgroup v1 uses it), or request no limit and set the rule " +
                 controller + "-limit to \"warn\" in policy.json"};
  }
  return {};
}

}  // namespace runclad::host
