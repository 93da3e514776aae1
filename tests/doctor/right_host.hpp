// A host on which nothing is wrong, as values.
#pragma once

#include "runclad/doctor/facts.hpp"

namespace runclad::doctor {

inline Facts RightHost() {
  Facts facts;
  EngineFacts docker;
  docker.engine = "docker";
  docker.place = "unix:///var/run/docker.sock";
  docker.version = "28.5.2";
  docker.default_runtime = "runclad";
  docker.runtimes = {{"runclad", "/usr/sbin/runclad", true, false, ""},
                     {"runc", "/usr/sbin/runc", true, false, ""}};
  docker.shims = {{"io.containerd.runc.v2", "/usr/sbin/runc", true, false, ""}};
  docker.builder = RuntimeFact{"builder", "/usr/sbin/runc", true, false, ""};
  docker.containers = {{"web", "runclad", "docker rm, and docker run again", true}};
  EngineFacts containerd;
  containerd.engine = "containerd";
  containerd.place = "/etc/containerd/config.toml";
  containerd.default_runtime = "runclad";
  containerd.runtimes = docker.runtimes;
  EngineFacts podman;
  podman.engine = "podman";
  podman.place = "/usr/bin/podman";
  podman.default_runtime = "runclad";
  podman.runtimes = {{"runclad", "/usr/sbin/runclad", true, false, ""}};
  EngineFacts crio = containerd;
  crio.engine = "crio";
  crio.place = "/etc/crio/crio.conf";
  EngineFacts buildkit;
  buildkit.engine = "buildkit";
  buildkit.place = "/etc/buildkit/buildkitd.toml";
  buildkit.builder = RuntimeFact{"builder", "/usr/sbin/runclad", true, false, ""};
  facts.roads.engines = {docker, containerd, crio, buildkit, podman};
  facts.roads.runtimes = {{"runc", "/usr/sbin/runc", "/usr/libexec/runclad/runc", ""}};
  facts.roads.has_kubelet = true;
  facts.policy.directory = "/etc/runclad";
  facts.policy.builds = "build";
  facts.logs.emplace_back();
  facts.logs.front().target = "file:/var/log/runclad/audit.jsonl";
  facts.logs.front().path = "/var/log/runclad/audit.jsonl";
  facts.logs.front().bytes = 4096;
  facts.logs.front().free_bytes = std::uint64_t{20} << 30U;
  facts.logs.front().free_share = 40;
  facts.runtime = {"/usr/libexec/runclad/runc", "", "runc", "1.4.3", "", {}};
  facts.kernel.release = "6.12.0";
  facts.kernel.features = {{"seccomp filters", true, "no filters", true},
                           {"openat2", true, "slower", false}};
  facts.programs.runclad_version = "1.0.0";
  facts.programs.own_version = "1.0.0";
  facts.programs.has_selinux = true;
  facts.programs.has_apparmor = true;
  facts.programs.has_container_profile = true;
  facts.programs.programs = {{"/usr/sbin/runclad", "",
                              "system_u:object_r:container_runtime_exec_t:s0",
                              "container_runtime_exec_t"}};
  facts.promised.bounding = 1U << 10U;  // CAP_NET_BIND_SERVICE
  ProbeFacts probe;
  probe.engine = "docker";
  probe.place = docker.place;
  probe.way = "docker run";
  probe.answer = ProbeAnswer{};
  probe.answer->has_no_new_privileges = true;
  probe.answer->seccomp = 2;
  probe.attacks = {{"docker run --privileged", true, false, ""}};
  facts.probes = {probe};
  return facts;
}

}  // namespace runclad::doctor
