#include "host/path_policy.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace runclad::host::path_policy_test {
namespace {

using Access = SourceFacts::Access;

PathPolicy Policy(bool below_is_read_only) {
  PathPolicy policy(below_is_read_only);
  policy.Add("/etc", "", Mark::kDeny, "/etc");
  policy.Add("/etc/shadow", "", Mark::kCredential, "/etc/shadow");
  policy.Add("/etc/app", "", Mark::kAllow, "/etc/app");
  policy.Add("/etc/app/key", "", Mark::kDeny, "/etc/app/key");
  policy.Add("/usr/share/zoneinfo", "", Mark::kReadOnly, "/usr/share/zoneinfo");
  policy.Add("/usr", "", Mark::kDeny, "/usr");
  policy.Add("/run", "", Mark::kDeny, "/run");
  policy.Add("/run/docker.sock", "", Mark::kRuntime, "/var/run/docker.sock");
  policy.Add("/run", "", Mark::kAllow, "/run");
  policy.Add("/var/lib/docker", "", Mark::kDeny, "/var/lib/docker");
  policy.Add("/var/log/runclad", "", Mark::kOurs, "/var/log/runclad");
  policy.Add("/var/log/runclad", "", Mark::kAllow, "/var/log/runclad");
  policy.Add("/home", "/*/.ssh", Mark::kDeny, "/home/*/.ssh");
  policy.Add("/home/ci/.ssh", "", Mark::kAllow, "/home/ci/.ssh");
  policy.Add("/", "/lib*", Mark::kDeny, "/lib*");
  policy.AddVolumePlace("/var/lib/docker/volumes", "/*/_data");
  return policy;
}

struct Case {
  const char* path;
  Access refuse;  // with below: refuse
  Access read_only;
  const char* because;  // with below: refuse
};

TEST(PathPolicy, JudgesByTheNearestEntryAndByContents) {
  const PathPolicy refuse = Policy(false);
  const PathPolicy read_only = Policy(true);
  constexpr Access kAllowed = Access::kAllowed;
  constexpr Access kReadOnly = Access::kReadOnly;
  constexpr Access kDenied = Access::kDenied;
  for (const Case& test : std::vector<Case>{
           {"/", Access::kHostRoot, Access::kHostRoot, "is the host's root filesystem"},
           {"/srv", kAllowed, kAllowed, ""},
           {"/srv/etc", kAllowed, kAllowed, ""},
           {"/etcetera", kAllowed, kAllowed, ""},
           // the entry, below it, above it
           {"/etc", kDenied, kDenied, "is /etc"},
           {"/etc/hosts", kDenied, kReadOnly, "is below /etc"},
           {"/var/lib", kDenied, kDenied, "is an ancestor of /var/lib/docker"},
           {"/var", kDenied, kDenied, "is an ancestor of /var/lib/docker"},
           {"/var/lib/other", kAllowed, kAllowed, ""},
           {"/var/lib/docker/overlay2", kDenied, kReadOnly, "is below /var/lib/docker"},
           // credentials stay refused
           {"/etc/shadow", kDenied, kDenied, "is /etc/shadow"},
           {"/etc/shadow/x", kDenied, kDenied, "is below /etc/shadow"},
           // allow: that path and below, but not what is denied nearer or holds what is
           {"/etc/app/conf", kAllowed, kAllowed, ""},
           {"/etc/app", kDenied, kDenied, "is an ancestor of /etc/app/key"},
           {"/etc/app/key", kDenied, kDenied, "is /etc/app/key"},
           {"/etc/application", kDenied, kReadOnly, "is below /etc"},
           // allow never lifts sockets, and not what holds them
           {"/run", kDenied, kDenied, "is an ancestor of /var/run/docker.sock"},
           {"/run/docker.sock", kDenied, kDenied, "is /var/run/docker.sock"},
           {"/run/app", kAllowed, kAllowed, ""},
           {"/var/log/runclad", kDenied, kDenied, "is /var/log/runclad"},
           {"/var/log/runclad/audit.jsonl", kDenied, kDenied, "is below /var/log/runclad"},
           // allow-read-only
           {"/usr/share/zoneinfo", kReadOnly, kReadOnly, "is /usr/share/zoneinfo"},
           {"/usr/share/zoneinfo/UTC", kReadOnly, kReadOnly, "is below /usr/share/zoneinfo"},
           {"/usr/share", kDenied, kReadOnly, "is below /usr"},
           // patterns
           {"/home", kDenied, kDenied, "is an ancestor of /home/*/.ssh"},
           {"/home/alice", kDenied, kDenied, "is an ancestor of /home/*/.ssh"},
           {"/home/alice/.ssh", kDenied, kDenied, "is /home/*/.ssh"},
           {"/home/alice/.ssh/id", kDenied, kReadOnly, "is below /home/*/.ssh"},
           {"/home/alice/src", kAllowed, kAllowed, ""},
           {"/home/ci/.ssh", kAllowed, kAllowed, ""},
           {"/home/ci/.ssh/key", kAllowed, kAllowed, ""},
           {"/home/a/b/.ssh", kAllowed, kAllowed, ""},
           {"/lib64", kDenied, kDenied, "is /lib*"},
           {"/lib/modules", kDenied, kReadOnly, "is below /lib*"},
           {"/srv/lib", kAllowed, kAllowed, ""},
       }) {
    const Verdict verdict = refuse.Judge(test.path);
    EXPECT_EQ(verdict.access, test.refuse) << test.path;
    EXPECT_EQ(verdict.because, test.because) << test.path;
    EXPECT_EQ(read_only.Judge(test.path).access, test.read_only) << test.path;
  }
}

TEST(PathPolicy, RecognisesVolumeDirectories) {
  const PathPolicy policy = Policy(false);
  EXPECT_TRUE(policy.Judge("/var/lib/docker/volumes/a/_data").is_volume);
  EXPECT_TRUE(policy.Judge("/var/lib/docker/volumes/a/_data/b").is_volume);
  EXPECT_FALSE(policy.Judge("/var/lib/docker/volumes/a").is_volume);
  EXPECT_FALSE(policy.Judge("/var/lib/docker").is_volume);
}

TEST(PathPolicy, AllowingTheRootGrantsNothing) {
  PathPolicy policy = Policy(false);
  policy.Add("/", "", Mark::kAllow, "/");
  EXPECT_EQ(policy.Judge("/").access, Access::kHostRoot);
  EXPECT_EQ(policy.Judge("/etc").access, Access::kDenied);
  EXPECT_TRUE(policy.Judge("/srv").is_listed);
}

TEST(PathPolicy, TheStricterVerdictCounts) {
  const Verdict denied{Access::kDenied, "denied"};
  const Verdict read_only{Access::kReadOnly, "read-only"};
  EXPECT_EQ(Stricter(denied, read_only).because, "denied");
  EXPECT_EQ(Stricter(read_only, denied).because, "denied");
  EXPECT_EQ(Stricter(denied, {Access::kDenied, "later"}).because, "denied");
  EXPECT_EQ(Stricter({Access::kHostRoot, "root"}, denied).because, "root");
}

}  // namespace
}  // namespace runclad::host::path_policy_test
