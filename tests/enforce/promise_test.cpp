#include "runclad/enforce/promise.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/json/pointer.hpp"
#include "runclad/rules/engine_sys.hpp"

#include "../parameter_values.hpp"
#include "enforce/promise_json.hpp"

namespace runclad::enforce::promise_test {
namespace {

Created Self() {
  Created created;
  created.pid = ::getpid();
  return created;
}

json::Document Written(const Promise& promise) {
  json::ObjectWriter text;
  Put(promise, text);
  return json::Document::parse(text.Finish());
}

constexpr std::string_view kSpec = R"({
  "root": {"path": "rootfs", "readonly": true},
  "process": {"noNewPrivileges": true, "user": {"uid": 7, "gid": 8, "additionalGids": [9]},
    "capabilities": {"bounding": ["CAP_KILL", "CAP_CHOWN"], "ambient": ["CAP_KILL"]}},
  "mounts": [
    {"destination": "/proc", "type": "proc", "options": ["nosuid", "noexec", "suid"]},
    {"destination": "/data/inner", "source": "/a", "options": ["bind", "ro"]},
    {"destination": "/data", "source": "/b", "options": ["rbind", "rro", "rnosuid", "rslave"]},
    {"destination": "/link/file", "source": "/c", "type": "bind"},
    {"destination": "/etc/hosts", "source": "/own", "type": "bind"},
    {"destination": "/over", "type": "overlay",
     "options": ["lowerdir=/x:/y", "upperdir=/u", "workdir=/w", "ro"]}
  ],
  "linux": {
    "namespaces": [{"type": "pid"}, {"type": "network", "path": "/host"}, {"type": "user"}],
    "uidMappings": [{"containerID": 0, "hostID": 1000, "size": 5}],
    "resources": {"pids": {"limit": 100}, "memory": {"limit": 5000}, "cpu": {"quota": 20}},
    "maskedPaths": ["/", "/data"], "readonlyPaths": ["/proc/sys"],
    "devices": [{"path": "/dev/fuse", "type": "c", "major": 10, "minor": 229}]
  }
})";

rules::Facts Facts() {
  rules::Facts facts;
  for (const auto& [source, inode] : {std::pair{"/a", 1}, {"/b", 2}, {"/c", 3}, {"/own", 4}}) {
    facts.Get<rules::Sources>()[source].access = rules::SourceFacts::Access::kAllowed;
    facts.Get<rules::Sources>()[source].resolved = source;
    facts.Get<rules::Sources>()[source].device = 7;
    facts.Get<rules::Sources>()[source].inode = static_cast<std::uint64_t>(inode);
  }
  facts.Get<rules::Sources>()["/own"].access = rules::SourceFacts::Access::kEngineOwn;
  facts.Get<rules::Sources>()["/a"].file_system = 9;
  facts.Get<rules::Sources>()["/a"].place = "/vol/a";
  facts.Get<rules::Sources>()["/a"].replaceable_because = "could be replaced by user 1000";
  facts.Get<rules::Namespaces>()["/host"].inode = 4242;
  facts.Get<rules::Destinations>().resolved["/link/file"] = "/real/file";
  facts.Get<rules::RootDirectory>().device = 11;
  facts.Get<rules::RootDirectory>().inode = 12;
  return facts;
}

Promise PromiseOfSpec() {
  policy::Effective policy;
  policy.rules["host-mounts"].action = policy::Action::kRefuse;
  policy.rules["host-mounts"].parameters.Set("deny", std::vector<std::string>{"/etc"});
  return PromiseOf(*oci::Spec::Parse(kSpec), policy, Facts());
}

// Everything that is promised, so that a member that the record loses is seen.
void ExpectPromised(const Promise& promise) {
  EXPECT_TRUE(promise.has_mounts);
  EXPECT_EQ(promise.capabilities, (std::array<std::uint64_t, 5>{0, 0, 0, (1U << 5) | 1U, 1U << 5}));
  EXPECT_TRUE(promise.no_new_privileges);
  EXPECT_FALSE(promise.seccomp);
  EXPECT_EQ(promise.uid, 7U);
  EXPECT_EQ(promise.gid, 8U);
  EXPECT_EQ(promise.groups, std::vector<std::uint32_t>{9});
  ASSERT_EQ(promise.uid_mappings.size(), 1U);
  EXPECT_EQ(promise.uid_mappings[0].host_id, 1000U);
  EXPECT_EQ(promise.uid_mappings[0].size, 5U);
  EXPECT_TRUE(promise.HasOwn("pid"));
  EXPECT_FALSE(promise.HasOwn("net")) << "it is the one that was examined, by its inode";
  EXPECT_FALSE(promise.HasOwn("ipc"));
  ASSERT_EQ(promise.namespaces.size(), 3U);
  EXPECT_EQ(promise.limits.pids, 100);
  EXPECT_EQ(promise.limits.memory, 5000);
  EXPECT_EQ(promise.limits.cpu_quota, 20);
  EXPECT_EQ(promise.limits.cpu_period, 0);
  EXPECT_TRUE(promise.read_only_root);
  EXPECT_EQ(promise.root_device, 11U);
  EXPECT_EQ(promise.root_inode, 12U);
  EXPECT_EQ(promise.masked_paths, (std::vector<std::string>{"/", "/data"}));
  EXPECT_EQ(promise.readonly_paths, std::vector<std::string>{"/proc/sys"});
  ASSERT_EQ(promise.devices.size(), 1U);
  EXPECT_EQ(promise.devices[0].minor, 229);
  EXPECT_FALSE(promise.hooks_may_mount);
  EXPECT_EQ(promise.host_mounts.action, policy::Action::kRefuse) << "/b receives mounts";
  EXPECT_EQ(policy::StringsOf(promise.host_mounts.parameters, "deny"),
            std::vector<std::string>{"/etc"});
  EXPECT_EQ(promise.root_path, "rootfs");

  ASSERT_EQ(promise.mounts.size(), 6U) << "whatever covers or masks it";
  EXPECT_EQ(promise.mounts[0].type, "proc");
  EXPECT_EQ(promise.mounts[0].flags, kNoExec) << "suid comes last";
  const PromisedMount& inner = promise.mounts[1];
  EXPECT_EQ(inner.point, "/data/inner");
  EXPECT_EQ(inner.type, "");
  EXPECT_EQ(inner.flags, kReadOnly);
  EXPECT_EQ(inner.source, "/a");
  EXPECT_EQ(inner.device, 7U);
  EXPECT_EQ(inner.inode, 1U);
  EXPECT_EQ(inner.file_system, 9U);
  EXPECT_EQ(inner.root, "/vol/a");
  EXPECT_EQ(inner.replaceable_because, "could be replaced by user 1000");
  EXPECT_FALSE(inner.is_recursive);
  EXPECT_TRUE(promise.mounts[2].is_recursive);
  EXPECT_EQ(promise.mounts[2].flags, kReadOnly | kNoSuid);
  EXPECT_EQ(promise.mounts[2].submount_flags, kReadOnly | kNoSuid);
  EXPECT_EQ(promise.mounts[3].point, "/real/file");
  EXPECT_EQ(promise.mounts[4].inode, 4U) << "the engine's own files, too";
  EXPECT_EQ(promise.mounts[5].layers,
            (std::vector<std::string>{"lowerdir=/x:/y", "upperdir=/u", "workdir=/w"}));
}

TEST(Promise, CoversTheWholeSpec) { ExpectPromised(PromiseOfSpec()); }

// podman's bind of the host's /sys, as it is handed on and with one mask less.
TEST(Promise, ListsTheMasksOverTheHostsSys) {
  rules::Facts facts;
  facts.Get<rules::KernelFacts>().major = 6;
  facts.Get<rules::UserNamespace>() = {.root = 100000};
  facts.Get<rules::HostSys>() = rules::HostSysFacts{.mounts = {"/sys/odd"}};
  facts.Get<rules::Sources>()["/sys"] = {
      .access = rules::SourceFacts::Access::kDenied, .resolved = "/sys", .because = "is /sys"};
  auto spec = oci::Spec::Parse(
      R"({"linux":{"namespaces":[{"type":"user"}]},"mounts":[{"destination":"/sys","type":"bind",)"
      R"("source":"/sys","options":["rprivate","rbind","ro","nosuid","nodev","noexec","rro",)"
      R"("rnosuid","rnodev","rnoexec"]}]})");
  ASSERT_TRUE(spec);
  EXPECT_FALSE(PromiseOf(*spec, {}, facts).mounts.at(0).hides_submounts);
  json::Set(spec->document(), "/linux/maskedPaths", rules::MasksOverSys(*spec, facts));
  const Promise promise = PromiseOf(*spec, {}, facts);
  EXPECT_TRUE(promise.mounts.at(0).hides_submounts);
  const auto kept = PromiseFrom(Written(promise));
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_TRUE(kept->mounts.at(0).hides_submounts);
  EXPECT_EQ(kept->mounts.at(0).submount_flags, kReadOnly | kNoSuid | kNoDev | kNoExec);
}

TEST(Promise, RoundTripsThroughTheRecord) {
  const auto promise = PromiseFrom(Written(PromiseOfSpec()));
  ASSERT_TRUE(promise) << promise.error().message;
  ExpectPromised(*promise);
}

TEST(Promise, OfAnEarlierVersionHasNoMounts) {
  const auto promise = PromiseFrom(json::Document::parse(
      R"({"noNewPrivileges": true, "seccomp": true, "readOnlyRoot": true, "ownNamespaces": ["pid"],
          "binds": [{"destination": "/a", "device": 1, "inode": 2}]})"));
  ASSERT_TRUE(promise) << promise.error().message;
  EXPECT_FALSE(promise->has_mounts);
  const Status kept = Verify(*promise, Self());
  ASSERT_FALSE(kept);
  EXPECT_NE(kept.error().message.find("did not record mounts"), std::string::npos);
  EXPECT_TRUE(VerifyRunning(*promise, Self())) << "exec into what runs goes on";
}

TEST(Promise, IsRejectedIfDamaged) {
  EXPECT_FALSE(PromiseFrom(json::Document::parse(R"({"mounts": []})")));
  EXPECT_FALSE(PromiseFrom(json::Document::parse("[]")));
}

TEST(Promise, AllowsMountsOfHooksOtherThanTheEnginesNetwork) {
  const auto spec = *oci::Spec::Parse(
      R"({"hooks": {"prestart": [{"path": "/usr/bin/hook"}], "poststop": [{"path": "/x"}]}})");
  rules::Facts facts;
  facts.Get<rules::Hooks>()["/hooks/prestart/0"].kind = rules::HookFacts::Kind::kTrusted;
  EXPECT_TRUE(PromiseOf(spec, {}, facts).hooks_may_mount);
  facts.Get<rules::Hooks>()["/hooks/prestart/0"].kind = rules::HookFacts::Kind::kEngine;
  EXPECT_FALSE(PromiseOf(spec, {}, facts).hooks_may_mount);
  facts.Get<rules::Hooks>()["/hooks/prestart/0"].resolved =
      "/usr/bin/nvidia-container-runtime-hook";
  EXPECT_TRUE(PromiseOf(spec, {}, facts).hooks_may_mount);
}

// This process stands in for a container: no filter, the host's namespaces, other mounts.
std::string WhyBroken(Promise promise) {
  promise.has_mounts = true;
  const Status kept = Verify(promise, Self());
  return kept ? "" : kept.error().message;
}

Promise AllCapabilities() {
  Promise promise;
  promise.capabilities.fill(~std::uint64_t{0});
  promise.uid = ::getuid();
  promise.gid = ::getgid();
  promise.groups.resize(64);
  const int groups = ::getgroups(64, promise.groups.data());
  promise.groups.resize(groups < 0 ? 0 : static_cast<std::size_t>(groups));
  return promise;
}

TEST(Verify, FindsEveryDifference) {
  Promise promise = AllCapabilities();
  promise.capabilities[3] = 1;
  EXPECT_NE(WhyBroken(promise).find("its bounding capabilities are"), std::string::npos);
  promise = AllCapabilities();
  promise.no_new_privileges = true;
  EXPECT_EQ(WhyBroken(promise), "no_new_privs is not set");
  promise = AllCapabilities();
  promise.seccomp = true;
  EXPECT_EQ(WhyBroken(promise), "it has no seccomp filter");
  promise = AllCapabilities();
  promise.uid = 4321;
  EXPECT_EQ(WhyBroken(promise), "its user is not 4321");
  promise = AllCapabilities();
  promise.gid = 4321;
  EXPECT_EQ(WhyBroken(promise), "its group is not 4321");
  promise = AllCapabilities();
  promise.namespaces = {{"net", 0}};
  EXPECT_EQ(WhyBroken(promise), "its net namespace is the host's");
  promise.namespaces = {{"net", 1}};
  EXPECT_EQ(WhyBroken(promise), "its net namespace is not the one that was checked");
}

TEST(Verify, ComparesTheInodeOfTheRootFilesystem) {
  Promise promise = AllCapabilities();
  promise.root_inode = 1;
  EXPECT_EQ(WhyBroken(promise),
            "its root filesystem is not the one that was checked: it was swapped");
}

}  // namespace
}  // namespace runclad::enforce::promise_test
