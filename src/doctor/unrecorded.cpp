#include "unrecorded.hpp"

#include <string_view>

#include "runclad/base/path.hpp"
#include "runclad/configure/survey.hpp"
#include "runclad/json/scanner.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::doctor {
namespace {

// The name of a pod of containerd's CRI plugin, "default/web"; empty: it is none.
std::string PodOf(const std::string& bundle) {
  constexpr std::size_t kMaxBytes = std::size_t{16} << 20;
  const auto directory = sys::OpenDirectory(bundle);
  if (!directory) return {};
  const auto text = sys::ReadTrustedFile(directory->get(), "config.json", kMaxBytes);
  if (!text) return {};
  std::string space;
  std::string name;
  json::Scanner scanner(*text);
  scanner.Object({"annotations"}, [&](std::size_t) {
    if (scanner.Null()) return;
    scanner.Object({"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri.sandbox-name"},
                   [&](std::size_t index) { (index == 0 ? space : name) = scanner.String(); });
  });
  return scanner.Finish() && !name.empty() ? space + "/" + name : std::string();
}

}  // namespace

std::string ShownName(const host::RunningContainer& container) {
  constexpr std::size_t kShownOfId = 12;
  const std::string id = container.id.substr(0, kShownOfId);
  return container.name.empty() ? id : container.name + " (" + id + ")";
}

UnrecordedFact Unrecorded(const host::RunningContainer& container, const std::string& program) {
  UnrecordedFact fact{ShownName(container), "", container.program,
                      "end it, and make it again by runclad"};
  // <state>/io.containerd.runtime.v2.task/<namespace>/<id>
  const std::string_view space = LastOf(AboveOf(container.bundle));
  if (LastOf(AboveOf(AboveOf(container.bundle))).starts_with("io.containerd.runtime.v")) {
    if (fact.program.empty()) fact.program = "runc";
    if (space == "moby") {
      fact.engine = "docker";
      fact.remedy = "docker rm, and docker run again: it keeps the runtime that it was made with";
      return fact;
    }
    fact.engine = "containerd";
    if (const std::string pod = PodOf(container.bundle); !pod.empty()) {
      fact.name = "pod " + pod;
      fact.remedy = configure::kPodRemedy;
    } else {
      fact.name = std::string(space) + "/" + container.id;
      fact.remedy = "ctr containers rm, and ctr run --runc-binary " + program + " again";
    }
  } else if (const std::string pod = configure::CrioPodOf(container.name); !pod.empty()) {
    fact.engine = "crio";
    fact.name = "pod " + pod;
    fact.remedy = configure::kPodRemedy;
  } else if (!container.name.empty()) {
    fact.engine = "podman";
    fact.remedy = "podman rm, and podman run again: it keeps the runtime that it was made with";
  }
  return fact;
}

}  // namespace runclad::doctor
