#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "runclad/configure/survey.hpp"
#include "runclad/doctor/host_runtimes.hpp"
#include "runclad/enforce/record_search.hpp"
#include "runclad/enforce/running.hpp"
#include "runclad/host/running.hpp"
#include "runclad/sys/directory.hpp"

#include "host_files.hpp"
#include "programs.hpp"
#include "sections.hpp"
#include "unrecorded.hpp"

namespace runclad::doctor {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kRuncShim = "io.containerd.runc.v2";

RuntimeFact Resolve(const configure::KnownRuntime& known, const std::string& search_path,
                    Programs& programs) {
  RuntimeFact fact{known.name, known.program, false, false, known.arguments};
  std::string name = known.program;
  if (name.starts_with("io.containerd.")) {
    name = name == kRuncShim ? "runc" : ShimProgram(name);
  }
  const std::string path = FindProgram(name, search_path);
  // Engines register names ("runc") and shims that the host need not have.
  fact.is_missing = path.empty();
  if (!path.empty()) fact.program = path;
  fact.is_runclad = programs.IsRunclad(path);
  return fact;
}

// Since Docker 23, its users may name a containerd shim as the runtime: those in its containerd's
// PATH.
std::vector<RuntimeFact> ShimsOf(const configure::Survey& survey, const std::string& shim_path,
                                 Programs& programs) {
  std::vector<RuntimeFact> shims;
  int major = 0;
  std::from_chars(survey.version.data(), survey.version.data() + survey.version.size(), major);
  constexpr int kFirst = 23;
  if (major < kFirst) return shims;
  std::string_view rest = shim_path;
  while (!rest.empty()) {
    const std::size_t end = rest.find(':');
    const std::string directory(rest.substr(0, end));
    rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    for (const std::string& file : sys::NamesIn(directory)) {
      constexpr std::string_view kPrefix = "containerd-shim-";
      const std::size_t dash = file.rfind('-');
      if (!file.starts_with(kPrefix) || dash < kPrefix.size()) continue;
      const std::string kind = file.substr(kPrefix.size(), dash - kPrefix.size());
      const std::string name = "io.containerd." + kind + "." + file.substr(dash + 1);
      const bool is_known =
          std::ranges::any_of(shims, [&](const RuntimeFact& shim) { return shim.name == name; }) ||
          std::ranges::any_of(survey.runtimes, [&](const configure::KnownRuntime& runtime) {
            return runtime.name == name;
          });
      if (is_known) continue;
      const std::string runs =
          kind == "runc" ? FindProgram("runc", shim_path) : directory + "/" + file;
      if (!runs.empty()) shims.push_back({name, runs, programs.IsRunclad(runs), false, ""});
    }
  }
  std::ranges::sort(shims, {}, &RuntimeFact::name);
  return shims;
}

EngineFacts FactsOf(const configure::Survey& survey, Programs& programs) {
  EngineFacts facts;
  facts.engine = survey.engine;
  facts.place = survey.place;
  facts.address = survey.address;
  facts.fault = survey.fault;
  if (!facts.fault.empty()) return facts;
  facts.version = survey.version;
  facts.default_runtime = survey.default_runtime;
  const std::string& shim_path = survey.shim_path.empty() ? survey.search_path : survey.shim_path;
  for (const configure::KnownRuntime& known : survey.runtimes) {
    RuntimeFact fact = Resolve(known, shim_path, programs);
    const bool is_builtin = fact.is_missing && known.program.find('/') == std::string::npos &&
                            known.name != survey.default_runtime;
    if (!is_builtin) facts.runtimes.push_back(std::move(fact));
  }
  if (survey.engine == "docker") facts.shims = ShimsOf(survey, shim_path, programs);
  for (const configure::KnownContainer& known : survey.containers) {
    facts.containers.push_back({known.name, known.runtime, known.remedy, known.is_running});
  }
  if (!survey.builder.empty()) {
    facts.builder = Resolve({"builder", survey.builder, ""}, survey.search_path, programs);
  }
  facts.cgroup_parent = survey.cgroup_parent;
  facts.open_addresses = survey.open_addresses;
  facts.nri_plugins = survey.nri_plugins;
  facts.is_stale = survey.is_stale;
  return facts;
}

// Running containers without a record, and those whose record says that nothing was enforced, by
// "name (id)".
void ReadRecords(const std::string& program, RoadFacts& roads) {
  for (const host::RunningContainer& container : enforce::FindEveryRunning()) {
    const std::string root = host::RuntimeRootOf(container);
    const auto records =
        enforce::FindRecords(container.id, root.empty() ? std::nullopt : std::optional(root));
    if (!records) continue;
    const bool is_audited = std::ranges::any_of(*records, [](const enforce::Record& record) {
      return record.process_policy.mode == policy::Mode::kAudit;
    });
    if (is_audited) roads.audited.push_back(ShownName(container));
    if (!records->empty()) continue;
    UnrecordedFact fact = Unrecorded(container, program);
    // A pod has several containers, and is made again as a whole.
    if (std::ranges::find(roads.unrecorded, fact) == roads.unrecorded.end()) {
      roads.unrecorded.push_back(std::move(fact));
    }
  }
}

}  // namespace

const RuntimeFact* EngineFacts::runtime(const std::string& name) const {
  const auto found = std::ranges::find(runtimes, name, &RuntimeFact::name);
  return found == runtimes.end() ? nullptr : &*found;
}

bool EngineFacts::is_covered() const {
  const RuntimeFact* by_default = runtime(default_runtime);
  return by_default != nullptr && by_default->is_runclad;
}

RoadFacts GatherRoads(const std::string& program, std::chrono::seconds limit) {
  RoadFacts roads;
  Programs programs(program);
  for (const configure::Survey& survey : configure::SurveyEngines(limit)) {
    roads.engines.push_back(FactsOf(survey, programs));
  }
  roads.runtimes = FindRuntimes(program);
  ReadProcesses("", roads);
  ReadSockets("", roads);
  ReadChrootSettings("", roads);
  ReadRecords(program, roads);
  return roads;
}

}  // namespace runclad::doctor
