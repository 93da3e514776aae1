// Sources as attackers spell them, on real mounts. Long: a list of spellings, which only grows.
#include "runclad/host/sources.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/policy/effective.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/rules/rule.hpp"

#include "../mount_namespace.hpp"

namespace runclad::host::sources_test {
namespace {

using Access = SourceFacts::Access;
using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files

using Strings = std::vector<std::string>;

policy::RuleSetting Restricted() {
  const auto policy = policy::Parse("{}", "policy.json", rules::Schemas());
  EXPECT_TRUE(policy) << policy.error().message;
  return policy->rule("host-mounts");
}

policy::RuleSetting Lists(const Strings& deny, const Strings& allow = {},
                          const Strings& allow_read_only = {}) {
  policy::RuleSetting setting;
  setting.action = policy::Action::kFix;
  setting.parameters.Set("deny", deny);
  setting.parameters.Set("allow", allow);
  setting.parameters.Set("allow-read-only", allow_read_only);
  return setting;
}

json::Document Bind(const std::string& source) {
  return {{"destination", "/x"}, {"type", "bind"}, {"source", source}, {"options", {"rbind"}}};
}

SourceFacts FactsOf(const std::string& source, const policy::RuleSetting& setting,
                    const std::string& bundle = "/srv/bundle") {
  const json::Document config = {{"mounts", {Bind(source)}}};
  const auto spec = oci::Spec::Parse(config.dump());
  EXPECT_TRUE(spec) << spec.error().message;
  engine::OwnFiles nothing;
  std::map<std::string, SourceFacts> sources;
  GatherSources(*spec, rules::PathListsOf(setting), {}, bundle, nothing, sources);
  EXPECT_EQ(sources.size(), 1U);
  return sources[source];
}

void ExpectAccess(Access access, const Strings& sources, const policy::RuleSetting& setting) {
  for (const std::string& source : sources) {
    const SourceFacts facts = FactsOf(source, setting);
    EXPECT_EQ(facts.access, access) << source << " " << facts.because;
  }
}

TEST(Sources, RestrictedRefusesHostDirectories) {
  InPrivateMounts([] {
    const auto setting = Restricted();
    MakeDirectories("/srv/x");
    ExpectAccess(Access::kHostRoot, {"/", "//", "/.", "/tmp/..", "/srv/x/../.."}, setting);
    ExpectAccess(Access::kDenied, {"/etc",        "/etc/",
                                   "//etc",       "/etc/passwd",
                                   "/var",        "/var/lib",
                                   "/var/log",    "/run",
                                   "/var/run",    "/root",
                                   "/usr",        "/usr/bin",
                                   "/bin",        "/lib",
                                   "/lib64",      "/sbin",
                                   "/boot",       "/dev",
                                   "/dev/shm",    "/proc",
                                   "/proc/self",  "/proc/sys",
                                   "/sys",        "/home",
                                   "/tmp/../etc", "/srv/x/../../etc",
                                   "/opt",        "/tmp"},
                 setting);
    ExpectAccess(Access::kAllowed, {"/srv", "/srv/x", "/srv/x/", "/mnt", "/media"}, setting);
    ExpectAccess(Access::kUnknown,
                 {"", "/srv/none", "/proc/self/root", "/proc/self/root/etc", "/proc/1/root",
                  "/proc/self/cwd", "/proc/self/fd/0"},
                 setting);
    ExpectAccess(Access::kReadOnly, {"/usr/share/zoneinfo", "/sys/fs/cgroup", "/etc/ssl/certs"},
                 setting);
  });
}

TEST(Sources, DenyTheConfiguredStorageOfOtherEngines) {
  InPrivateMounts([] {
    for (const char* path : {"/srv/podman/overlay", "/srv/other", "/srv/run"}) {
      MakeDirectories(path);
    }
    const auto setting = Restricted();
    ExpectAccess(Access::kAllowed, {"/srv", "/srv/podman", "/srv/podman/overlay", "/srv/run"},
                 setting);
    TmpfsMount("/etc");
    WriteFile("/etc/containers/storage.conf",
              "graphroot = \"/srv/podman\"\nrunroot = \"/srv/run\"\n");
    ExpectAccess(Access::kDenied,
                 {"/srv", "/srv/podman", "/srv/podman/overlay", "/srv/podman/../run"}, setting);
    ExpectAccess(Access::kAllowed, {"/srv/other"}, setting);
    BindMount("/srv/podman", "/srv/other/alias");
    ExpectAccess(Access::kDenied, {"/srv/other", "/srv/other/alias"}, setting);
  });
}

TEST(Sources, BaselineDeniesNetworkAndDebugFilesBelowSys) {
  InPrivateMounts([] {
    const auto baseline =
        policy::Parse(R"({"extends":"baseline"})", "policy.json", rules::Schemas());
    ASSERT_TRUE(baseline);
    for (const auto& setting : {Restricted(), baseline->rule("host-mounts")}) {
      ExpectAccess(Access::kDenied,
                   {"/sys", "/sys/class", "/sys/class/net", "/sys/devices", "/sys/devices/virtual",
                    "/sys/kernel", "/sys/fs"},
                   setting);
      ExpectAccess(Access::kReadOnly, {"/sys/devices/system", "/sys/fs/cgroup"}, setting);
    }
  });
}

TEST(Sources, ErrorsAvoidTheWordsThatDockerLooksFor) {
  for (const char* source : {"/srv/none", "/proc/self/root", "/proc/1/root", ""}) {
    const std::string because = FactsOf(source, Restricted()).because;
    EXPECT_FALSE(because.empty());
    EXPECT_EQ(because.find("o such file"), std::string::npos) << because;
    EXPECT_EQ(because.find("ermission denied"), std::string::npos) << because;
  }
  EXPECT_EQ(FactsOf("/srv/none", Restricted()).because,
            "cannot be identified: /srv/none does not exist");
}

TEST(Sources, FollowLinks) {
  InPrivateMounts([] {
    ASSERT_EQ(::symlink("/", "/srv/root"), 0);
    ASSERT_EQ(::symlink("root", "/srv/again"), 0);
    ASSERT_EQ(::symlink("again/etc", "/srv/etc"), 0);
    ASSERT_EQ(::symlink("/proc/self/root", "/srv/magic"), 0);
    const auto setting = Restricted();
    ExpectAccess(Access::kHostRoot, {"/srv/root", "/srv/again", "/srv/root/"}, setting);
    ExpectAccess(Access::kDenied, {"/srv/etc", "/srv/again/usr"}, setting);
    ExpectAccess(Access::kUnknown, {"/srv/magic", "/srv/magic/etc"}, setting);
    const SourceFacts facts = FactsOf("/srv/again", setting);
    EXPECT_EQ(facts.resolved, "/");
    EXPECT_EQ(facts.because, "is the host's root filesystem");
  });
}

TEST(Sources, ResolveRelativePathsFromTheBundle) {
  InPrivateMounts([] {
    MakeDirectories("/srv/bundle/data");
    const auto setting = Restricted();
    ExpectAccess(Access::kAllowed, {"data", "./data", "."}, setting);
    ExpectAccess(Access::kDenied, {"../../etc"}, setting);
    ExpectAccess(Access::kHostRoot, {"../.."}, setting);
  });
}

TEST(Sources, SeeThroughBindMountsOfTheHost) {
  InPrivateMounts([] {
    BindMount("/", "/srv/root");
    BindMount("/etc", "/srv/harmless");
    BindMount("/etc/passwd", "/srv/file");
    BindMount("/var", "/srv/a b\\c\nd");
    const auto setting = Restricted();
    ExpectAccess(Access::kHostRoot, {"/srv/root"}, setting);
    ExpectAccess(Access::kDenied,
                 {"/srv/root/etc", "/srv/root/var", "/srv/root/root", "/srv/harmless",
                  "/srv/harmless/ssl", "/srv/file", "/srv/a b\\c\nd", "/srv/a b\\c\nd/lib"},
                 setting);
    ExpectAccess(Access::kAllowed, {"/srv/root/media"}, setting);
    EXPECT_EQ(FactsOf("/srv/harmless", setting).because,
              "is what the host has at /etc, which is /etc");
    // And what brings such a mount along.
    ExpectAccess(Access::kHostRoot, {"/srv"}, setting);
  });
}

TEST(Sources, DenyAliasesOfMountsBelowADeniedTree) {
  InPrivateMounts([] {
    MakeDirectories("/srv/state");
    TmpfsMount("/srv/state/overlay/merged");
    MakeDirectories("/srv/state/overlay/merged/deep");
    BindMount("/srv/state/overlay/merged", "/srv/alias");
    BindMount("/srv/state/overlay/merged/deep", "/srv/deep");
    const auto setting = Lists({"/srv/state"});
    ExpectAccess(Access::kDenied, {"/srv/alias", "/srv/alias/deep", "/srv/deep", "/srv"}, setting);
    ExpectAccess(Access::kAllowed, {"/srv/alias", "/srv/deep"}, Lists({"/srv/other"}));
  });
}

TEST(Sources, DenyAncestorsWithinTheFileSystem) {
  InPrivateMounts([] {
    TmpfsMount("/srv/disk");
    MakeDirectories("/srv/disk/sub/volume/data");
    BindMount("/srv/disk/sub/volume", "/srv/denied");
    const auto setting = Lists({"/srv/denied/data"});
    // /srv/disk/sub is nowhere above /srv/denied by name, but it holds the same directory.
    ExpectAccess(Access::kDenied,
                 {"/srv/disk/sub", "/srv/disk", "/srv/disk/sub/volume", "/srv/denied",
                  "/srv/disk/sub/volume/data"},
                 setting);
    MakeDirectories("/srv/disk/other");
    ExpectAccess(Access::kAllowed, {"/srv/disk/other"}, setting);
  });
}

TEST(Sources, AMountThatCoversADeniedTreeHidesIt) {
  InPrivateMounts([] {
    MakeDirectories("/srv/app/denied");
    TmpfsMount("/srv/app");
    // Missing on this host as it is: says nothing.
    ExpectAccess(Access::kAllowed, {"/srv/app", "/srv"}, Lists({"/srv/app/denied"}));
  });
}

TEST(Sources, MissingListedDirectoriesAreIgnored) {
  InPrivateMounts([] {
    MakeDirectories("/srv/a");
    ExpectAccess(Access::kAllowed, {"/srv", "/srv/a"}, Lists({"/srv/a/missing", "/srv/none"}));
    MakeDirectories("/srv/a/missing/x");
    ExpectAccess(Access::kDenied, {"/srv", "/srv/a", "/srv/a/missing/x"},
                 Lists({"/srv/a/missing"}));
  });
}

TEST(Sources, DenyTheTargetOfAListedLink) {
  InPrivateMounts([] {
    MakeDirectories("/srv/real/x");
    ASSERT_EQ(::symlink("/srv/real", "/srv/link"), 0);
    ExpectAccess(Access::kDenied, {"/srv/real", "/srv/link", "/srv/real/x", "/srv"},
                 Lists({"/srv/link"}));
  });
}

TEST(Sources, PatternsMatchAliases) {
  InPrivateMounts([] {
    MakeDirectories("/srv/home/alice/.ssh");
    MakeDirectories("/srv/home/alice/src");
    TmpfsMount("/srv/home/bob");
    MakeDirectories("/srv/home/bob/.ssh");
    BindMount("/srv/home/alice/.ssh", "/srv/keys");
    BindMount("/srv/home/bob", "/srv/bob");
    const auto setting = Lists({"/srv/home/*/.ssh"});
    ExpectAccess(Access::kDenied,
                 {"/srv/home", "/srv/home/alice", "/srv/home/alice/.ssh", "/srv/keys", "/srv/bob",
                  "/srv/bob/.ssh"},
                 setting);
    ExpectAccess(Access::kAllowed, {"/srv/home/alice/src"}, setting);
  });
}

TEST(Sources, AllowOverridesOnlyTheLists) {
  InPrivateMounts([] {
    MakeDirectories("/srv/denied/app/key");
    MakeDirectories("/srv/denied/other");
    const auto setting = Lists({"/srv/denied", "/srv/denied/app/key"}, {"/srv/denied/app", "/"});
    ExpectAccess(Access::kDenied, {"/srv/denied/app", "/srv/denied/app/key", "/srv/denied/other"},
                 setting);
    MakeDirectories("/srv/denied/app/data");
    ExpectAccess(Access::kAllowed, {"/srv/denied/app/data"}, setting);
    ExpectAccess(Access::kHostRoot, {"/"}, setting);
  });
}

TEST(Sources, NoListAllowsTheRoot) {
  for (const Strings& deny : {Strings{}, Strings{"/srv/secrets"}, Strings{"/"}}) {
    EXPECT_EQ(FactsOf("/", Lists(deny, {"/"})).access, Access::kHostRoot);
    EXPECT_EQ(FactsOf("/opt", Lists(deny)).access, Access::kAllowed);
  }
}

TEST(Sources, AnAllowedLinkThatOthersCanChangeGrantsNothing) {
  InPrivateMounts([] {
    MakeDirectories("/srv/denied/x");
    MakeDirectories("/srv/app");
    ASSERT_EQ(::symlink("/srv/denied/x", "/srv/app/data"), 0);
    const auto setting = Lists({"/srv/denied"}, {"/srv/app/data"});
    ExpectAccess(Access::kAllowed, {"/srv/app/data", "/srv/denied/x"}, setting);  // root's link
    constexpr uid_t kSomeone = 1000;
    ASSERT_EQ(::chown("/srv/app", kSomeone, kSomeone), 0);
    ExpectAccess(Access::kDenied, {"/srv/app/data", "/srv/denied/x"}, setting);
  });
}

TEST(Sources, AllowOnlyRefusesEverythingElse) {
  InPrivateMounts([] {
    MakeDirectories("/srv/data/x");
    MakeDirectories("/srv/other");
    auto setting = Lists({"/etc"}, {"/srv/data"}, {"/srv/other"});
    setting.parameters.Set("allow-only", true);
    ExpectAccess(Access::kAllowed, {"/srv/data", "/srv/data/x"}, setting);
    ExpectAccess(Access::kReadOnly, {"/srv/other"}, setting);
    ExpectAccess(Access::kDenied, {"/srv", "/opt", "/etc"}, setting);
    EXPECT_EQ(FactsOf("/opt", setting).because, "is not on the list of what may be mounted");
  });
}

TEST(Sources, DataDirectoriesOverrideNoDenial) {
  InPrivateMounts([] {
    MakeDirectories("/srv/app");
    WriteFile("/srv/secrets/key");
    ASSERT_EQ(::link("/srv/secrets/key", "/srv/app/hard"), 0);
    ASSERT_EQ(::mknod("/srv/app/null", S_IFCHR | 0600, makedev(1, 3)), 0);
    BindMount("/srv/secrets", "/srv/alias");
    auto setting = Lists({"/srv/secrets", "/srv/secrets/key"});
    setting.parameters.Set("allow-only", true);
    setting.parameters.Set("data-directories", Strings{"/srv"});
    ExpectAccess(Access::kAllowed, {"/srv/app"}, setting);
    ExpectAccess(Access::kDenied,
                 {"/srv", "/srv/secrets", "/srv/app/hard", "/srv/app/null", "/srv/alias", "/opt"},
                 setting);
    setting.parameters.Set("deny", Strings{"/srv"});
    ExpectAccess(Access::kDenied, {"/srv", "/srv/app"}, setting);
  });
}

TEST(Sources, ADataDirectoryLinkThatOthersCanChangeGrantsNothing) {
  InPrivateMounts([] {
    MakeDirectories("/srv/real");
    MakeDirectories("/srv/home");
    ASSERT_EQ(::symlink("/srv/real", "/srv/home/data"), 0);
    auto setting = Lists({});
    setting.parameters.Set("allow-only", true);
    setting.parameters.Set("data-directories", Strings{"/srv/home/data"});
    ExpectAccess(Access::kAllowed, {"/srv/real"}, setting);
    constexpr uid_t kSomeone = 1000;
    ASSERT_EQ(::chown("/srv/home", kSomeone, kSomeone), 0);
    ExpectAccess(Access::kDenied, {"/srv/real"}, setting);
  });
}

// Each entry that is proposed is tried, and does what it promises.
TEST(Sources, ARefusalNamesTheListAndTheWayOut) {
  InPrivateMounts([] {
    using List = SourceFacts::List;
    MakeDirectories("/srv/denied/below");
    MakeDirectories("/srv/other");
    MakeDirectories("/srv/data/app");
    BindMount("/srv/denied", "/srv/data/alias");
    ASSERT_EQ(::symlink("/srv/other", "/srv/link"), 0);
    ASSERT_EQ(::mknod("/srv/data/null", S_IFCHR | 0600, makedev(1, 3)), 0);
    struct Case {
      const char* source;
      List list;
      const char* allow;
    };
    for (const Case& test : std::vector<Case>{
             {"/srv/denied", List::kDeny, "/srv/denied"},
             {"/srv/denied/below", List::kDeny, "/srv/denied/below"},
             {"/srv/data/alias", List::kDeny, "/srv/denied"},
             {"/srv/other", List::kMissing, "/srv/other"},
             {"/srv/link", List::kMissing, "/srv/other"},
             {"/srv/data/null", List::kNone, "/srv/data/null"},
             {"/srv", List::kDeny, ""},
             {"/", List::kNone, ""},
         }) {
      auto setting = Lists({"/srv/denied"});
      setting.parameters.Set("allow-only", true);
      setting.parameters.Set("data-directories", Strings{"/srv/data"});
      const SourceFacts facts = FactsOf(test.source, setting);
      EXPECT_EQ(facts.list, test.list) << test.source << " " << facts.because;
      EXPECT_EQ(facts.allow, test.allow) << test.source << " " << facts.because;
      if (facts.allow.empty()) continue;
      setting.parameters.Set("allow", Strings{facts.allow});
      ExpectAccess(Access::kAllowed, {test.source}, setting);
    }
  });
}

// What leads to root is named by the profile, and costs nothing where a host does not have it.
TEST(Sources, BaselineRefusesDirectoriesThatLeadToRoot) {
  InPrivateMounts([] {
    TmpfsMount("/opt");
    TmpfsMount("/var");
    TmpfsMount("/home");
    TmpfsMount("/tmp");
    const auto policy =
        policy::Parse(R"({"extends": "baseline"})", "policy.json", rules::Schemas());
    ASSERT_TRUE(policy) << policy.error().message;
    const policy::RuleSetting& setting = policy->rule("host-mounts");
    MakeDirectories("/tmp/build");
    MakeDirectories("/home/alice/src");
    MakeDirectories("/var/lib/app");
    ExpectAccess(Access::kAllowed, {"/opt", "/tmp/build", "/home/alice/src", "/var/lib/app"},
                 setting);
    for (const std::string path : {"/opt/cni",
                                   "/opt/containerd",
                                   "/opt/puppetlabs",
                                   "/var/lib/cloud",
                                   "/var/lib/snapd",
                                   "/var/lib/extensions",
                                   "/var/lib/confexts",
                                   "/var/lib/portables",
                                   "/var/lib/machines",
                                   "/var/lib/buildkit",
                                   "/var/lib/nerdctl",
                                   "/var/lib/lxc",
                                   "/var/lib/lxd",
                                   "/var/lib/incus",
                                   "/var/lib/libvirt",
                                   "/var/lib/k0s",
                                   "/var/lib/minikube",
                                   "/var/lib/cri-dockerd",
                                   "/var/lib/apt",
                                   "/var/lib/dkms",
                                   "/var/lib/sudo",
                                   "/var/lib/polkit-1",
                                   "/var/lib/initramfs-tools",
                                   "/var/cache/apt",
                                   "/var/backups",
                                   "/var/snap",
                                   "/var/ossec",
                                   "/home/alice/.config",
                                   "/home/alice/.bashrc",
                                   "/tmp/ssh-Xy12",
                                   "/tmp/.X11-unix"}) {
      MakeDirectories(path);
      ExpectAccess(Access::kDenied, {path}, setting);
    }
    ExpectAccess(Access::kDenied, {"/opt", "/tmp", "/home/alice", "/var/lib"}, setting);
  });
}

// Layers, volumes and secrets of every engine: not even to be read, whatever the policy's lists
// have.
TEST(Sources, EngineStorageCannotBeRead) {
  InPrivateMounts([] {
    TmpfsMount("/var");
    TmpfsMount("/home");
    const auto baseline =
        policy::Parse(R"({"extends": "baseline"})", "policy.json", rules::Schemas());
    ASSERT_TRUE(baseline) << baseline.error().message;
    auto without_lists = baseline->rule("host-mounts");
    without_lists.parameters.Set("deny", Strings{});
    without_lists.parameters.Set("credentials", Strings{});
    for (const std::string path : {"/var/lib/buildkit/runc-overlayfs/snapshots",
                                   "/var/lib/containerd/io.containerd.content",
                                   "/var/lib/containers/storage/overlay",
                                   "/var/lib/docker/overlay2",
                                   "/var/lib/nerdctl/1935db59/volumes/default/v/_data",
                                   "/var/lib/crio/x",
                                   "/var/lib/cri-dockerd/sandbox",
                                   "/var/lib/lxc/c/rootfs",
                                   "/var/lib/lxd/x",
                                   "/var/lib/incus/x",
                                   "/var/lib/machines/m/etc",
                                   "/var/lib/portables/x",
                                   "/var/lib/rancher/k3s/agent/containerd",
                                   "/var/lib/rancher/rke2/server/token",
                                   "/var/lib/k0s/pki",
                                   "/var/lib/minikube/certs",
                                   "/var/lib/kubelet/plugins",
                                   "/var/snap/microk8s/common/var/lib/containerd",
                                   "/var/snap/docker/common/var-lib-docker",
                                   "/var/snap/lxd/common",
                                   "/home/alice/.local/share/containers/storage",
                                   "/home/alice/.local/share/docker/volumes",
                                   "/home/alice/.local/share/nerdctl/x"}) {
      MakeDirectories(path);
      ExpectAccess(Access::kDenied, {path}, baseline->rule("host-mounts"));
      ExpectAccess(Access::kDenied, {path}, without_lists);
    }
    // An administrator's own entry.
    auto allowed = without_lists;
    allowed.parameters.Set("allow", Strings{"/var/lib/kubelet/plugins"});
    ExpectAccess(Access::kAllowed, {"/var/lib/kubelet/plugins"}, allowed);
  });
}

TEST(Sources, BaselineAllowsReadingExceptCredentials) {
  InPrivateMounts([] {
    WriteFile("/srv/etc/app/conf");
    WriteFile("/srv/etc/secret/key");
    ASSERT_EQ(::mkfifo("/srv/etc/fifo", 0600), 0);
    auto setting = Lists({"/srv/etc"});
    setting.parameters.Set("below", "read-only");
    setting.parameters.Set("credentials", Strings{"/srv/etc/secret"});
    ExpectAccess(Access::kReadOnly, {"/srv/etc/app", "/srv/etc/app/conf"}, setting);
    ExpectAccess(Access::kDenied,
                 {"/srv/etc", "/srv/etc/secret", "/srv/etc/secret/key", "/srv", "/srv/etc/fifo"},
                 setting);
  });
}

// What an engine itself binds from there is recognised before (volumes_test, own_files_test).
TEST(Sources, BaselineDeniesTheStorageOfEngines) {
  InPrivateMounts([] {
    const auto baseline =
        policy::Parse(R"({"extends":"baseline"})", "policy.json", rules::Schemas());
    ASSERT_TRUE(baseline);
    TmpfsMount("/var/lib");
    for (const char* path :
         {"/var/lib/docker/overlay2/1/diff", "/var/lib/docker/containers/1",
          "/var/lib/docker/volumes/other/_data",
          "/var/lib/containerd/io.containerd.content.v1.content",
          "/var/lib/containers/storage/overlay/1/diff", "/var/lib/buildkit/runc-overlayfs"}) {
      MakeDirectories(path);
      ExpectAccess(Access::kDenied, {path}, baseline->rule("host-mounts"));
    }
    auto allowed = baseline->rule("host-mounts");
    allowed.parameters.Set("allow-read-only", Strings{"/var/lib/docker/containers"});
    ExpectAccess(Access::kReadOnly, {"/var/lib/docker/containers/1"}, allowed);
  });
}

TEST(Sources, AreDeniedIfTheStorageOfAnEngineIsUnknown) {
  InPrivateMounts([] {
    MakeDirectories("/srv/data/app");
    MakeDirectories("/srv/listed");
    TmpfsMount("/etc");
    auto setting = Lists({}, {"/srv/listed"});
    ExpectAccess(Access::kAllowed, {"/srv/data/app", "/srv/listed"}, setting);
    WriteFile("/etc/containers/storage.conf", "[storage\n");
    ExpectAccess(Access::kDenied, {"/srv/data/app"}, setting);
    EXPECT_EQ(FactsOf("/srv/data/app", setting).because,
              "may be the storage of an engine: line 1 of /etc/containers/storage.conf cannot be "
              "read as TOML");
    EXPECT_EQ(FactsOf("/srv/data/app", setting).allow, "/srv/data/app");
    ExpectAccess(Access::kAllowed, {"/srv/listed"}, setting);
  });
}

TEST(Sources, ReadOnlyTreesListTheMountsBelow) {
  InPrivateMounts([] {
    MakeDirectories("/srv/tree/plain");
    TmpfsMount("/srv/tree/sub");
    const auto setting = Lists({"/srv/tree"}, {}, {"/srv/tree"});
    EXPECT_TRUE(FactsOf("/srv/tree", setting).has_submounts);
    EXPECT_FALSE(FactsOf("/srv/tree/plain", setting).has_submounts);
    EXPECT_FALSE(FactsOf("/srv/tree/sub", setting).has_submounts);
  });
}

int Listen(const std::string& path) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), sizeof address.sun_path - 1);
  // NOLINTNEXTLINE(*-reinterpret-cast): how the socket calls take addresses
  EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0) << path;
  EXPECT_EQ(::listen(fd, 1), 0);
  return fd;
}

TEST(Sources, DenyEngineSocketsUnderAnyName) {
  InPrivateMounts([] {
    TmpfsMount("/run");
    ASSERT_EQ(::symlink("/srv/sock/docker.sock", "/srv/link"), 0);
    MakeDirectories("/srv/sock");
    MakeDirectories("/run/containerd");
    Listen("/srv/sock/docker.sock");
    Listen("/srv/app.sock");
    Listen("/run/docker.sock");
    Listen("/run/containerd/other");
    ASSERT_EQ(::link("/run/docker.sock", "/run/hard"), 0);
    BindMount("/run/docker.sock", "/srv/bound");
    BindMount("/run/hard", "/srv/bound-hard");
    const auto setting = Lists({}, {"/run", "/srv"});
    ExpectAccess(Access::kRuntimeSocket,
                 {"/run/docker.sock", "/srv/sock/docker.sock", "/srv/link", "/srv/bound",
                  "/srv/bound-hard", "/run/hard", "/run/containerd/other", "/var/run/docker.sock"},
                 setting);
    ExpectAccess(Access::kDenied, {"/run", "/run/containerd"}, setting);
    ExpectAccess(Access::kAllowed, {"/srv/app.sock"}, setting);
    EXPECT_TRUE(FactsOf("/srv/app.sock", setting).is_socket);
    EXPECT_TRUE(FactsOf("/run/docker.sock", setting).is_socket);
    EXPECT_FALSE(FactsOf("/run", setting).is_socket);
  });
}

// This program started again under an engine's name: listens, says so, and waits to be killed.
const bool kIsServer = [] {
  const char* path = ::getenv("RUNCLAD_TEST_LISTEN");
  if (path == nullptr) return false;
  Listen(path);
  if (::write(STDOUT_FILENO, "!", 1) != 1) return false;
  ::pause();
  return true;
}();

TEST(Sources, DenyAnEngineSocketWithAnUnusualName) {
  InPrivateMounts([] {
    ASSERT_FALSE(kIsServer);
    std::array<int, 2> ready{};
    ASSERT_EQ(::pipe(ready.data()), 0);
    std::filesystem::copy_file("/proc/self/exe", "/srv/dockerd");
    const pid_t engine = ::fork();
    if (engine == 0) {
      ::setenv("RUNCLAD_TEST_LISTEN", "/srv/api", 1);
      ::dup2(ready[1], STDOUT_FILENO);
      ::execl("/srv/dockerd", "dockerd", nullptr);
      ::_exit(1);
    }
    char byte = 0;
    ::close(ready[1]);
    ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    const SourceFacts facts = FactsOf("/srv/api", Lists({}, {"/srv"}));
    EXPECT_EQ(facts.access, Access::kRuntimeSocket);
    EXPECT_EQ(facts.because, "is a socket of dockerd");
    ::kill(engine, SIGKILL);
    ::waitpid(engine, nullptr, 0);
  });
}

TEST(Sources, DevicesMustBeListed) {
  InPrivateMounts([] {
    ASSERT_EQ(::mknod("/srv/disk", S_IFBLK | 0600, makedev(7, 0)), 0);
    ASSERT_EQ(::mknod("/srv/null", S_IFCHR | 0600, makedev(1, 3)), 0);
    ExpectAccess(Access::kDenied, {"/srv/disk", "/srv/null"}, Lists({}));
    ExpectAccess(Access::kAllowed, {"/srv/null"}, Lists({}, {"/srv/null"}));
    EXPECT_EQ(FactsOf("/srv/disk", Lists({})).because, "is a device");
  });
}

TEST(Sources, DenyHardLinksOfListedFiles) {
  InPrivateMounts([] {
    WriteFile("/srv/secret");
    MakeDirectories("/srv/open");
    ASSERT_EQ(::link("/srv/secret", "/srv/open/harmless"), 0);
    const auto setting = Lists({"/srv/secret"});
    ExpectAccess(Access::kDenied, {"/srv/open/harmless"}, setting);
    EXPECT_EQ(FactsOf("/srv/open/harmless", setting).because, "is the same file as /srv/secret");
  });
}

TEST(Sources, JudgeOverlayLayersLikeBinds) {
  InPrivateMounts([] {
    MakeDirectories("/srv/lower");
    ASSERT_EQ(::symlink("/", "/srv/root"), 0);
    const json::Document config = {
        {"mounts",
         {{{"destination", "/x"},
           {"type", "overlay"},
           {"source", "overlay"},
           {"options", {"lowerdir=/srv/lower:/srv/root", "upperdir=/etc,workdir=/srv/none"}}}}}};
    const auto spec = oci::Spec::Parse(config.dump());
    ASSERT_TRUE(spec) << spec.error().message;
    engine::OwnFiles nothing;
    std::map<std::string, SourceFacts> sources;
    const policy::RuleSetting restricted = Restricted();
    GatherSources(*spec, rules::PathListsOf(restricted), {}, "/srv/bundle", nothing, sources);
    ASSERT_EQ(sources.size(), 4U);
    EXPECT_EQ(sources["/srv/lower"].access, Access::kAllowed);
    EXPECT_EQ(sources["/srv/root"].access, Access::kHostRoot);
    EXPECT_EQ(sources["/etc"].access, Access::kDenied);
    EXPECT_EQ(sources["/srv/none"].access, Access::kUnknown);
  });
}

// mount-options wants to know what they are, whatever host-mounts and read-only-mounts are told.
TEST(Sources, AreDescribedEvenIfHostMountsIsOff) {
  const auto spec = oci::Spec::Parse(json::Document{{"mounts", {Bind("/"), Bind("/none")}}}.dump());
  ASSERT_TRUE(spec);
  engine::OwnFiles nothing;
  std::map<std::string, SourceFacts> sources;
  GatherSources(*spec, {}, {}, "/srv/bundle", nothing, sources);
  EXPECT_NE(sources["/"].access, Access::kUnknown);
  ASSERT_TRUE(sources["/"].places);
  EXPECT_GT(sources["/"].places->size(), 1U) << "with what is mounted below";
  EXPECT_EQ(sources["/none"].access, Access::kUnknown);
}

TEST(Sources, HaveOnePlaceForAllPaths) {
  InPrivateMounts([] {
    MakeDirectories("/srv/a/sub");
    MakeDirectories("/srv/b");
    MakeDirectories("/srv/c");
    BindMount("/srv/a", "/srv/b");
    ASSERT_EQ(::symlink("/srv/a", "/srv/link"), 0);
    ASSERT_EQ(::mount("tmpfs", "/srv/a/sub", "tmpfs", 0, nullptr), 0);
    BindMount("/srv/a/sub", "/srv/c");
    const auto spec = oci::Spec::Parse(json::Document{
        {"mounts",
         {Bind("/srv/a"), Bind("/srv/b"), Bind("/srv/link"), Bind("/srv/c"), Bind("/srv/a/sub"),
          Bind("/srv/./a")}}}.dump());
    ASSERT_TRUE(spec);
    engine::OwnFiles nothing;
    std::map<std::string, SourceFacts> sources;
    GatherSources(*spec, {}, {}, "/srv/bundle", nothing, sources);
    const auto& places = sources["/srv/a"].places;
    ASSERT_TRUE(places);
    ASSERT_EQ(places->size(), 2U);
    EXPECT_TRUE(places->front().ends_with(":/srv/a") || places->front().ends_with("/a"));
    EXPECT_EQ(sources["/srv/b"].places->front(), places->front());
    EXPECT_EQ(sources["/srv/c"].places->front(), places->back());
    EXPECT_EQ(sources["/srv/a/sub"].places->front(), places->back());
    // One list, however many sources lead to it.
    EXPECT_EQ(sources["/srv/link"].places, places);
    EXPECT_EQ(sources["/srv/./a"].places, places);
  });
}

}  // namespace
}  // namespace runclad::host::sources_test
