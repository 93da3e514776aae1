// working-directory: a process that starts below /proc may start outside its container
// (CVE-2024-21626).
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "runclad/base/path.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

constexpr Code kRelative{"relative", "the directory is not an absolute path"};
constexpr Code kProc{"proc", "the directory is below /proc"};
constexpr Code kUncertain{"uncertain", "where the directory leads could not be determined"};
constexpr Code kLinkToProc{"link-to-proc", "the directory leads through a link into a proc mount"};
constexpr Code kCodes[] = {kRelative, kProc, kUncertain, kLinkToProc};

// As written: "." and empty names left out, ".." undone. A name in /proc can lead anywhere, so that
// ".." after one leads back to no known place.
bool LeadsIntoProc(std::string_view path) {
  std::string plain;
  for (std::size_t start = 0; start < path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string_view component = path.substr(start, end - start);
    start = end + 1;
    if (component.empty() || component == ".") continue;
    if (component == "..") {
      plain.resize(plain.empty() ? 0 : plain.rfind('/'));
      continue;
    }
    plain += '/';
    plain += component;
    if (plain != "/proc" && IsAtOrBelow(plain, "/proc")) return true;
  }
  return plain == "/proc";
}

Findings Check(const oci::Spec& spec, const Context& /*context*/, const WorkingDirectory& place) {
  const std::string directory = spec.working_directory();
  if (directory.empty()) return {};  // the lower runtime says so best
  const std::string danger = ", where a host file descriptor may lead out of the container";
  const auto refuse = [&](const Code& code, std::string why) {
    return Findings{Refuse(code, "/process/cwd", directory, std::move(why),
                           AskEngine("set another working directory (docker run --workdir)"))};
  };
  if (!directory.starts_with('/')) return refuse(kRelative, "is not an absolute path");
  if (LeadsIntoProc(directory)) return refuse(kProc, "is below /proc" + danger);
  if (!place) return {};
  if (!place->is_complete) return refuse(kUncertain, place->uncertain_because);
  if (place->touches_proc || LeadsIntoProc(place->resolved)) {
    return refuse(kLinkToProc, "leads through a link into a proc filesystem" + danger);
  }
  return {};
}

constexpr std::string_view kPaths[] = {"/process/cwd"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kWorkingDirectory{
    .schema = {.id = "working-directory", .actions = kActions, .parameters = {}},
    .title = "No working directory below /proc",
    .rationale =
        "If the runtime leaves a file descriptor of the host open, a container with the working "
        "directory /proc/self/fd/N starts on the host's filesystem (CVE-2024-21626). A link in the "
        "image or in a volume has the same effect. No ordinary program starts below /proc.",
    .way_out = "set another working directory",
    .codes = kCodes,
    .benchmarks = {},
    .paths = kPaths,
    .scope = Scope::kProcess,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
