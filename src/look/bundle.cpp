#include "bundle.hpp"

#include <fcntl.h>

#include <algorithm>

#include "runclad/base/unique_fd.hpp"
#include "runclad/privilege/seccomp.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::look {

std::optional<oci::Spec> ReadSpec(const std::string& bundle) {
  const std::string path = bundle + "/config.json";
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) return std::nullopt;
  const auto bytes = sys::ReadRegularFile(file.get(), oci::kMaxSpecBytes);
  if (!bytes) return std::nullopt;
  auto spec = oci::Spec::Parse(*bytes);
  return spec ? std::optional(*std::move(spec)) : std::nullopt;
}

std::optional<std::vector<privilege::FilterProgram>> DocumentPrograms(const Container& container) {
  const auto spec = ReadSpec(container.bundle);
  if (!spec) return std::nullopt;
  auto programs = ProgramsOf(spec->seccomp());
  return programs ? std::optional(*std::move(programs)) : std::nullopt;
}

bool RuntimeDenies(const Container& container, std::string_view call) {
  const auto spec = ReadSpec(container.bundle);
  const auto filter = spec ? spec->seccomp() : std::nullopt;
  if (!filter) return false;
  const auto denies = [](const std::string& action) {
    return action == "SCMP_ACT_ERRNO" || action == "SCMP_ACT_TRAP" ||
           action.starts_with("SCMP_ACT_KILL");
  };
  bool is_named = false;
  for (const privilege::SeccompRule& rule : filter->rules) {
    if (std::ranges::find(rule.names, call) == rule.names.end()) continue;
    if (!denies(rule.action) || !rule.arguments.empty()) return false;
    is_named = true;
  }
  return is_named || denies(filter->default_action);
}

}  // namespace runclad::look
