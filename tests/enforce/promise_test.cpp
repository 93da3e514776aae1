#include "runclad/enforce/promise.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace runclad::enforce {
namespace {

constexpr std::string_view kSpec = R"({
  "root": {"path": "rootfs", "readonly": true},
  "process": {"noNewPrivileges": true, "capabilities": {"bounding": ["CAP_KILL", "CAP_CHOWN"]}},
  "mounts": [
    {"destination": "/proc", "type": "proc"},
    {"destination": "/data/inner", "source": "/a", "options": ["bind"]},
    {"destination": "/data", "source": "/b", "options": ["rbind"]},
    {"destination": "/link/file", "source": "/c", "type": "bind"},
    {"destination": "/etc/hosts", "source": "/own", "type": "bind"}
  ],
  "linux": {"namespaces": [{"type": "pid"}, {"type": "network", "path": "/host"}, {"type": "user"}]}
})";

rules::Facts Facts() {
  rules::Facts facts;
  for (const auto& [source, inode] : {std::pair{"/a", 1}, {"/b", 2}, {"/c", 3}, {"/own", 4}}) {
    facts.sources[source].access = rules::SourceFacts::Access::kAllowed;
    facts.sources[source].device = 7;
    facts.sources[source].inode = static_cast<std::uint64_t>(inode);
  }
  facts.sources["/own"].access = rules::SourceFacts::Access::kEngineOwn;
  facts.namespaces["/host"].owner = rules::NamespaceFacts::Owner::kHost;
  facts.resolved_destinations["/link/file"] = "/real/file";
  return facts;
}

TEST(Promise, IsWhatTheSpecSaysAndTheFactsKnow) {
  const Promise promise = PromiseOf(*oci::Spec::Parse(kSpec), Facts());
  EXPECT_EQ(promise.bounding, (1U << 5) | 1U);
  EXPECT_TRUE(promise.no_new_privileges);
  EXPECT_FALSE(promise.seccomp);
  EXPECT_TRUE(promise.read_only_root);
  EXPECT_EQ(promise.own_namespaces, std::vector<std::string>{"pid"})
      << "one that was let through is not its own; runclad promises nothing of user namespaces";
  ASSERT_EQ(promise.binds.size(), 2U) << "/data covers what is inside; the engine's files are its";
  EXPECT_EQ(promise.binds[0].destination, "/data");
  EXPECT_EQ(promise.binds[0].inode, 2U);
  EXPECT_EQ(promise.binds[1].destination, "/real/file");
  EXPECT_EQ(promise.binds[1].device, 7U);
}

TEST(Promise, IsNothingOfABindThatIsMasked) {
  const auto spec = *oci::Spec::Parse(R"({
    "mounts": [{"destination": "/data", "source": "/a", "options": ["bind"]},
               {"destination": "/data2", "source": "/b", "options": ["bind"]}],
    "linux": {"maskedPaths": ["/data", "/data2/inner"]}})");
  const Promise promise = PromiseOf(spec, Facts());
  ASSERT_EQ(promise.binds.size(), 1U);
  EXPECT_EQ(promise.binds[0].destination, "/data2");
}

// This process stands in for a container: it has every capability, no filter, the host's
// namespaces.
std::string WhyBroken(const Promise& promise) {
  const Status kept = Verify(promise, ::getpid(), /*seccomp_is_late=*/false);
  return kept ? "" : kept.error().message;
}

TEST(Verify, FindsWhatIsNotKept) {
  EXPECT_EQ(WhyBroken({}), "");
  Promise promise;
  promise.bounding = 1;
  EXPECT_NE(WhyBroken(promise).find("its bounding set is"), std::string::npos);
  promise = {};
  promise.no_new_privileges = true;
  EXPECT_EQ(WhyBroken(promise), "no_new_privs is not set");
  promise = {};
  promise.seccomp = true;
  EXPECT_EQ(WhyBroken(promise), "it has no seccomp filter");
  EXPECT_TRUE(Verify(promise, ::getpid(), /*seccomp_is_late=*/true));
  promise = {};
  promise.own_namespaces = {"net"};
  EXPECT_EQ(WhyBroken(promise), "its net namespace is the host's");
}

TEST(Verify, HoldsBindsToTheInodeThatWasChecked) {
  struct stat status {};
  ASSERT_EQ(::stat("/etc", &status), 0);
  Promise promise;
  promise.binds = {{"/etc", status.st_dev, status.st_ino}};
  EXPECT_EQ(WhyBroken(promise), "");
  promise.binds[0].inode += 1;
  EXPECT_EQ(WhyBroken(promise),
            "what is mounted at /etc is not what was checked: its source was swapped");
}

}  // namespace
}  // namespace runclad::enforce
