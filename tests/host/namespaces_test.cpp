#include "runclad/host/namespaces.hpp"

#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sched.h>

#include "../engine/bolt_writer.hpp"
#include "../mount_namespace.hpp"
#include "../stranger.hpp"

namespace runclad::host::namespaces_test {
namespace {

using Owner = NamespaceFacts::Owner;
using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files

oci::Spec Joining(const std::string& type, const std::string& path) {
  const json::Document config = {
      {"linux", {{"namespaces", {{{"type", type}, {"path", path}}, {{"type", "mount"}}}}}}};
  auto spec = oci::Spec::Parse(config.dump());
  EXPECT_TRUE(spec) << spec.error().message;
  return *std::move(spec);
}

NamespaceFacts FactsOf(const std::string& type, const std::string& path,
                       const FindContainer& find = nullptr, const engine::Layout& layout = {},
                       const engine::Pod& pod = {}) {
  std::map<std::string, NamespaceFacts> facts;
  GatherNamespaces(Joining(type, path), layout, find, pod, facts);
  EXPECT_EQ(facts.size(), 1U);
  return facts[path];
}

TEST(Namespaces, RecogniseHostNamespacesUnderAnyName) {
  const std::string own = "/proc/" + std::to_string(::getpid()) + "/ns/";
  for (const auto& [type, name] : std::vector<std::pair<std::string, std::string>>{
           {"network", "net"}, {"pid", "pid"}, {"ipc", "ipc"}, {"uts", "uts"}, {"mount", "mnt"}}) {
    for (const std::string& path :
         {"/proc/self/ns/" + name, own + name, "/proc/thread-self/ns/" + name,
          "/proc/../proc/self/ns/" + name}) {
      EXPECT_EQ(FactsOf(type, path).owner, Owner::kHost) << path;
    }
    // Whatever kind the spec says it is.
    EXPECT_EQ(FactsOf("ipc", own + name).owner, Owner::kHost);
  }
}

TEST(Namespaces, RecogniseHostNamespacesByABindMountOrALink) {
  InPrivateMounts([] {
    TmpfsMount("/run");
    WriteFile("/run/netns/default");
    ASSERT_EQ(::mount("/proc/self/ns/net", "/run/netns/default", nullptr, MS_BIND, nullptr), 0);
    ASSERT_EQ(::symlink("/proc/self/ns/net", "/srv/link"), 0);
    EXPECT_EQ(FactsOf("network", "/run/netns/default").owner, Owner::kHost);
    EXPECT_EQ(FactsOf("network", "/srv/link").owner, Owner::kHost);
  });
}

TEST(Namespaces, RecogniseThoseOfARecordedContainer) {
  const Stranger stranger;
  const auto find = [&](pid_t pid) { return pid == stranger.pid() ? "peer" : ""; };
  for (const auto& [type, name] : std::vector<std::pair<std::string, std::string>>{
           {"network", "net"}, {"ipc", "ipc"}, {"uts", "uts"}}) {
    const NamespaceFacts facts = FactsOf(type, stranger.path(name), find);
    EXPECT_EQ(facts.owner, Owner::kContainer) << name;
    EXPECT_EQ(facts.container, "peer");
    EXPECT_EQ(FactsOf(type, stranger.path(name)).owner, Owner::kForeign) << "no records";
  }
  // What it shares with the host is the host's.
  EXPECT_EQ(FactsOf("pid", stranger.path("pid"), find).owner, Owner::kHost);
  // Another spelling, another kind: nothing that an engine writes.
  const std::string process = "/proc/" + std::to_string(stranger.pid());
  EXPECT_EQ(FactsOf("network", process + "/ns/uts", find).owner, Owner::kForeign);
  EXPECT_EQ(
      FactsOf("network", process + "/task/" + std::to_string(stranger.pid()) + "/ns/net", find)
          .owner,
      Owner::kForeign);
  EXPECT_EQ(FactsOf("network", process + "//ns/net", find).owner, Owner::kForeign);
}

TEST(Namespaces, APodsContainerJoinsOnlyItsOwnSandbox) {
  const Stranger stranger;
  const auto find = [](pid_t) { return "box"; };
  for (const auto& [type, name] : std::vector<std::pair<std::string, std::string>>{
           {"network", "net"}, {"ipc", "ipc"}, {"uts", "uts"}}) {
    EXPECT_EQ(FactsOf(type, stranger.path(name), find, {}, {"box", ""}).owner, Owner::kContainer)
        << name;
    const NamespaceFacts facts = FactsOf(type, stranger.path(name), find, {}, {"another", ""});
    EXPECT_EQ(facts.owner, Owner::kForeign) << name;
    EXPECT_EQ(facts.container, "box") << "for the sentence";
  }
}

// Of a process with a pid namespace of its own.
class OwnPids {
 public:
  OwnPids() : pid_(static_cast<pid_t>(::syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0))) {
    if (pid_ != 0) return;
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) ::pause();
  }
  ~OwnPids() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  OwnPids(const OwnPids&) = delete;
  OwnPids& operator=(const OwnPids&) = delete;

  [[nodiscard]] std::string path() const { return "/proc/" + std::to_string(pid_) + "/ns/pid"; }

 private:
  pid_t pid_;
};

TEST(Namespaces, LeaveOutTheIdOfTheOwnSandbox) {
  const OwnPids process;
  const auto find = [](pid_t) { return "box"; };
  const auto facts = [&](const engine::Pod& pod) {
    return FactsOf("pid", process.path(), find, {}, pod);
  };
  EXPECT_EQ(facts({"box", ""}).owner, Owner::kContainer);
  EXPECT_EQ(facts({"box", ""}).container, "") << "nobody else's";
  EXPECT_EQ(facts({"another", ""}).container, "box");
  EXPECT_EQ(facts({}).container, "box");
}

TEST(Namespaces, JoinedPeersAreThoseWithARecord) {
  const Stranger stranger;
  const auto find = [](pid_t) { return "peer"; };
  const oci::Spec spec = Joining("network", stranger.path("net"));
  std::map<std::string, NamespaceFacts> facts;
  GatherNamespaces(spec, {}, find, {}, facts);
  const auto peers = JoinedPeers(spec, facts);
  ASSERT_EQ(peers.size(), 1U);
  EXPECT_EQ(peers[0].id, "peer");
  EXPECT_EQ(peers[0].type, "network");
  facts.begin()->second.owner = Owner::kForeign;
  EXPECT_TRUE(JoinedPeers(spec, facts).empty());
}

// The user namespace of a process as a document joins it, by a mapping or without one.
std::optional<UserNamespaceFacts> UserNamespaceOf(pid_t pid, const std::string& mappings,
                                                  std::uint64_t inode) {
  const std::string path = "/proc/" + std::to_string(pid) + "/ns/user";
  const auto spec = oci::Spec::Parse(R"({"linux":{"namespaces":[{"type":"user","path":")" + path +
                                     R"("}])" + mappings + "}}");
  EXPECT_TRUE(spec) << spec.error().message;
  if (!spec) return std::nullopt;
  return DescribeUserNamespace(
      *spec, {{path, {.owner = Owner::kContainer, .container = "u1", .inode = inode}}});
}

TEST(Namespaces, ReadTheMappedRootOfAJoinedUserNamespaceFromTheKernel) {
  if (::geteuid() != 0) GTEST_SKIP() << "maps need root";
  const auto child = static_cast<pid_t>(::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) ::pause();
  }
  const std::string process = "/proc/" + std::to_string(child);
  struct stat status {};
  ASSERT_EQ(::stat((process + "/ns/user").c_str(), &status), 0);
  EXPECT_FALSE(UserNamespaceOf(child, "", status.st_ino)) << "it has no root yet";
  WriteFile(process + "/uid_map", "0 100000 10");
  WriteFile(process + "/gid_map", "0 100000 10");
  const auto found = UserNamespaceOf(child, "", status.st_ino);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->root, 100000U);
  EXPECT_FALSE(found->has_host_ids);
  // The document has to agree, and the namespace to be the one that was judged.
  const std::string mapping = R"(,"uidMappings":[{"containerID":0,"size":10,"hostID":)";
  EXPECT_TRUE(UserNamespaceOf(child, mapping + "100000}]", status.st_ino));
  EXPECT_FALSE(UserNamespaceOf(child, mapping + "1000}]", status.st_ino));
  EXPECT_FALSE(UserNamespaceOf(child, "", status.st_ino + 1));
  const auto with_group = UserNamespaceOf(
      child, R"(,"gidMappings":[{"containerID":5,"size":1,"hostID":0}])", status.st_ino);
  ASSERT_TRUE(with_group);
  EXPECT_TRUE(with_group->has_host_ids);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(Namespaces, NameTheOwnerOfAJoinedNamespace) {
  const Stranger stranger;
  const Stranger another;
  const oci::Spec spec = Joining("network", stranger.path("net"));
  std::map<std::string, NamespaceFacts> facts;
  GatherNamespaces(
      spec, {}, [](pid_t) { return "peer"; }, {}, facts);
  EXPECT_TRUE(IsInJoined(stranger.pid(), "network", spec, facts));
  EXPECT_FALSE(IsInJoined(stranger.pid(), "ipc", spec, facts)) << "not joined";
  EXPECT_FALSE(IsInJoined(another.pid(), "network", spec, facts));
  EXPECT_FALSE(IsInJoined(::getpid(), "network", spec, facts));
  EXPECT_FALSE(IsInJoined(0, "network", spec, facts));
  facts.begin()->second.owner = Owner::kForeign;
  EXPECT_FALSE(IsInJoined(stranger.pid(), "network", spec, facts)) << "no recorded container's";
}

TEST(Namespaces, RecogniseNamespacesPinnedByAnEngine) {
  InPrivateMounts([] {
    const Stranger stranger;
    TmpfsMount("/run");
    for (const char* path : {"/run/netns/cni-1", "/srv/exec/netns/abc", "/srv/other/abc"}) {
      WriteFile(path);
      ASSERT_EQ(::mount(stranger.path("net").c_str(), path, nullptr, MS_BIND, nullptr), 0);
    }
    WriteFile("/run/netns/plain");
    engine::Layout layout;
    layout.namespace_directories = {"/run/netns", "/var/run/netns", "/srv/exec/netns"};
    const auto owner = [&](const char* path) {
      return FactsOf("network", path, nullptr, layout).owner;
    };
    EXPECT_EQ(owner("/run/netns/cni-1"), Owner::kEngine);
    EXPECT_EQ(owner("/var/run/netns/cni-1"), Owner::kEngine) << "/var/run is a link";
    EXPECT_EQ(owner("/srv/exec/netns/abc"), Owner::kEngine);
    EXPECT_EQ(owner("/srv/other/abc"), Owner::kForeign);
    EXPECT_EQ(owner("/run/netns/../../srv/other/abc"), Owner::kForeign);
    EXPECT_EQ(owner("/run/netns/plain"), Owner::kForeign) << "no namespace at all";
  });
}

// The network namespace of a process that is gone, and those of another.
class Pinned {
 public:
  Pinned() {
    TmpfsMount("/run");
    const Stranger gone;
    for (const char* kind : {"net", "ipc", "uts"}) {
      const std::string directory = std::string("/run/") + kind + "ns/";
      const Stranger alone;
      BindMount(alone.path(kind), directory + "own");
      BindMount(gone.path(kind), directory + "empty");
      BindMount(stranger_.path(kind), directory + "others");
    }
    BindMount("/run/netns/own", "/run/netns/alias");
  }

  [[nodiscard]] FindContainer Find(const std::string& id) const {
    return [this, id](pid_t pid) { return pid == stranger_.pid() ? id : std::string(); };
  }

 private:
  Stranger stranger_;
};

engine::Layout LayoutOf(engine::Engine engine) {
  engine::Layout layout;
  layout.engine = engine;
  layout.id = "one";
  layout.data_root = "/srv/storage";
  layout.storage_driver = "overlay";
  layout.namespace_directories = {"/run/netns", "/run/ipcns", "/run/utsns"};
  MakeDirectories(layout.data_root);
  return layout;
}

TEST(Namespaces, RefuseNamespacesOfPodmanIfItsDatabaseIsUnreadable) {
  InPrivateMounts([] {
    const Pinned pinned;
    const engine::Layout layout = LayoutOf(engine::Engine::kPodman);
    const auto facts = [&](const char* path, const FindContainer& find) {
      return FactsOf("network", path, find, layout);
    };
    EXPECT_EQ(facts("/run/netns/own", pinned.Find("peer")).owner, Owner::kEngine);
    EXPECT_EQ(facts("/run/netns/empty", nullptr).owner, Owner::kEngine);
    EXPECT_EQ(facts("/run/netns/others", nullptr).owner, Owner::kForeign);
    EXPECT_EQ(facts("/run/netns/others", pinned.Find("peer")).owner, Owner::kContainer);
    EXPECT_EQ(facts("/run/netns/others", pinned.Find("peer")).container, "peer");
  });
}

TEST(Namespaces, AcceptPodmansPinsForTheirContainerOnly) {
  InPrivateMounts([] {
    const Pinned pinned;
    const engine::Layout layout = LayoutOf(engine::Engine::kPodman);
    engine::Tree database;
    const auto record = [](const std::string& path) -> std::map<std::string, std::string> {
      return {{"state", "{}"}, {"netns", path}};
    };
    database.At("ctr").At("one").values = record("/run/netns/own");
    database.At("ctr").At("two").values = record("/run/netns/empty");
    WriteFile("/srv/storage/libpod/bolt_state.db", engine::BoltWriter().Write(database));
    const auto facts = [&](const char* path, const FindContainer& find) {
      return FactsOf("network", path, find, layout);
    };
    EXPECT_EQ(facts("/run/netns/own", nullptr).owner, Owner::kEngine);
    EXPECT_EQ(facts("/run/netns/alias", nullptr).owner, Owner::kEngine) << "the same namespace";
    EXPECT_EQ(facts("/run/netns/empty", nullptr).owner, Owner::kUnclaimed);
    EXPECT_EQ(facts("/run/netns/others", nullptr).owner, Owner::kForeign);
    // As --network container: would, by the path that the other's record has.
    EXPECT_EQ(facts("/run/netns/others", pinned.Find("peer")).owner, Owner::kContainer);
    WriteFile("/srv/storage/libpod/bolt_state.db", "damaged");
    EXPECT_EQ(facts("/run/netns/own", nullptr).owner, Owner::kUnreadable);
  });
}

TEST(Namespaces, LeaveOutTheIdOfPodmansInfraContainer) {
  InPrivateMounts([] {
    const OwnPids process;
    const auto find = [](pid_t) { return "two"; };
    const auto is_own_sandbox = [&](const char* own, const char* peer) {
      engine::Tree database;
      database.At("ctr").At("one").values = {{"config", own}};
      database.At("ctr").At("two").values = {{"config", peer}};
      WriteFile("/srv/storage/libpod/bolt_state.db", engine::BoltWriter().Write(database));
      const NamespaceFacts facts =
          FactsOf("pid", process.path(), find, LayoutOf(engine::Engine::kPodman));
      EXPECT_EQ(facts.owner, Owner::kContainer);
      return facts.container.empty();
    };
    const char* const kMember = R"({"name":"app","pod":"p1"})";
    const char* const kInfra = R"({"pod":"p1","pause":true})";
    EXPECT_TRUE(is_own_sandbox(kMember, kInfra));
    EXPECT_FALSE(is_own_sandbox(kMember, R"({"pod":"p2","pause":true})")) << "another pod's";
    EXPECT_FALSE(is_own_sandbox(kMember, kMember)) << "another member";
    EXPECT_FALSE(is_own_sandbox(kMember, R"({"pod":"p1","pause":false})"));
    EXPECT_FALSE(is_own_sandbox("{}", R"({"pause":true})")) << "in no pod";
    EXPECT_FALSE(is_own_sandbox("{}", kInfra));
    EXPECT_FALSE(is_own_sandbox(kMember, "damaged"));
    EXPECT_TRUE(is_own_sandbox(kMember, kInfra));
    EXPECT_EQ(FactsOf("pid", process.path(), find, LayoutOf(engine::Engine::kDocker)).container,
              "two");
  });
}

TEST(Namespaces, AcceptPinsOfThePodOnly) {
  InPrivateMounts([] {
    const Pinned pinned;
    const auto facts = [&](engine::Engine engine, const std::string& type, const std::string& path,
                           const std::string& container = {}) {
      return FactsOf(type, path, pinned.Find(container), LayoutOf(engine),
                     {"box", "5f0e", "/run/netns/own"});
    };
    WriteFile(
        "/srv/storage/overlay-containers/box/userdata/config.json",
        R"({"linux":{"namespaces":[{"type":"network","path":"/run/netns/own"},)"
        R"({"type":"ipc","path":"/run/ipcns/own"},{"type":"uts","path":"/run/utsns/own"}]}})");
    for (const auto engine : {engine::Engine::kContainerd, engine::Engine::kCrio}) {
      EXPECT_EQ(facts(engine, "network", "/run/netns/own").owner, Owner::kEngine);
      EXPECT_EQ(facts(engine, "network", "/run/netns/empty").owner, Owner::kUnclaimed);
      EXPECT_EQ(facts(engine, "network", "/run/netns/others").owner, Owner::kForeign);
      const NamespaceFacts others = facts(engine, "network", "/run/netns/others", "another");
      EXPECT_EQ(others.owner, Owner::kForeign);
      EXPECT_EQ(others.container, "another") << "for the sentence";
      EXPECT_EQ(facts(engine, "network", "/run/netns/others", "box").owner, Owner::kContainer);
    }
    for (const char* kind : {"ipc", "uts"}) {
      const std::string directory = std::string("/run/") + kind + "ns/";
      EXPECT_EQ(facts(engine::Engine::kCrio, kind, directory + "own").owner, Owner::kEngine);
      EXPECT_EQ(facts(engine::Engine::kCrio, kind, directory + "empty").owner, Owner::kUnclaimed);
    }
    WriteFile("/srv/storage/overlay-containers/box/userdata/config.json", "damaged");
    EXPECT_EQ(facts(engine::Engine::kCrio, "network", "/run/netns/own").owner, Owner::kUnreadable);
  });
}

TEST(Namespaces, RefusePinsWithoutARecord) {
  InPrivateMounts([] {
    const Pinned pinned;
    for (const auto engine : {engine::Engine::kDocker, engine::Engine::kContainerd,
                              engine::Engine::kCrio, engine::Engine::kUnknown}) {
      EXPECT_EQ(FactsOf("network", "/run/netns/others", nullptr, LayoutOf(engine)).owner,
                Owner::kEngine);
    }
  });
}

TEST(Namespaces, AreUnknownIfUnreadable) {
  constexpr const char* kNobody = "/proc/4194305/ns/net";
  for (const char* path : {kNobody, "/srv/none", "proc/self/ns/net"}) {
    EXPECT_EQ(FactsOf("network", path).owner, Owner::kUnreadable) << path;
  }
}

}  // namespace
}  // namespace runclad::host::namespaces_test
