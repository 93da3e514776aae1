#include "runclad/configure/configure.hpp"

#include <algorithm>

#include "runclad/base/spelling.hpp"

#include "plan.hpp"

namespace runclad::configure {
namespace {

struct Engine {
  std::string_view name;
  Result<Report> (*add)(const Request&);
  Result<Report> (*take_back)(const Request&);
};

constexpr Engine kTable[] = {
    {"docker", RegisterDocker, UnregisterDocker},
    {"containerd", RegisterContainerd, UnregisterContainerd},
    {"crio", RegisterCrio, UnregisterCrio},
    {"podman", RegisterPodman, UnregisterPodman},
    {"buildkit", RegisterBuildkit, UnregisterBuildkit},
};

Result<Report> Run(const Request& request, Result<Report> (*Engine::*what)(const Request&)) {
  if (auto status = CheckName(request.name); !status) return status.error();
  const auto* engine = std::ranges::find(kTable, request.engine, &Engine::name);
  if (engine == std::end(kTable)) {
    return Error{"unknown engine " + Quoted(request.engine) + Suggestion(request.engine, kEngines) +
                 "; the engines are " + Alternatives(kEngines)};
  }
  auto report = (engine->*what)(request);
  if (!report) return report.error().In(request.engine);
  return report;
}

}  // namespace

Result<Report> Register(const Request& request) {
  if (auto status = CheckProgram(request.program); !status) return status.error();
  return Run(request, &Engine::add);
}

Result<Report> Unregister(const Request& request) { return Run(request, &Engine::take_back); }

}  // namespace runclad::configure
