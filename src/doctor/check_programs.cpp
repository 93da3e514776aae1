// The programs themselves: who could replace them, and what security modules call them.
#include "sections.hpp"

namespace runclad::doctor {
namespace {

using Findings = std::vector<Finding>;

Findings Protected(const Facts& facts) {
  Findings findings;
  for (const ProgramFact& program : facts.programs.programs) {
    if (program.unsafe_part.empty()) continue;
    findings.push_back(
        {Level::kCritical, program.path,
         "users other than root can change or replace " + program.unsafe_part +
             ", and the program runs as root",
         "chown root: " + program.unsafe_part + " && chmod go-w " + program.unsafe_part});
  }
  return findings;
}

Findings Installed(const Facts& facts) {
  if (facts.programs.fault.empty()) return {};
  return {{Level::kCritical, "runclad", facts.programs.fault, "install runclad again"}};
}

Findings Versions(const Facts& facts) {
  const ProgramFacts& programs = facts.programs;
  if (!programs.fault.empty() || programs.runclad_version == programs.own_version) return {};
  return {{Level::kWarning, "runclad",
           "it is " + programs.runclad_version + ", and runcladctl is " + programs.own_version,
           "install both from the same package"}};
}

// "system_u:object_r:bin_t:s0"
std::string TypeOf(const std::string& label) {
  std::size_t begin = 0;
  for (int part = 0; part < 2; ++part) {
    begin = label.find(':', begin);
    if (begin == std::string::npos) return label;
    ++begin;
  }
  return label.substr(begin, label.find(':', begin) - begin);
}

Findings Labels(const Facts& facts) {
  Findings findings;
  if (!facts.programs.has_selinux) return findings;
  for (const ProgramFact& program : facts.programs.programs) {
    const std::string type = TypeOf(program.label);
    if (type == program.expected_label_type) continue;
    findings.push_back({Level::kWarning, program.path,
                        "its SELinux type is " + (type.empty() ? "missing" : type) + " and not " +
                            program.expected_label_type +
                            ", so containers may not get the engine's domain",
                        "semanage fcontext -a -t " + program.expected_label_type + " " +
                            program.path + " && restorecon " + program.path});
  }
  return findings;
}

Findings Profile(const Facts& facts) {
  const ProgramFacts& programs = facts.programs;
  if (!programs.has_apparmor || programs.has_container_profile) return {};
  for (const EngineFacts& engine : facts.roads.engines) {
    if (engine.engine == "buildkit") continue;
    return {{Level::kWarning, "AppArmor",
             "it is on, and no profile for containers is loaded (docker-default, "
             "containers-default, cri-containerd.apparmor.d)",
             "restart the engine, which loads its profile; install the package apparmor"}};
  }
  return {};
}

constexpr Check kProgramChecks[] = {
    {"programs/installed", "runclad is installed and runs", kPrograms, Installed},
    {"programs/protected",
     "only root can change or replace runclad, runcladctl and the lower "
     "runtime",
     kPrograms, Protected},
    {"programs/versions", "runclad and runcladctl are of the same version", kPrograms, Versions},
    {"programs/selinux-labels", "under SELinux, the programs have the type of a container runtime",
     kPrograms, Labels},
    {"programs/apparmor-profile", "under AppArmor, a profile for containers is loaded",
     kPrograms | kRoads, Profile},
};

}  // namespace

std::span<const Check> ProgramChecks() { return kProgramChecks; }

}  // namespace runclad::doctor
