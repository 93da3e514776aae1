#include "runclad/engine/layout.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fixture.hpp"

namespace runclad::engine::layout_test {
namespace {

using runclad::testing::InPrivateMounts;
using runclad::testing::MakeDirectories;
using runclad::testing::WriteFile;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Layout, RecognisesDocker) {
  InPrivateMounts([] {
    const Layout layout = Discover(MakeDocker());
    EXPECT_EQ(layout.engine, Engine::kDocker);
    EXPECT_EQ(layout.data_root, "/srv/docker");
    EXPECT_THAT(layout.data_directories, ElementsAre("/srv/containerd", "/srv/docker"));
    EXPECT_THAT(layout.run_directories, ElementsAre("/srv/run/containerd", "/srv/run/docker"));
    EXPECT_THAT(layout.namespace_directories, Contains("/srv/run/docker/netns"));
  });
}

TEST(Layout, RecognisesDockerThroughLinks) {
  InPrivateMounts([] {
    Call call = MakeDocker();
    ASSERT_EQ(::symlink("/srv/docker", "/srv/lib"), 0);
    ASSERT_EQ(::symlink("/srv/run", "/srv/var-run"), 0);
    call.rootfs = "/srv/lib/overlay2/layer/merged";
    call.bundle.replace(0, std::string("/srv/run").size(), "/srv/var-run");
    const Layout layout = Discover(call);
    EXPECT_EQ(layout.data_root, "/srv/docker");
    EXPECT_EQ(layout.bundle, "/srv/run/containerd/io.containerd.runtime.v2.task/moby/" + kId);
  });
}

TEST(Layout, RefusesDockerStateThatOthersCanWrite) {
  InPrivateMounts([] {
    const Call call = MakeDocker();
    constexpr uid_t kSomeone = 1000;
    const std::string container = "/srv/docker/containers/" + kId;
    for (const std::string& path :
         {std::string("/srv/docker"), std::string("/srv/docker/containers"), container,
          container + "/config.v2.json"}) {
      ASSERT_EQ(::chown(path.c_str(), kSomeone, 0), 0);
      EXPECT_EQ(Discover(call).engine, Engine::kContainerd) << path;
      ASSERT_EQ(::chown(path.c_str(), 0, 0), 0);
    }
    ASSERT_EQ(Discover(call).engine, Engine::kDocker);
    ASSERT_EQ(::rename((container + "/config.v2.json").c_str(), "/srv/elsewhere"), 0);
    ASSERT_EQ(::symlink("/srv/elsewhere", (container + "/config.v2.json").c_str()), 0);
    EXPECT_EQ(Discover(call).engine, Engine::kContainerd) << "a link";
  });
}

// dockerd makes directories at any path that its users name: the record of another engine's
// container.
TEST(Layout, ADirectoryIsNotARecordOfDocker) {
  InPrivateMounts([] {
    Call call = MakeDocker();
    const Layout without = Discover(call);
    call.rootfs = "/srv/docker/other/overlay2/layer/merged";
    MakeDirectories(call.rootfs);
    MakeDirectories("/srv/docker/other/containers/" + kId + "/config.v2.json");
    const Layout layout = Discover(call);
    EXPECT_EQ(layout.engine, without.engine);
    EXPECT_EQ(layout.data_root, without.data_root);
  });
}

TEST(Layout, TheIdMustMatchTheBundle) {
  InPrivateMounts([] {
    Call call = MakeDocker();
    call.id = kOther;
    const Layout layout = Discover(call);
    EXPECT_EQ(layout.engine, Engine::kUnknown);
    EXPECT_THAT(layout.data_directories, IsEmpty());
  });
}

TEST(Layout, RecognisesContainerd) {
  InPrivateMounts([] {
    const std::string task = "/io.containerd.runtime.v2.task/k8s.io/" + kId;
    MakeDirectories("/srv/run/containerd" + task + "/rootfs");
    MakeDirectories("/srv/lib/containerd" + task);
    ASSERT_EQ(::symlink(("/srv/lib/containerd" + task).c_str(),
                        ("/srv/run/containerd" + task + "/work").c_str()),
              0);
    const Layout layout = Discover({kId, "/srv/run/containerd" + task, "/srv/run/runc/k8s.io",
                                    "/srv/run/containerd" + task + "/rootfs"});
    EXPECT_EQ(layout.engine, Engine::kContainerd);
    EXPECT_EQ(layout.containerd_root, "/srv/lib/containerd");
    EXPECT_EQ(layout.containerd_state, "/srv/run/containerd");
    EXPECT_THAT(layout.data_directories, ElementsAre("/srv/lib/containerd"));
    EXPECT_THAT(layout.run_directories, ElementsAre("/srv/run/containerd"));
  });
}

TEST(Layout, RecognisesPodmanAndCrio) {
  InPrivateMounts([] {
    const std::string bundle = "/srv/storage/overlay-containers/" + kId + "/userdata";
    MakeDirectories(bundle);
    const Layout podman = Discover({kId, bundle, "", "/srv/storage/overlay/x/merged"});
    EXPECT_EQ(podman.engine, Engine::kPodman);
    EXPECT_EQ(podman.data_root, "/srv/storage");
    EXPECT_EQ(podman.storage_driver, "overlay");
    EXPECT_THAT(podman.data_directories, ElementsAre("/srv/storage"));
    EXPECT_EQ(Discover({kId, bundle, "/run/runc", "/x"}).engine, Engine::kCrio);
    EXPECT_EQ(Discover({kOther, bundle, "", "/x"}).engine, Engine::kUnknown);
    // podman --runtime-flag root=…
    MakeDirectories("/srv/storage/overlay/x/merged");
    EXPECT_EQ(Discover({kId, bundle, "/opt/state", "/srv/storage/overlay/x/merged"}).engine,
              Engine::kPodman);
  });
}

// CRI-O's bundles lie below the runroot; what it knows of its containers, below the graphroot.
TEST(Layout, FindsTheStorageOfCrioByTheRootfs) {
  InPrivateMounts([] {
    const std::string bundle = "/srv/run/overlay-containers/" + kId + "/userdata";
    const std::string own = "/srv/storage/overlay-containers/" + kId;
    const std::string rootfs = "/srv/storage/overlay/x/merged";
    for (const std::string& path : {bundle, own, rootfs, std::string("/srv/storage/vfs/dir/x")}) {
      MakeDirectories(path);
    }
    const Layout crio = Discover({kId, bundle, "/run/runc", rootfs});
    EXPECT_EQ(crio.engine, Engine::kCrio);
    EXPECT_EQ(crio.data_root, "/srv/storage");
    EXPECT_EQ(crio.storage_driver, "overlay");
    EXPECT_THAT(crio.data_directories, ElementsAre("/srv/storage"));
    EXPECT_THAT(crio.run_directories, ElementsAre("/srv/run"));
    const auto root = [&](const std::string& place, const char* runtime_root) {
      return Discover({kId, bundle, runtime_root, place}).data_root;
    };
    EXPECT_EQ(root(rootfs, ""), "/srv/run") << "podman's bundles are below the graphroot";
    EXPECT_EQ(root("/srv/storage/vfs/dir/x", "/run/runc"), "/srv/run") << "another driver's";
    EXPECT_EQ(root("/srv/storage/overlay/x", "/run/runc"), "/srv/run") << "no layer";
    ASSERT_EQ(chmod(own.c_str(), 0777), 0);
    EXPECT_EQ(root(rootfs, "/run/runc"), "/srv/run") << "anybody's";
    std::filesystem::remove(own);
    EXPECT_EQ(root(rootfs, "/run/runc"), "/srv/run") << "not this container's";
  });
}

TEST(Layout, RecognisesBuildkit) {
  InPrivateMounts([] {
    MakeDirectories("/srv/docker/buildkit/executor/abc");
    const Layout layout = Discover({"abc", "/srv/docker/buildkit/executor/abc", "", "/x"});
    EXPECT_EQ(layout.engine, Engine::kBuildkit);
    EXPECT_EQ(layout.data_root, "/srv/docker/buildkit/executor");
    EXPECT_THAT(layout.data_directories, ElementsAre("/srv/docker/buildkit"));
  });
}

// It chooses the profile for builds: anybody could name a directory so.
TEST(Layout, BuildkitBundlesMustBeRootOnly) {
  InPrivateMounts([] {
    MakeDirectories("/srv/executor/abc");
    ASSERT_EQ(chmod("/srv/executor", 0777), 0);
    EXPECT_EQ(Discover({"abc", "/srv/executor/abc", "", "/x"}).engine, Engine::kUnknown);
    ASSERT_EQ(chmod("/srv/executor", 0755), 0);
    ASSERT_EQ(chown("/srv/executor/abc", 1000, 1000), 0);
    EXPECT_EQ(Discover({"abc", "/srv/executor/abc", "", "/x"}).engine, Engine::kUnknown);
    ASSERT_EQ(chown("/srv/executor/abc", 0, 0), 0);
    EXPECT_EQ(Discover({"abc", "/srv/executor/abc", "", "/x"}).engine, Engine::kBuildkit);
  });
}

TEST(Layout, BuildahBundlesMustBeRootOnly) {
  InPrivateMounts([] {
    const std::string bundle = "/srv/tmp/buildah1330027178";
    MakeDirectories(bundle + "/mnt/rootfs");
    ASSERT_EQ(chmod("/srv/tmp", 01777), 0);
    const Call call = {"buildah-buildah1330027178", bundle, "", bundle + "/mnt/rootfs"};
    EXPECT_EQ(Discover(call).engine, Engine::kBuildkit);
    EXPECT_EQ(Discover(call).data_root, bundle);
    Call other = call;
    other.id = "buildah-buildah2";
    EXPECT_EQ(Discover(other).engine, Engine::kUnknown) << "another id";
    other = call;
    other.rootfs = "/srv/tmp";
    EXPECT_EQ(Discover(other).engine, Engine::kUnknown) << "another root file system";
    for (const std::string& path : {bundle, std::string("/srv/tmp")}) {
      ASSERT_EQ(chown(path.c_str(), 1000, 1000), 0);
      EXPECT_EQ(Discover(call).engine, Engine::kUnknown) << path;
      ASSERT_EQ(chown(path.c_str(), 0, 0), 0);
    }
    ASSERT_EQ(chmod("/srv/tmp", 0777), 0);
    EXPECT_EQ(Discover(call).engine, Engine::kUnknown) << "anybody could have renamed it";
    ASSERT_EQ(chmod("/srv/tmp", 0755), 0);
    MakeDirectories("/srv/tmp/buildahx/mnt/rootfs");
    EXPECT_EQ(
        Discover({"buildah-buildahx", "/srv/tmp/buildahx", "", "/srv/tmp/buildahx/mnt/rootfs"})
            .engine,
        Engine::kUnknown);
  });
}

TEST(Layout, OtherBundlesBelongToNoEngine) {
  InPrivateMounts([] {
    MakeDirectories("/srv/bundle");
    for (const Call& call :
         {Call{"id", "/srv/bundle", "", "/srv/bundle/rootfs"}, Call{"id", "/srv/none", "", ""},
          Call{"", "", "", ""}, Call{"srv", "/srv", "", ""}}) {
      const Layout layout = Discover(call);
      EXPECT_EQ(layout.engine, Engine::kUnknown);
      EXPECT_THAT(layout.data_directories, IsEmpty());
      EXPECT_THAT(layout.run_directories, IsEmpty());
    }
  });
}

}  // namespace
}  // namespace runclad::engine::layout_test
