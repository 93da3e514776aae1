// Which files are an engine's own. Long: four engines, each with the places and near misses of its
// own.
#include "runclad/engine/own_files.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include <gtest/gtest.h>

#include "runclad/engine/identify.hpp"

#include "fixture.hpp"

namespace runclad::engine::own_files_test {
namespace {

using runclad::testing::InPrivateMounts;
using runclad::testing::MakeDirectories;
using runclad::testing::WriteFile;
using Strings = std::vector<std::string>;

Claim ClaimOf(OwnFiles& files, const std::string& path) {
  const auto located = sys::Locate(path);
  EXPECT_TRUE(located) << located.error().message;
  return located ? files.Of(*located) : Claim::kNone;
}

void ExpectClaim(Claim claim, OwnFiles& files, const Strings& paths) {
  for (const std::string& path : paths) EXPECT_EQ(ClaimOf(files, path), claim) << path;
}

const std::string kContainers = "/srv/docker/containers/";

TEST(OwnFiles, IncludeOnlyDockersOwnFiles) {
  InPrivateMounts([] {
    OwnFiles files(Discover(MakeDocker()), {});
    const std::string own = kContainers + kId;
    WriteFile(own + "/mounts/secrets/token");
    WriteFile(own + "/hosts.bak");
    ASSERT_EQ(::symlink("/etc", (own + "/mounts/link").c_str()), 0);
    ExpectClaim(Claim::kFile, files,
                {own + "/hosts", own + "/hostname", own + "/resolv.conf", own + "/mounts/shm",
                 own + "/mounts/secrets", own + "/mounts/secrets/token", own + "/mounts/../hosts"});
    ExpectClaim(
        Claim::kNone, files,
        {own, own + "/config.v2.json", own + "/mounts", own + "/hosts.bak", own + "/mounts/link",
         "/srv/docker", kContainers, "/srv/docker/volumes", kContainers + kPeer + "/hosts",
         kContainers + kPeer + "/mounts/shm", "/srv/docker/overlay2/layer/merged", "/etc/hosts"});
  });
}

TEST(OwnFiles, ALinkInPlaceOfAFileIsResolved) {
  InPrivateMounts([] {
    OwnFiles files(Discover(MakeDocker()), {});
    const std::string hosts = kContainers + kId + "/hosts";
    ASSERT_EQ(::unlink(hosts.c_str()), 0);
    ASSERT_EQ(::symlink("/etc/passwd", hosts.c_str()), 0);
    EXPECT_EQ(ClaimOf(files, hosts), Claim::kNone);
  });
}

TEST(OwnFiles, IncludeFilesOfTheContainerWhoseNamespaceIsJoined) {
  InPrivateMounts([] {
    const Layout layout = Discover(MakeDocker());
    const Strings network = {kContainers + kPeer + "/hosts", kContainers + kPeer + "/hostname",
                             kContainers + kPeer + "/resolv.conf"};
    const Strings ipc = {kContainers + kPeer + "/mounts/shm"};
    const Strings never = {kContainers + kPeer + "/config.v2.json",
                           kContainers + kPeer + "/mounts/secrets", kContainers + kOther + "/hosts",
                           kContainers + kOther + "/mounts/shm"};
    OwnFiles by_network(layout, {{kPeer, "network"}});
    ExpectClaim(Claim::kFile, by_network, network);
    ExpectClaim(Claim::kNone, by_network, ipc);
    ExpectClaim(Claim::kNone, by_network, never);
    OwnFiles by_ipc(layout, {{kPeer, "ipc"}});
    ExpectClaim(Claim::kFile, by_ipc, ipc);
    ExpectClaim(Claim::kNone, by_ipc, network);
    ExpectClaim(Claim::kNone, by_ipc, never);
  });
}

TEST(OwnFiles, FollowAChainOfJoinedContainers) {
  InPrivateMounts([] {
    OwnFiles files(Discover(MakeDocker()), {{kPeer, "network"}});
    Strings asked;
    files.AddSharers([&](std::string_view id, std::string_view type) {
      asked.push_back(std::string(id) + " " + std::string(type));
      return id == kOther && type == "network";
    });
    ExpectClaim(Claim::kFile, files, {kContainers + kOther + "/hosts"});
    ExpectClaim(Claim::kNone, files, {kContainers + kOther + "/mounts/shm"});
    EXPECT_EQ(asked, (Strings{kOther + " network", kOther + " ipc"}));
    ExpectClaim(Claim::kFile, files,
                {kContainers + kPeer + "/hosts", kContainers + kId + "/hosts"});
    ExpectClaim(Claim::kNone, files,
                {kContainers + kOther + "/config.v2.json", kContainers + kOther,
                 kContainers + kOther + "/mounts/secrets"});
    EXPECT_EQ(asked.size(), 2U) << "only about files of others that may be shared";
  });
}

TEST(OwnFiles, IncludeTheVolumesInDockersState) {
  InPrivateMounts([] {
    const Call call = MakeDocker();
    const std::string config = kContainers + kId + "/config.v2.json";
    const auto claim_with = [&](const std::string& text) {
      WriteFile(config, text);
      OwnFiles files(Discover(call), {});
      files.AddVolumes(Identify(files.layout(), call).local_volumes);
      ExpectClaim(Claim::kNone, files,
                  {"/srv/docker/volumes/mine", "/srv/docker/volumes/mine/_data/file",
                   "/srv/docker/volumes/others/_data"});
      return ClaimOf(files, "/srv/docker/volumes/mine/_data");
    };
    EXPECT_EQ(claim_with(DockerConfig(kId, MountPoint("mine"))), Claim::kVolume);
    EXPECT_EQ(claim_with(DockerConfig(kId, MountPoint("a") + "," + MountPoint("mine"))),
              Claim::kVolume);
    EXPECT_EQ(claim_with(DockerConfig(kId, "")), Claim::kNone);
    EXPECT_EQ(claim_with(DockerConfig(kId, MountPoint("mine", "bind"))), Claim::kNone);
    EXPECT_EQ(claim_with(DockerConfig(kId, MountPoint("mine", "volume", "plugin"))), Claim::kNone);
    EXPECT_EQ(claim_with(DockerConfig(kOther, MountPoint("mine"))), Claim::kNone);
    EXPECT_EQ(claim_with(DockerConfig(kId, MountPoint("mine")) + "x"), Claim::kNone);
    EXPECT_EQ(claim_with("[]"), Claim::kNone);
    EXPECT_EQ(claim_with(R"({"ID":")" + kId + R"(","MountPoints":[1]})"), Claim::kNone);
    EXPECT_EQ(claim_with(R"({"ID":")" + kId + R"(","MountPoints":{"/a":1}})"), Claim::kNone);
    WriteFile(config, DockerConfig(kId, MountPoint("mine")));
    OwnFiles files(Discover(call), {});
    ASSERT_EQ(::chmod(config.c_str(), 0666), 0);
    files.AddVolumes(Identify(files.layout(), call).local_volumes);
    EXPECT_EQ(ClaimOf(files, "/srv/docker/volumes/mine/_data"), Claim::kNone)
        << "others could have written it";
  });
}

TEST(OwnFiles, IncludeTheSandboxFilesOfContainerd) {
  InPrivateMounts([] {
    Layout layout;
    layout.engine = Engine::kContainerd;
    layout.id = kId;
    layout.containerd_root = "/srv/lib";
    layout.containerd_state = "/srv/run";
    const std::string sandboxes = "io.containerd.grpc.v1.cri/sandboxes/";
    for (const std::string& id : {kId, kPeer}) {
      for (const char* file : {"hostname", "hosts", "resolv.conf", "other"}) {
        WriteFile("/srv/lib/" + sandboxes + id + "/" + file);
      }
      MakeDirectories("/srv/run/" + sandboxes + id + "/shm");
    }
    const auto file = [&](const std::string& id, const char* name) {
      return "/srv/lib/" + sandboxes + id + "/" + name;
    };
    const auto shm = [&](const std::string& id) { return "/srv/run/" + sandboxes + id + "/shm"; };
    OwnFiles alone(layout, {});
    ExpectClaim(Claim::kFile, alone, {file(kId, "hosts"), file(kId, "resolv.conf"), shm(kId)});
    ExpectClaim(Claim::kNone, alone,
                {file(kId, "other"), file(kPeer, "hosts"), shm(kPeer), "/srv/lib/" + sandboxes});
    OwnFiles member(layout, {{kPeer, "network"}, {kPeer, "ipc"}});
    ExpectClaim(
        Claim::kFile, member,
        {file(kPeer, "hosts"), file(kPeer, "hostname"), file(kPeer, "resolv.conf"), shm(kPeer)});
    ExpectClaim(Claim::kNone, member, {file(kPeer, "other")});
  });
}

TEST(OwnFiles, IncludeNerdctlsFilesOfTheContainerAndVolumesOfItsNamespace) {
  InPrivateMounts([] {
    ASSERT_EQ(::mount("tmpfs", "/var/lib", "tmpfs", 0, "mode=755"), 0);
    Layout layout;
    layout.engine = Engine::kContainerd;
    layout.id = kId;
    layout.bundle = "/run/containerd/io.containerd.runtime.v2.task/shop/" + kId;
    const std::string data = "/var/lib/nerdctl/1935db59/";
    const auto containers = [&](const char* name_space, const std::string& id) {
      return data + "containers/" + name_space + '/' + id + '/';
    };
    const Strings own = {containers("shop", kId) + "hostname",
                         containers("shop", kId) + "resolv.conf",
                         data + "etchosts/shop/" + kId + "/hosts"};
    const Strings peers = {containers("shop", kPeer) + "resolv.conf",
                           data + "etchosts/shop/" + kPeer + "/hosts"};
    const Strings never = {containers("shop", kId) + "log-config.json",
                           containers("default", kId) + "hostname",
                           data + "etchosts/default/" + kId + "/hosts",
                           data + "etchosts/shop/" + kId + "/hostname",
                           data + "volumes/default/data/_data/file",
                           "/var/lib/nerdctl/containers/shop/" + kId + "/hosts"};
    for (const Strings& paths : {own, peers, never}) {
      for (const std::string& path : paths) WriteFile(path);
    }
    MakeDirectories(data + "volumes/shop/data/_data/part");
    OwnFiles files(layout, {});
    ExpectClaim(Claim::kFile, files, own);
    ExpectClaim(Claim::kVolume, files, {data + "volumes/shop/data/_data"});
    ExpectClaim(Claim::kNone, files, peers);
    ExpectClaim(Claim::kNone, files, never);
    ExpectClaim(
        Claim::kNone, files,
        {data + "volumes/shop/data", data + "volumes/shop/data/_data/part",
         data + "volumes/default/data/_data", containers("shop", kId), data, "/var/lib/nerdctl"});
    OwnFiles joined(layout, {{kPeer, "network"}});
    ExpectClaim(Claim::kFile, joined, peers);
    constexpr uid_t kSomeone = 1000;
    ASSERT_EQ(::chown(containers("shop", kId).c_str(), kSomeone, 0), 0);
    ExpectClaim(Claim::kNone, files, {own.front()});
    layout.engine = Engine::kUnknown;
    OwnFiles of_nobody(layout, {});
    ExpectClaim(Claim::kNone, of_nobody, {own.back(), data + "volumes/shop/data/_data"});
  });
}

TEST(OwnFiles, TakeTheSandboxFromTheRecord) {
  InPrivateMounts([] {
    Layout layout;
    layout.engine = Engine::kContainerd;
    layout.id = kId;
    layout.containerd_root = "/srv/lib";
    layout.containerd_state = "/srv/run";
    const std::string root = "/srv/lib/io.containerd.grpc.v1.cri/";
    const std::string state = "/srv/run/io.containerd.grpc.v1.cri/";
    for (const std::string& id : {kId, kPeer, kOther}) {
      WriteFile(root + "sandboxes/" + id + "/hosts");
      MakeDirectories(state + "sandboxes/" + id + "/shm");
      MakeDirectories(root + "containers/" + id + "/volumes/1/below");
    }
    OwnFiles files(layout, {}, {kPeer, ""});
    ExpectClaim(Claim::kFile, files,
                {root + "sandboxes/" + kPeer + "/hosts", state + "sandboxes/" + kPeer + "/shm",
                 root + "containers/" + kId + "/volumes/1"});
    ExpectClaim(
        Claim::kNone, files,
        {root + "sandboxes/" + kOther + "/hosts", state + "sandboxes/" + kOther + "/shm",
         root + "sandboxes/" + kPeer, root + "containers/" + kId,
         root + "containers/" + kId + "/volumes", root + "containers/" + kId + "/volumes/1/below",
         root + "containers/" + kPeer + "/volumes/1"});
    OwnFiles of_no_pod(layout, {});
    ExpectClaim(Claim::kNone, of_no_pod,
                {root + "sandboxes/" + kPeer + "/hosts", state + "sandboxes/" + kPeer + "/shm"});
  });
}

TEST(OwnFiles, IncludeOnlyLeavesOfThePodsKubeletDirectory) {
  InPrivateMounts([] {
    runclad::testing::TmpfsMount("/var/lib");
    MakeDirectories("/srv/kubelet");
    ASSERT_EQ(::symlink("/srv/kubelet", "/var/lib/kubelet"), 0);
    Layout layout;
    layout.engine = Engine::kContainerd;
    layout.id = kId;
    const auto pod = [](const std::string& uid) { return "/var/lib/kubelet/pods/" + uid + "/"; };
    const Strings regular = {"etc-hosts", "containers/app/1a2b3c4d",
                             "plugins/kubernetes.io~empty-dir/cache/ready", "containers/app/x/y",
                             "other"};
    const Strings directories = {"volumes/kubernetes.io~empty-dir/cache/below",
                                 "volumes/kubernetes.io~csi/pv/mount/below",
                                 "volume-subpaths/cache/app/0/below"};
    for (const std::string uid : {"own", "other"}) {
      for (const std::string& file : regular) WriteFile(pod(uid) + file);
      for (const std::string& directory : directories) MakeDirectories(pod(uid) + directory);
    }
    MakeDirectories("/srv/kubelet/plugins/kubernetes.io/csi/driver/1/globalmount");
    OwnFiles files(layout, {}, {kPeer, "own"});
    ExpectClaim(Claim::kFile, files,
                {pod("own") + "etc-hosts", pod("own") + "containers/app/1a2b3c4d"});
    ExpectClaim(Claim::kPodVolume, files,
                {pod("own") + "volumes/kubernetes.io~empty-dir/cache",
                 pod("own") + "volumes/kubernetes.io~csi/pv/mount"});
    ExpectClaim(Claim::kPodPart, files, {pod("own") + "volume-subpaths/cache/app/0"});
    ExpectClaim(Claim::kNone, files,
                {"/var/lib/kubelet",
                 "/var/lib/kubelet/pods",
                 pod("own"),
                 pod("own") + "volumes",
                 pod("own") + "volumes/kubernetes.io~empty-dir",
                 pod("own") + "volumes/kubernetes.io~csi/pv",
                 pod("own") + "volumes/kubernetes.io~empty-dir/cache/below",
                 pod("own") + "volumes/kubernetes.io~csi/pv/mount/below",
                 pod("own") + "volume-subpaths",
                 pod("own") + "volume-subpaths/cache/app",
                 pod("own") + "volume-subpaths/cache/app/0/below",
                 pod("own") + "containers",
                 pod("own") + "containers/app",
                 pod("own") + "containers/app/x/y",
                 pod("own") + "other",
                 pod("own") + "plugins/kubernetes.io~empty-dir/cache/ready",
                 pod("own") + "../other/etc-hosts",
                 pod("other") + "etc-hosts",
                 pod("other") + "containers/app/1a2b3c4d",
                 pod("other") + "volumes/kubernetes.io~empty-dir/cache",
                 pod("other") + "volume-subpaths/cache/app/0",
                 "/var/lib/kubelet/plugins/kubernetes.io/csi/driver/1/globalmount"});
    for (const std::string uid : {"", ".", "..", "own/volumes", "own/", "other/../own"}) {
      OwnFiles strange(layout, {}, {kPeer, uid});
      ExpectClaim(Claim::kNone, strange,
                  {pod("own") + "etc-hosts", pod("own") + "volumes/kubernetes.io~empty-dir/cache"});
    }
  });
}

TEST(OwnFiles, IncludeTheHostsShmOnlyIfAllowed) {
  InPrivateMounts([] {
    OwnFiles files(Discover(MakeDocker()), {});
    ExpectClaim(Claim::kNone, files, {"/dev/shm"});
    files.AddHostShm();
    ExpectClaim(Claim::kFile, files, {"/dev/shm"});
    ExpectClaim(Claim::kNone, files, {"/dev", "/"});
  });
}

TEST(OwnFiles, IncludePodmansUserdataBelowBothRoots) {
  InPrivateMounts([] {
    Layout layout;
    layout.engine = Engine::kPodman;
    layout.id = kId;
    layout.data_root = "/srv/storage";
    layout.storage_driver = "overlay";
    const auto userdata = [](const std::string& root, const std::string& id) {
      return root + "/overlay-containers/" + id + "/userdata/";
    };
    const std::string run = userdata("/srv/run", kId);
    for (const std::string& id : {kId, kPeer}) {
      for (const char* file :
           {"hostname", "hosts", "resolv.conf", ".containerenv", "config.json", "secrets/token"}) {
        WriteFile(userdata("/srv/run", id) + file);
      }
      MakeDirectories(userdata("/srv/storage", id) + "shm");
      MakeDirectories(userdata("/srv/storage", id) + "overlay/123/upper");
      MakeDirectories(userdata("/srv/run", id) + "run/secrets");
    }
    MakeDirectories("/srv/storage/volumes/any/_data/below");
    OwnFiles files(layout, {{kPeer, "ipc"}});
    ExpectClaim(Claim::kFile, files,
                {run + "hostname", run + "hosts", run + "resolv.conf", run + ".containerenv",
                 run + "secrets/token", run + "run/secrets", userdata("/srv/storage", kId) + "shm",
                 userdata("/srv/storage", kPeer) + "shm",
                 userdata("/srv/storage", kId) + "overlay/123/upper"});
    ExpectClaim(Claim::kNone, files,
                {run + "config.json", run, userdata("/srv/run", kPeer) + "hosts",
                 userdata("/srv/storage", kPeer) + "overlay/123/upper",
                 userdata("/srv/storage", kId) + "overlay/123", "/srv/storage/volumes/any",
                 "/srv/storage/volumes/any/_data/below"});
    ExpectClaim(Claim::kVolume, files, {"/srv/storage/volumes/any/_data"});
    // Of CRI-O the sandbox is known without that a process of it is joined.
    layout.engine = Engine::kCrio;
    OwnFiles member(layout, {}, {kPeer, ""});
    ExpectClaim(
        Claim::kFile, member,
        {run + "hosts", userdata("/srv/run", kPeer) + "hosts",
         userdata("/srv/run", kPeer) + "resolv.conf", userdata("/srv/storage", kPeer) + "shm"});
    ExpectClaim(Claim::kNone, member,
                {userdata("/srv/run", kPeer) + "config.json",
                 userdata("/srv/run", kPeer) + "secrets/token"});
    // A directory of that shape that somebody else made.
    constexpr uid_t kSomeone = 1000;
    WriteFile(userdata("/srv/home", kId) + "hosts");
    ASSERT_EQ(::chown("/srv/home", kSomeone, 0), 0);
    ExpectClaim(Claim::kNone, files, {userdata("/srv/home", kId) + "hosts"});
    // podman gives both directories to the container's root where that is another user.
    layout.engine = Engine::kPodman;
    OwnFiles mapped(layout, {});
    const std::string hosts = run + "hosts";
    ASSERT_EQ(::chown(run.c_str(), kSomeone, kSomeone), 0);
    ExpectClaim(Claim::kNone, mapped, {hosts});
    mapped.AddMappedRoot(kSomeone + 1);
    ExpectClaim(Claim::kNone, mapped, {hosts});
    mapped.AddMappedRoot(kSomeone);
    ExpectClaim(Claim::kFile, mapped, {hosts});
    ASSERT_EQ(::chmod(run.c_str(), 0777), 0);
    ExpectClaim(Claim::kNone, mapped, {hosts});
    ASSERT_EQ(::chmod(run.c_str(), 0711), 0);
    const std::string above = "/srv/run/overlay-containers/" + kId;
    ASSERT_EQ(::chown(above.c_str(), kSomeone, kSomeone), 0);
    ExpectClaim(Claim::kNone, mapped, {hosts});
    ASSERT_EQ(::chown(above.c_str(), 0, 0), 0);
    layout.storage_driver = "vfs";
    OwnFiles other_driver(layout, {});
    ExpectClaim(Claim::kNone, other_driver, {run + "hosts"});
  });
}

TEST(OwnFiles, IncludeTheExecutorFilesOfBuildkit) {
  InPrivateMounts([] {
    Layout layout;
    layout.engine = Engine::kBuildkit;
    layout.id = "abc";
    layout.data_root = "/srv/executor";
    WriteFile("/srv/executor/hosts");
    WriteFile("/srv/executor/resolv.conf");
    WriteFile("/srv/executor/other");
    MakeDirectories("/srv/executor/abc");
    OwnFiles files(layout, {});
    ExpectClaim(Claim::kFile, files, {"/srv/executor/hosts", "/srv/executor/resolv.conf"});
    ExpectClaim(Claim::kNone, files, {"/srv/executor/other", "/srv/executor/abc", "/srv/executor"});
  });
}

TEST(OwnFiles, IncludeTheFilesInBuildahsBundle) {
  InPrivateMounts([] {
    Layout layout;
    layout.engine = Engine::kBuildkit;
    layout.bundle = layout.data_root = "/srv/buildah1";
    MakeDirectories("/srv/buildah1/run");
    MakeDirectories("/srv/buildah1/mnt");
    MakeDirectories("/srv/buildah2");
    for (const char* path :
         {"/srv/buildah1/hosts", "/srv/buildah1/hostname", "/srv/buildah1/resolv.conf",
          "/srv/buildah1/run/.containerenv", "/srv/buildah1/config.json", "/srv/buildah1/run/hosts",
          "/srv/buildah1/mnt/buildah-bind-target-0", "/srv/buildah2/hosts"}) {
      WriteFile(path);
    }
    OwnFiles files(layout, {});
    ExpectClaim(Claim::kFile, files,
                {"/srv/buildah1/hosts", "/srv/buildah1/hostname", "/srv/buildah1/resolv.conf",
                 "/srv/buildah1/run/.containerenv"});
    // Whatever is mounted below mnt was asked for; the last one is another step's.
    ExpectClaim(Claim::kNone, files,
                {"/srv/buildah1", "/srv/buildah1/config.json", "/srv/buildah1/run/hosts",
                 "/srv/buildah1/mnt/buildah-bind-target-0", "/srv/buildah2/hosts"});
  });
}

TEST(OwnFiles, IncludeTheSshAgentThatBuildahForwards) {
  InPrivateMounts([] {
    Layout layout;
    layout.engine = Engine::kBuildkit;
    layout.bundle = layout.data_root = "/srv/buildah1";
    const std::string target = "/srv/buildah1/mnt/buildah-bind-target-";
    const auto bind = [&](int number, const std::string& directory) {
      const std::string socket = directory + "/ssh_auth_sock";
      MakeDirectories(directory);
      ASSERT_EQ(::mknod(socket.c_str(), S_IFSOCK | 0600, 0), 0) << socket;
      runclad::testing::BindMount(socket, target + std::to_string(number));
    };
    bind(1, "/srv/.buildah-ssh-sock3155744888");
    bind(2, "/srv/.buildah-ssh-sock");
    bind(3, "/srv/users");
    bind(4, "/srv/.buildah-ssh-sock7");
    ASSERT_EQ(::chown("/srv/.buildah-ssh-sock7", 1000, 1000), 0);
    runclad::testing::BindMount("/srv/.buildah-ssh-sock3155744888/ssh_auth_sock",
                                "/srv/buildah1/mnt/other");
    OwnFiles files(layout, {});
    ExpectClaim(Claim::kFile, files, {target + "1"});
    ExpectClaim(Claim::kNone, files,
                {target + "2", target + "3", target + "4", "/srv/buildah1/mnt/other",
                 "/srv/.buildah-ssh-sock3155744888/ssh_auth_sock"});
  });
}

TEST(OwnFiles, IncludeTheCachesAndImagesOfBuildkit) {
  InPrivateMounts([] {
    Layout layout;
    layout.engine = Engine::kBuildkit;
    layout.id = "abc";
    layout.data_root = "/srv/docker/buildkit/executor";
    const std::vector<std::string> own = {
        "/srv/docker/overlay2/layer/diff",
        "/srv/docker/overlay2/layer/merged",
        "/srv/docker/tmp/buildkit-mount474628795",
        "/srv/docker/buildkit/containerd-overlayfs/cachemounts/buildkit615100852",
        "/srv/docker/buildkit/cachemounts/buildkit615100852",
        "/srv/docker/buildkit/snapshots/snapshots/12/fs",
        "/srv/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/22/fs",
    };
    const std::vector<std::string> others = {
        "/srv/docker/overlay2",
        "/srv/docker/overlay2/layer",
        "/srv/docker/overlay2/layer/work",
        "/srv/docker/overlay2/layer/diff/below",
        "/srv/docker/tmp",
        "/srv/docker/tmp/buildkit-mount",
        "/srv/docker/tmp/buildkit-mount474628795/below",
        "/srv/docker/tmp/safe-mount474628795",
        "/srv/docker/containers/abc",
        "/srv/docker/volumes/mine/_data",
        "/srv/docker/buildkit",
        "/srv/docker/buildkit/containerd-overlayfs/cachemounts",
        "/srv/docker/buildkit/cachemounts/other",
        "/srv/docker/buildkit/snapshots/snapshots/12/work",
        "/srv/docker/buildkit/snapshots/snapshots/x/fs",
        "/srv/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/22",
        "/srv/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/22/fs/below",
        "/srv/containerd/io.containerd.metadata.v1.bolt",
    };
    for (const std::string& path : own) MakeDirectories(path);
    for (const std::string& path : others) MakeDirectories(path);
    MakeDirectories("/srv/docker/buildkit/executor/abc");
    OwnFiles files(layout, {});
    for (const std::string& path : own) ExpectClaim(Claim::kFile, files, {path});
    for (const std::string& path : others) ExpectClaim(Claim::kNone, files, {path});
    // The files of an image may be anybody's, the place where BuildKit has them not.
    ASSERT_EQ(::chown(own[0].c_str(), 1000, 1000), 0);
    ExpectClaim(Claim::kFile, files, {own[0]});
    ASSERT_EQ(::chown("/srv/docker/overlay2/layer", 1000, 1000), 0);
    ExpectClaim(Claim::kNone, files, {own[0], own[1]});
    // What Docker starts for others has none of it.
    layout.engine = Engine::kDocker;
    layout.data_root = "/srv/docker";
    OwnFiles of_docker(layout, {});
    ExpectClaim(Claim::kNone, of_docker, {own[2], own[3], own[6]});
  });
}

TEST(OwnFiles, IncludeTheSshAgentThatBuildkitForwards) {
  InPrivateMounts([] {
    Layout layout;
    layout.engine = Engine::kBuildkit;
    layout.data_root = "/srv/docker/buildkit/executor";
    const std::vector<std::string> own = {"/srv/docker/tmp/.buildkit-ssh-sock23/ssh_auth_sock",
                                          "/srv/tmp/.buildkit-ssh-sock1925302605/ssh_auth_sock"};
    const std::vector<std::string> others = {
        "/srv/docker/tmp/ssh_auth_sock", "/srv/docker/tmp/.buildkit-ssh-sock/ssh_auth_sock",
        "/srv/docker/tmp/.buildkit-ssh-sock23x/ssh_auth_sock",
        "/srv/docker/tmp/.buildkit-ssh-sock23/other", "/srv/docker.sock"};
    for (const std::vector<std::string>& paths : {own, others}) {
      for (const std::string& path : paths) {
        MakeDirectories(path.substr(0, path.rfind('/')));
        ASSERT_EQ(::mknod(path.c_str(), S_IFSOCK | 0600, 0), 0) << path;
      }
    }
    OwnFiles files(layout, {});
    for (const std::string& path : own) ExpectClaim(Claim::kFile, files, {path});
    for (const std::string& path : others) ExpectClaim(Claim::kNone, files, {path});
    ASSERT_EQ(::chown("/srv/tmp/.buildkit-ssh-sock1925302605", 1000, 1000), 0);
    ExpectClaim(Claim::kNone, files, {own[1]});
    layout.engine = Engine::kDocker;
    layout.data_root = "/srv/docker";
    OwnFiles of_docker(layout, {});
    ExpectClaim(Claim::kNone, of_docker, {own[0]});
  });
}

TEST(OwnFiles, AreEmptyWithoutAnEngine) {
  InPrivateMounts([] {
    MakeDocker();
    OwnFiles files;
    ExpectClaim(Claim::kNone, files, {kContainers + kId + "/hosts", "/etc/hosts", "/"});
  });
}

TEST(EngineInit, IsRecognisedByItsInode) {
  InPrivateMounts([] {
    // docker-init is a link to another program on some hosts.
    runclad::testing::TmpfsMount("/usr/local/bin");
    WriteFile("/srv/tini");
    WriteFile("/srv/other");
    ASSERT_EQ(::symlink("/srv/tini", "/usr/local/bin/docker-init"), 0);
    const auto is_init = [](const char* path) {
      const auto located = sys::Locate(path);
      return located && IsEngineInit(*located);
    };
    EXPECT_TRUE(is_init("/usr/local/bin/docker-init"));
    EXPECT_TRUE(is_init("/srv/tini"));
    EXPECT_FALSE(is_init("/srv/other"));
    EXPECT_FALSE(is_init("/usr/local/bin"));
    constexpr uid_t kSomeone = 1000;
    ASSERT_EQ(::chown("/srv/tini", kSomeone, 0), 0);
    EXPECT_FALSE(is_init("/srv/tini"));
  });
}

}  // namespace
}  // namespace runclad::engine::own_files_test
