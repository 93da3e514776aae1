// What leads to a container without runclad.
#include <algorithm>
#include <string>

#include "runclad/doctor/host_runtimes.hpp"

#include "sections.hpp"

namespace runclad::doctor {
namespace {

using Findings = std::vector<Finding>;

std::string Subject(const EngineFacts& engine) { return engine.engine + " " + engine.place; }

// Calls `add` for each engine of this name that answered.
template <typename Add>
Findings Of(const Facts& facts, std::string_view name, Add add) {
  Findings findings;
  for (const EngineFacts& engine : facts.roads.engines) {
    if (engine.engine == name && engine.fault.empty()) add(engine, findings);
  }
  return findings;
}

Findings AnswerOfEngine(const Facts& facts) {
  Findings findings;
  for (const EngineFacts& engine : facts.roads.engines) {
    if (engine.fault.empty()) continue;
    findings.push_back({Level::kUnknown, Subject(engine),
                        "its runtime could not be determined: " + engine.fault,
                        "find out why it does not answer, and run doctor again"});
  }
  return findings;
}

// By default, the engine takes another program than runclad.
void CheckDefault(const EngineFacts& engine, Level level, const std::string& remedy,
                  Findings& findings) {
  if (engine.is_covered() || engine.default_runtime.empty()) return;
  const RuntimeFact* runtime = engine.runtime(engine.default_runtime);
  const std::string program = runtime == nullptr ? "a program of its own" : runtime->program;
  findings.push_back({level, Subject(engine),
                      "its default runtime is " + engine.default_runtime + " (" + program +
                          "), so containers are not hardened",
                      remedy});
}

Findings DockerDefault(const Facts& facts) {
  return Of(facts, "docker", [](const EngineFacts& engine, Findings& findings) {
    CheckDefault(engine, Level::kCritical, "runcladctl configure docker --default", findings);
  });
}

Findings PodmanDefault(const Facts& facts) {
  return Of(facts, "podman", [](const EngineFacts& engine, Findings& findings) {
    CheckDefault(engine, Level::kCritical, "runcladctl configure podman --default", findings);
  });
}

Findings ContainerdDefault(const Facts& facts) {
  return Of(facts, "containerd", [&](const EngineFacts& engine, Findings& findings) {
    // Without a kubelet nobody but root asks it for pods.
    CheckDefault(engine, facts.roads.has_kubelet ? Level::kCritical : Level::kWarning,
                 "runcladctl configure containerd --default --restart", findings);
  });
}

Findings CrioDefault(const Facts& facts) {
  return Of(facts, "crio", [](const EngineFacts& engine, Findings& findings) {
    CheckDefault(engine, Level::kCritical, "runcladctl configure crio --default --restart",
                 findings);
  });
}

// The command that puts runclad in the place of `program`; empty: none does.
std::string CommandToClose(const std::string& program) {
  if (!CanBeClosed(program)) return {};
  return "runcladctl close " + program.substr(program.rfind('/') + 1);
}

// Other runtimes that the engine's users may name. `remedy`: what else helps than to close one;
// empty: nothing.
template <typename RemedyOf>
void CheckOthers(const EngineFacts& engine, const std::string& how, RemedyOf remedy,
                 Findings& findings) {
  for (const RuntimeFact& runtime : engine.runtimes) {
    if (runtime.is_runclad || runtime.is_missing || runtime.name == engine.default_runtime) {
      continue;
    }
    const std::string command = CommandToClose(runtime.program);
    const std::string other = remedy(runtime);
    findings.push_back(
        {Level::kWarning, Subject(engine),
         how + " " + runtime.name + " runs " + runtime.program + " in place of runclad",
         command + (command.empty() || other.empty() ? "" : ", or ") + other});
  }
}

// dockerd itself brings these along: no file or option registers them, and none takes them away.
bool IsBuiltIntoDocker(const std::string& runtime) {
  return runtime == "runc" || runtime.starts_with("io.containerd.");
}

Findings DockerRuntimes(const Facts& facts) {
  return Of(facts, "docker", [](const EngineFacts& engine, Findings& findings) {
    const auto remedy = [](const RuntimeFact& runtime) {
      return IsBuiltIntoDocker(runtime.name)
                 ? std::string()
                 : "remove " + runtime.name +
                       " from `runtimes` in daemon.json, or from dockerd's --add-runtime";
    };
    CheckOthers(engine, "docker run --runtime", remedy, findings);
  });
}

void CheckHandlers(const EngineFacts& engine, Findings& findings) {
  const auto remedy = [](const RuntimeFact& runtime) {
    return "restrict who may use a RuntimeClass with the handler " + runtime.name;
  };
  CheckOthers(engine, "a pod with the runtime handler", remedy, findings);
}

Findings ContainerdRuntimes(const Facts& facts) { return Of(facts, "containerd", CheckHandlers); }

Findings CrioRuntimes(const Facts& facts) { return Of(facts, "crio", CheckHandlers); }

Findings DockerShims(const Facts& facts) {
  return Of(facts, "docker", [](const EngineFacts& engine, Findings& findings) {
    for (const RuntimeFact& shim : engine.shims) {
      if (shim.is_runclad) continue;
      const std::string command = CommandToClose(shim.program);
      findings.push_back(
          {Level::kWarning, Subject(engine),
           "docker run --runtime " + shim.name + " runs " + shim.program + " in place of runclad",
           command.empty() ? "move " + shim.program + " out of the PATH of dockerd's containerd"
                           : command});
    }
  });
}

// Between two commands, or after one that was interrupted, its name leads to the runtime itself.
Findings ClosedRuntimes(const Facts& facts) {
  Findings findings;
  for (const HostRuntime& runtime : facts.roads.runtimes) {
    if (runtime.fault.empty()) continue;
    findings.push_back(
        {Level::kWarning, runtime.file,
         "runcladctl close put runclad in its place, but " + runtime.fault,
         "runcladctl close " + runtime.name + ", or runcladctl open " + runtime.name});
  }
  return findings;
}

Findings DockerPolicies(const Facts& facts) {
  return Of(facts, "docker", [](const EngineFacts& engine, Findings& findings) {
    for (const RuntimeFact& runtime : engine.runtimes) {
      if (!runtime.is_runclad || runtime.arguments.find("--runclad-config") == std::string::npos ||
          runtime.name == engine.default_runtime) {
        continue;
      }
      findings.push_back(
          {Level::kWarning, Subject(engine),
           "docker run --runtime " + runtime.name + " uses another policy: " + runtime.arguments,
           "remove the entry from `runtimes` in daemon.json, unless every user of "
           "the engine may choose that policy"});
    }
  });
}

Findings Builds(const Facts& facts) {
  Findings findings;
  for (const EngineFacts& engine : facts.roads.engines) {
    if (!engine.builder || engine.builder->is_runclad) continue;
    const std::string by = engine.builder->is_missing
                               ? "a program that is not there (" + engine.builder->program + ")"
                               : engine.builder->program;
    findings.push_back(
        {Level::kWarning, Subject(engine), "the steps of BuildKit's builds are run by " + by,
         engine.engine == "buildkit" ? "runcladctl configure buildkit --restart"
                                     : "runcladctl close, or (Docker 26.1 and later) "
                                       "DOCKER_BUILDKIT_RUNC_COMMAND in dockerd's environment"});
  }
  return findings;
}

Findings MissingPrograms(const Facts& facts) {
  Findings findings;
  for (const EngineFacts& engine : facts.roads.engines) {
    for (const RuntimeFact& runtime : engine.runtimes) {
      if (!runtime.is_missing) continue;
      const bool is_default = runtime.name == engine.default_runtime;
      findings.push_back({is_default ? Level::kCritical : Level::kWarning, Subject(engine),
                          "its runtime " + runtime.name + " leads to " + runtime.program +
                              ", which does not exist: no container with it starts",
                          "install the program again, or take the entry out of the engine's file"});
    }
  }
  return findings;
}

Findings OpenAddresses(const Facts& facts) {
  Findings findings;
  for (const EngineFacts& engine : facts.roads.engines) {
    for (const std::string& address : engine.open_addresses) {
      findings.push_back(
          {Level::kCritical, Subject(engine),
           "its API answers at " + address +
               " without client certificates: anyone who can connect can choose the runtime",
           "set tlsverify, tlscacert, tlscert and tlskey, or remove the address"});
    }
  }
  return findings;
}

Findings Containers(const Facts& facts) {
  Findings findings;
  for (const EngineFacts& engine : facts.roads.engines) {
    for (const ContainerFact& container : engine.containers) {
      const RuntimeFact* runtime = engine.runtime(container.runtime);
      if (runtime != nullptr && runtime->is_runclad) continue;
      if (runtime == nullptr && engine.engine == "podman" &&
          container.runtime == engine.default_runtime) {
        continue;
      }
      findings.push_back(
          {container.is_running ? Level::kCritical : Level::kWarning, Subject(engine),
           "the container " + container.name + " has the runtime " + container.runtime +
               (container.is_running ? " and runs" : ", with which it would start"),
           container.remedy});
    }
  }
  return findings;
}

Findings Unrecorded(const Facts& facts) {
  Findings findings;
  for (const UnrecordedFact& container : facts.roads.unrecorded) {
    const std::string by = container.program.empty() ? "" : " by " + container.program;
    findings.push_back(
        {Level::kCritical,
         container.engine.empty() ? container.name : container.engine + " " + container.name,
         "it runs" + by +
             ", and runclad has no record of it: it is older than the registration, or was not "
             "started by runclad",
         container.remedy});
  }
  return findings;
}

Findings Stale(const Facts& facts) {
  Findings findings;
  for (const EngineFacts& engine : facts.roads.engines) {
    if (!engine.is_stale) continue;
    findings.push_back(
        {Level::kWarning, Subject(engine),
         "its file was changed after it had started, and it reads the file only at start",
         "systemctl restart " + engine.engine});
  }
  return findings;
}

Findings Rootless(const Facts& facts) {
  Findings findings;
  for (const ProcessFact& process : facts.roads.rootless) {
    findings.push_back({Level::kWarning, process.program,
                        "the user " + std::to_string(process.user) +
                            " runs an engine of their own (pid " + std::to_string(process.pid) +
                            "), to which the host's settings do not apply",
                        "end it, and prevent others: remove the user's ranges from /etc/subuid"});
  }
  return findings;
}

Findings OtherSockets(const Facts& facts) {
  Findings findings;
  for (const std::string& socket : facts.roads.other_sockets) {
    findings.push_back({Level::kWarning, socket,
                        "an engine answers there that doctor cannot ask for its runtimes",
                        "stop it, or register runclad with it"});
  }
  return findings;
}

Findings OpenSockets(const Facts& facts) {
  Findings findings;
  for (const std::string& socket : facts.roads.open_sockets) {
    findings.push_back({Level::kCritical, socket,
                        "every user of the host may ask the engine for containers",
                        "chmod o= " + socket});
  }
  return findings;
}

Findings NriPlugins(const Facts& facts) {
  Findings findings;
  for (const EngineFacts& engine : facts.roads.engines) {
    for (const std::string& plugin : engine.nri_plugins) {
      findings.push_back({Level::kWarning, Subject(engine),
                          "the NRI plugin " + plugin +
                              " changes containers before runclad sees them, and may update them "
                              "later",
                          "remove it, or make sure that it may do what it does"});
    }
  }
  return findings;
}

Findings Embedded(const Facts& facts) {
  Findings findings;
  for (const std::string& program : facts.roads.embedded) {
    findings.push_back({Level::kWarning, program,
                        "it has an embedded engine that doctor cannot query",
                        "register runclad in its own configuration, and check a container"});
  }
  return findings;
}

Findings BuildahChroot(const Facts& facts) {
  Findings findings;
  for (const std::string& file : facts.roads.chroot_settings) {
    findings.push_back({Level::kWarning, file,
                        "BUILDAH_ISOLATION=chroot: build steps of buildah call no runtime at all",
                        "remove the variable, or set it to oci"});
  }
  return findings;
}

constexpr Check kRoadChecks[] = {
    {"roads/engines-answer", "every running engine reports its runtimes", kRoads, AnswerOfEngine},
    {"roads/docker-default", "Docker's default runtime is runclad", kRoads, DockerDefault},
    {"roads/docker-runtimes", "every other runtime that Docker knows leads to runclad", kRoads,
     DockerRuntimes},
    {"roads/docker-shims", "no containerd shim that Docker's users may name runs another runtime",
     kRoads, DockerShims},
    {"roads/closed-runtimes", "runclad replaces every closed runtime", kRoads, ClosedRuntimes},
    {"roads/docker-policies", "none of Docker's runtimes calls runclad with another policy", kRoads,
     DockerPolicies},
    {"roads/builds", "the steps of BuildKit's builds are run by runclad", kRoads, Builds},
    {"roads/podman-default", "podman's default runtime is runclad", kRoads, PodmanDefault},
    {"roads/containerd-default", "the default runtime of containerd's CRI plugin is runclad",
     kRoads, ContainerdDefault},
    {"roads/containerd-runtimes", "every runtime handler of containerd leads to runclad", kRoads,
     ContainerdRuntimes},
    {"roads/crio-default", "CRI-O's default runtime is runclad", kRoads, CrioDefault},
    {"roads/crio-runtimes", "every runtime handler of CRI-O leads to runclad", kRoads,
     CrioRuntimes},
    {"roads/missing-programs", "every registered runtime exists", kRoads, MissingPrograms},
    {"roads/restart-pending", "no engine has to be restarted to read its file", kRoads, Stale},
    {"roads/containers", "every container was made with runclad", kRoads, Containers},
    {"roads/running", "runclad has a record of every running container", kRoads, Unrecorded},
    {"roads/open-addresses", "no engine's API can be reached by TCP without a certificate", kRoads,
     OpenAddresses},
    {"roads/open-sockets", "no engine's socket is open to every user", kRoads, OpenSockets},
    {"roads/other-sockets", "no engine answers that doctor does not know", kRoads, OtherSockets},
    {"roads/rootless", "no user runs an engine of their own", kRoads, Rootless},
    {"roads/nri-plugins", "containerd and CRI-O start no NRI plugins", kRoads, NriPlugins},
    {"roads/embedded", "no program embeds an engine that doctor cannot query", kRoads, Embedded},
    {"roads/buildah-chroot", "no setting makes buildah bypass the runtime", kRoads, BuildahChroot},
};

}  // namespace

std::span<const Check> RoadChecks() { return kRoadChecks; }

}  // namespace runclad::doctor
