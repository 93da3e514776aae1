// Directories as engines lay them out, below /srv of a private mount namespace.
#pragma once

#include <string>

#include "runclad/engine/layout.hpp"

#include "../mount_namespace.hpp"

namespace runclad::engine {

inline const std::string kId(64, 'a');
inline const std::string kPeer(64, 'b');
inline const std::string kOther(64, 'c');

// config.v2.json as dockerd 20.10 writes it, as far as anyone reads it.
inline std::string DockerConfig(const std::string& id, const std::string& mount_points) {
  return R"({"StreamConfig":{},"State":{"Running":false,"Pid":0},"ID":")" + id +
         R"(","Config":{"Env":null},"Image":"sha256:0","MountPoints":{)" + mount_points + "}}";
}

inline std::string MountPoint(const std::string& name, const std::string& type = "volume",
                              const std::string& driver = "local") {
  return R"("/)" + name + R"(":{"Source":"","Destination":"/data","RW":true,"Name":")" + name +
         R"(","Driver":")" + driver + R"(","Type":")" + type + R"("})";
}

// May be called again. A container of Docker's with the volume "mine", as dockerd has it when it
// calls create.
inline Call MakeDocker() {
  using runclad::testing::MakeDirectories;
  using runclad::testing::WriteFile;
  const std::string root = "/srv/docker";
  for (const std::string& id : {kId, kPeer, kOther}) {
    const std::string directory = root + "/containers/" + id;
    for (const char* file : {"hostname", "hosts", "resolv.conf"}) {
      WriteFile(directory + "/" + file);
    }
    MakeDirectories(directory + "/mounts/shm");
    MakeDirectories(directory + "/mounts/secrets");
    WriteFile(directory + "/config.v2.json", DockerConfig(id, MountPoint("mine")));
  }
  for (const char* volume : {"mine", "others"}) {
    WriteFile(root + "/volumes/" + volume + "/_data/file");
  }
  MakeDirectories(root + "/overlay2/layer/merged");
  const std::string task = "/io.containerd.runtime.v2.task/moby/" + kId;
  MakeDirectories("/srv/run/containerd" + task);
  MakeDirectories("/srv/containerd" + task);
  MakeDirectories("/srv/run/docker/runtime-runclad/moby");
  const std::string link = "/srv/run/containerd" + task + "/work";
  if (!std::filesystem::exists(link)) {
    std::filesystem::create_directory_symlink("/srv/containerd" + task, link);
  }
  return {kId, "/srv/run/containerd" + task, "/srv/run/docker/runtime-runclad/moby",
          root + "/overlay2/layer/merged"};
}

}  // namespace runclad::engine
