// Who could change what is in the directories that a call names, on real directories.
#include "runclad/host/call_directories.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../mount_namespace.hpp"

namespace runclad::host::call_directories_test {
namespace {

using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files
using ::testing::HasSubstr;

std::string BecauseUnder(const PathLists& lists, const engine::Layout& layout,
                         const std::string& directory) {
  return CallDirectories(lists, layout).ChangeableBecause(directory);
}

TEST(CallDirectories, BelongToRootAloneByTheirPermissions) {
  InPrivateMounts([] {
    MakeDirectories("/srv/state/ns");
    EXPECT_EQ(ChangeableBecause("/srv/state/ns"), "");
    EXPECT_EQ(ChangeableBecause("/srv/state/not/yet/there"), "");
    EXPECT_EQ(ChangeableBecause("/srv/state/../state/ns"), "leads through \"..\"");
    EXPECT_EQ(ChangeableBecause("state/ns"), "is not an absolute path");
    ASSERT_EQ(::chmod("/srv/state", 0775), 0);
    EXPECT_THAT(ChangeableBecause("/srv/state/ns"), HasSubstr("could be changed by group 0"));
    EXPECT_THAT(ChangeableBecause("/srv/state/not/yet"), HasSubstr("could be changed by group 0"));
    ASSERT_EQ(::chmod("/srv/state", 0755), 0);
    ASSERT_EQ(::chown("/srv/state/ns", 1234, 0), 0);
    EXPECT_EQ(ChangeableBecause("/srv/state/ns"),
              "could be changed by user 1234, who owns /srv/state/ns");
    ASSERT_EQ(::symlink("/srv/state", "/srv/link"), 0);
    EXPECT_EQ(ChangeableBecause("/srv/link"), "");
    ASSERT_EQ(::lchown("/srv/link", 1234, 0), 0);
    EXPECT_EQ(ChangeableBecause("/srv/link"), "") << "only root can replace it in /srv";
    WriteFile("/srv/file");
    EXPECT_EQ(ChangeableBecause("/srv/file"), "is not a directory");
  });
}

// A directory that engines give to containers (/dev/shm), other processes' files, and a
// container's root filesystem.
TEST(CallDirectories, AreNotOfAKindThatContainersHave) {
  InPrivateMounts([] {
    MakeDirectories("/srv/shm/state");
    ASSERT_EQ(::chmod("/srv/shm", 01777), 0);
    EXPECT_EQ(ChangeableBecause("/srv/shm/state"),
              "could be changed by any user, who may write to /srv/shm");
    EXPECT_NE(ChangeableBecause("/proc/self/root/srv"), "");
    EXPECT_NE(ChangeableBecause("/proc/self"), "");
    MakeDirectories("/srv/lower/state");
    MakeDirectories("/srv/merged");
    TmpfsMount("/srv/upper");
    MakeDirectories("/srv/upper/upper");
    MakeDirectories("/srv/upper/work");
    ASSERT_EQ(::mount("overlay", "/srv/merged", "overlay", 0,
                      "lowerdir=/srv/lower,upperdir=/srv/upper/upper,workdir=/srv/upper/work"),
              0);
    EXPECT_EQ(ChangeableBecause("/srv/merged/state"), "is on an overlay, as containers' files are");
  });
}

TEST(CallDirectories, AreNotWhereAContainerMayMountThem) {
  InPrivateMounts([] {
    MakeDirectories("/srv/data/state");
    MakeDirectories("/srv/kept/state");
    MakeDirectories("/srv/engine/overlay2/1/diff");
    const std::vector<std::string> data = {"/srv/data"};
    const std::vector<std::string> deny = {"/srv/kept"};
    engine::Layout layout;
    layout.data_directories = {"/srv/engine"};
    const PathLists allow_only = {.data_directories = data, .allow_only = true};
    EXPECT_EQ(BecauseUnder(allow_only, layout, "/srv/data/state"),
              "could be changed by a container that mounts /srv/data, which the policy allows");
    EXPECT_EQ(BecauseUnder(allow_only, layout, "/srv/data"),
              "could be changed by a container that mounts /srv/data, which the policy allows");
    EXPECT_EQ(BecauseUnder(allow_only, layout, "/srv/kept/state"), "");
    const PathLists others = {.deny = deny};
    EXPECT_NE(BecauseUnder(others, layout, "/srv/data/state"), "");
    EXPECT_EQ(BecauseUnder(others, layout, "/srv/kept/state"), "");
    // With what the sentence advises.
    const std::vector<std::string> denied_too = {"/srv/kept", "/srv/data/state"};
    EXPECT_EQ(BecauseUnder({.deny = denied_too}, layout, "/srv/data/state"), "");
    EXPECT_EQ(BecauseUnder({.deny = denied_too, .data_directories = data, .allow_only = true},
                           layout, "/srv/data/state"),
              "");
    EXPECT_EQ(BecauseUnder(allow_only, layout, "/srv/engine/overlay2/1/diff"),
              "is in an engine's storage, where containers write");
    layout.engine = engine::Engine::kPodman;
    layout.bundle = "/srv/engine/overlay2/1/diff";
    EXPECT_EQ(BecauseUnder(allow_only, layout, "/srv/engine/overlay2/1/diff"), "")
        << "the engine's own bundle";
  });
}

// Root has mounted there what containers may mount elsewhere, or lets them have it in another way.
TEST(CallDirectories, AreNotWhereAContainerMayMountThemByAnotherName) {
  InPrivateMounts([] {
    const std::vector<std::string> allow = {"/srv/data"};
    const std::vector<std::string> deny = {"/srv/host"};
    const std::vector<std::string> exactly = {"bind /srv/host/exact rw", "bind /srv/host/read ro",
                                              "nfs4 server:/srv/host/read vers=4.2 rw"};
    const std::vector<std::string> roots = {"/srv/host/roots/*"};
    const PathLists lists = {
        .deny = deny, .allow = allow, .exactly = exactly, .roots = roots, .allow_only = true};
    const engine::Layout layout;
    const auto both = [&](const std::string& path) {
      CallDirectories judge(lists, layout);
      const std::string because = judge.ChangeableBecause(path);
      EXPECT_EQ(judge.SuppliedBecause(path), because);
      return because;
    };
    for (const char* path :
         {"/srv/data/policy", "/srv/host/exact", "/srv/host/read", "/srv/host/roots/a/b"}) {
      MakeDirectories(path);
    }
    BindMount("/srv/data", "/srv/host/alias");
    const std::string kAlias =
        "could be changed by a container that mounts /srv/data, which the policy allows and which "
        "the host also has at /srv/host/alias";
    EXPECT_EQ(both("/srv/host/alias"), kAlias);
    EXPECT_EQ(both("/srv/host/alias/policy"), kAlias);
    EXPECT_EQ(both("/srv/host/exact"),
              "could be changed by a container that is given /srv/host/exact, which the policy "
              "allows");
    EXPECT_NE(both("/srv/host/roots/a/b"), "");
    EXPECT_EQ(both("/srv/host/read"), "");
  });
}

// It is root on the host in any case; every other container would be refused.
TEST(CallDirectories, AreAcceptedAlthoughOneContainerIsGivenTheHost) {
  InPrivateMounts([] {
    MakeDirectories("/etc/runclad");
    MakeDirectories("/run/docker/runtime-runc/moby");
    const engine::Layout layout;
    for (const char* given : {"/", "/etc", "/run", "/usr", "/var", "/var/lib", "/proc/../etc"}) {
      const std::vector<std::string> exactly = {std::string("bind ") + given + " rw"};
      CallDirectories judge({.exactly = exactly, .allow_only = true}, layout);
      EXPECT_EQ(judge.ChangeableBecause("/run/docker/runtime-runc/moby"), "") << given;
      EXPECT_EQ(judge.ChangeableBecause("/etc/runclad"), "") << given;
      EXPECT_EQ(judge.SuppliedBecause("/etc/runclad"), "") << given;
    }
  });
}

// A policy has directories, and so has the state of a runtime.
TEST(CallDirectories, AreNotAboveWhatContainersMayMount) {
  InPrivateMounts([] {
    const std::vector<std::string> allow = {"/srv/policy/images", "/srv/state/*/deep"};
    const engine::Layout layout;
    MakeDirectories("/srv/policy/images");
    MakeDirectories("/srv/state/app");
    MakeDirectories("/srv/free/images");
    CallDirectories judge({.allow = allow, .allow_only = true}, layout);
    const std::string kImages =
        "has something below it that could be changed by a container that mounts "
        "/srv/policy/images, which the policy allows";
    EXPECT_EQ(judge.SuppliedBecause("/srv/policy"), kImages);
    EXPECT_EQ(judge.ChangeableBecause("/srv/policy", Holds::kTree), kImages);
    EXPECT_EQ(judge.ChangeableBecause("/srv/policy"), "") << "of what lies directly in it";
    EXPECT_NE(judge.ChangeableBecause("/srv/state", Holds::kTree), "");
    EXPECT_EQ(judge.SuppliedBecause("/srv/free"), "");
    BindMount("/srv/policy/images", "/srv/free/images");
    CallDirectories again({.allow = allow, .allow_only = true}, layout);
    EXPECT_NE(again.SuppliedBecause("/srv/free"), "");
  });
}

TEST(CallDirectories, KnowsWhatIsMountedOverTheSystem) {
  InPrivateMounts([] {
    EXPECT_EQ(PlaceOnSystem("/usr/bin/env").substr(0, 5), "/usr/");
    TmpfsMount("/run");
    MakeDirectories("/run/policy");
    EXPECT_EQ(PlaceOnSystem("/run/policy/not/yet"), "/run/policy");
    MakeDirectories("/srv/policy");
    EXPECT_EQ(PlaceOnSystem("/srv/policy"), "") << "a tmpfs";
    BindMount("/srv/policy", "/run/policy");
    EXPECT_EQ(PlaceOnSystem("/run/policy"), "");
  });
}

// The log and the pid file of a call: beside what a container has of its own, but not there.
TEST(CallDirectories, AreAcceptedWhereEnginesKeepTheirFiles) {
  const std::string session(64, 'a');
  const std::vector<std::string> engines = {
      "/run/containerd/io.containerd.runtime.v2.task/k8s.io/box",
      "/run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby/1",
      "/run/k3s/containerd/io.containerd.runtime.v2.task/k8s.io/1",
      "/run/containers/storage/overlay-containers/1/userdata",
      "/var/lib/containers/storage/overlay-containers/1/userdata/" + session,
      "/var/lib/docker/buildkit/executor",
      "/var/lib/buildkit/runc-overlayfs/executor"};
  const std::vector<std::string> containers = {
      "/run/containers/storage/overlay-containers/1/userdata/run/secrets",
      "/run/containers/storage/overlay-containers/1/userdata/shm",
      "/run/containerd/io.containerd.runtime.v2.task/k8s.io/box/rootfs",
      "/run/user/0/executor",
      "/var/lib/docker/volumes/executor/_data",
      "/var/lib/containers/storage/overlay/1/diff/x-containers/1/userdata"};
  for (const std::string& directory : engines) EXPECT_TRUE(IsUsualForFiles(directory)) << directory;
  EXPECT_TRUE(IsUsualForFiles("/var" + engines.front()));
  for (const std::string& directory : containers) {
    EXPECT_FALSE(IsUsualForFiles(directory)) << directory;
  }
  for (const char* odd : {"/run/containerd/../x/io.containerd.runtime.v2.task/a/b", "/run", "",
                          "run/containers/storage/overlay-containers/1/userdata",
                          "/run/containers/storage/overlay-containers/1/userdata/"}) {
    EXPECT_FALSE(IsUsualForFiles(odd)) << odd;
  }
  InPrivateMounts([&] {
    TmpfsMount("/run");
    TmpfsMount("/var/lib");
    const engine::Layout layout;
    const auto because = [&](const std::string& path) {
      MakeDirectories(path);
      return CallDirectories({.allow_only = true}, layout).ChangeableBecause(path, Holds::kFiles);
    };
    for (const std::string& directory : engines) EXPECT_EQ(because(directory), "") << directory;
    for (const std::string& directory : containers) EXPECT_NE(because(directory), "") << directory;
    EXPECT_EQ(because("/run/app"), "");
    // Through a link that leads there for now.
    MakeDirectories("/var/lib/docker/overlay2/1/diff");
    ASSERT_EQ(::symlink(engines.front().c_str(), "/var/lib/docker/overlay2/1/diff/link"), 0);
    EXPECT_NE(because("/var/lib/docker/overlay2/1/diff/link"), "");
  });
}

// What belongs to root because an engine wrote it for its users.
TEST(CallDirectories, AreNotWhatUsersOfAnEngineSupply) {
  InPrivateMounts([] {
    const std::vector<std::string> data = {"/srv"};
    const engine::Layout layout;
    const auto because = [&](const std::string& path) {
      return CallDirectories({.allow_only = true}, layout).SuppliedBecause(path);
    };
    TmpfsMount("/var/lib");
    TmpfsMount("/var/tmp");
    TmpfsMount("/run");
    MakeDirectories("/srv/policy");
    WriteFile("/srv/program");
    EXPECT_EQ(because("/srv/policy"), "");
    EXPECT_EQ(because("/srv/program"), "");
    EXPECT_EQ(because("/usr/bin/env"), "");
    EXPECT_EQ(because("srv/policy"), "is not an absolute path");
    EXPECT_EQ(because("/srv/../srv/policy"), "leads through \"..\"");
    const std::string kStorage = "is in an engine's storage, where containers write";
    for (const char* storage :
         {"/var/lib/containers/storage/overlay/1/diff/p", "/var/lib/docker/overlay2/1/diff/p",
          "/var/lib/nerdctl/1935db59/containers/p", "/var/lib/crio/p",
          "/var/lib/rancher/k3s/storage/pvc-1/p", "/var/lib/kubelet/pods/1/volumes/p",
          "/var/lib/k0s/containerd/p", "/var/lib/lxc/c/rootfs/p", "/var/lib/machines/m/p"}) {
      MakeDirectories(storage);
      EXPECT_EQ(because(storage), kStorage) << storage;
      EXPECT_EQ(because(std::string(storage) + "/not/yet"), kStorage) << storage;
    }
    WriteFile("/var/lib/rancher/k3s/data/1/bin/runc");
    ASSERT_EQ(::symlink("1", "/var/lib/rancher/k3s/data/current"), 0);
    for (const char* path :
         {"/var/lib/rancher/k3s/data/1/bin/runc", "/var/lib/rancher/k3s/data/1/bin",
          "/var/lib/rancher/k3s/data/current/bin/runc"}) {
      EXPECT_EQ(because(path), "") << path;
    }
    // runclad's own: a policy of yesterday, and one for a container on trial.
    for (const char* own : {"/var/lib/runclad/policies/1/policy", "/run/runclad/learn/1"}) {
      MakeDirectories(own);
      EXPECT_EQ(because(own), "is what runclad keeps for itself");
    }
    // By another mount, and through a link there that leads to a good place for now.
    BindMount("/var/lib/containers/storage/overlay", "/srv/alias");
    EXPECT_EQ(because("/srv/alias/1/diff/p"), kStorage);
    ASSERT_EQ(::symlink("/srv/policy", "/var/lib/containers/storage/overlay/1/diff/link"), 0);
    const std::string kLink = "leads through a link in an engine's storage, where containers write";
    EXPECT_EQ(because("/var/lib/containers/storage/overlay/1/diff/link"), kLink);
    EXPECT_EQ(BecauseUnder({.allow_only = true}, layout,
                           "/var/lib/containers/storage/overlay/1/diff/link"),
              kLink);
    ASSERT_EQ(::symlink("/srv/policy", "/srv/link"), 0);
    EXPECT_EQ(because("/srv/link"), "");
    // What is of running containers, and what engines unpack.
    for (const char* running : {"/run/containers/storage/overlay-containers/1/userdata/run/secrets",
                                "/run/containerd/io.containerd.runtime.v2.task/moby/1/rootfs"}) {
      MakeDirectories(running);
      EXPECT_EQ(because(running), "is where an engine keeps files of running containers");
    }
    MakeDirectories("/var/tmp/libpod_builder1/build");
    EXPECT_EQ(because("/var/tmp/libpod_builder1/build"),
              "is below /var/tmp, where engines unpack what their users send");
    // Other processes' files, and those of this one.
    for (const char* in_proc : {"/proc/self/root/srv/policy", "/proc/self/cwd", "/proc/1/root/srv",
                                "/proc/self/fd/0", "/dev/fd/0", "/dev/shm"}) {
      EXPECT_NE(because(in_proc), "") << in_proc;
    }
    EXPECT_EQ(CallDirectories({.data_directories = data, .allow_only = true}, layout)
                  .SuppliedBecause("/srv/policy"),
              "could be changed by a container that mounts /srv, which the policy allows");
  });
}

// As where a disk was made for it.
TEST(CallDirectories, AreNotInStorageThatALinkOrAMountPutElsewhere) {
  InPrivateMounts([] {
    TmpfsMount("/var/lib");
    MakeDirectories("/srv/disk/docker/overlay2/1/diff");
    ASSERT_EQ(::symlink("/srv/disk/docker", "/var/lib/docker"), 0);
    MakeDirectories("/srv/other/containers/storage");
    BindMount("/srv/other/containers", "/var/lib/containers");
    const engine::Layout layout;
    CallDirectories judge({.allow_only = true}, layout);
    for (const char* directory :
         {"/srv/disk/docker/overlay2/1/diff", "/var/lib/docker/overlay2/1/diff",
          "/srv/other/containers/storage", "/var/lib/containers/storage"}) {
      EXPECT_EQ(judge.ChangeableBecause(directory),
                "is in an engine's storage, where containers write")
          << directory;
      EXPECT_NE(judge.SuppliedBecause(directory), "") << directory;
    }
    EXPECT_EQ(judge.ChangeableBecause("/srv/disk"), "");
  });
}

TEST(CallDirectories, KnowsWhereRuntimesKeepTheirState) {
  for (const char* usual :
       {"/run/runc", "/run/crun", "/var/run/runc", "/run/containerd/runc/k8s.io",
        "/run/docker/runtime-runc/moby", "/var/run/docker/runtime-runclad/moby"}) {
    EXPECT_TRUE(IsUsualRuntimeRoot(usual)) << usual;
  }
  for (const char* unusual :
       {"/run", "/run/containerd", "/run/containerd/runc", "/run/containerd/runc/a/b",
        "/run/containerd/runc/..", "/run/docker/runtime-runc", "/run/docker/runtime-/../x",
        "/srv/run/runc", "/run/runc/", "runc", "", "/run/containerd/runc/"}) {
    EXPECT_FALSE(IsUsualRuntimeRoot(unusual)) << unusual;
  }
}

}  // namespace
}  // namespace runclad::host::call_directories_test
