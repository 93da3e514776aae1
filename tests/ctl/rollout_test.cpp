// runcladctl policy apply, rollback, status and bundle.
#include <sys/stat.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "program.hpp"

namespace runclad::ctl::rollout_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Text(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

class Rollout : public ::testing::Test {
 protected:
  Rollout() { Write("etc/policy.json", R"({"extends": "baseline"})"); }

  std::string Write(const std::string& name, const std::string& text) const {
    return directory_.Write(name, text);
  }
  [[nodiscard]] std::string Path(const std::string& name) const {
    return directory_.path() + "/" + name;
  }
  [[nodiscard]] ProgramRun Policy(const std::string& verb,
                                  std::vector<std::string> arguments = {}) const {
    arguments.insert(arguments.begin(), {"policy", verb});
    arguments.insert(arguments.end(), {"--config", Path("etc"), "--state", Path("state")});
    return Runcladctl(arguments);
  }
  [[nodiscard]] ProgramRun Bundle(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"policy", "bundle", Path("new"), "-o", Path("bundle")});
    return Runcladctl(arguments);
  }
  // What create would read.
  [[nodiscard]] ProgramRun Show() const {
    return Runcladctl({"policy", "show", "--json", "--config", Path("etc")});
  }
  [[nodiscard]] std::string Mode() const {
    const ProgramRun run = Show();
    return run.status == 0 ? run.json()["values"]["mode"]["value"].get<std::string>() : run.err;
  }
  // The files of what is in force.
  [[nodiscard]] std::string InForce() const { return fs::read_symlink(Path("etc/applied")); }
  // A key pair, and the file that allows it to sign.
  void MakeKey(const std::string& name, bool is_allowed = true) const {
    const std::string command =
        "ssh-keygen -q -t ed25519 -N '' -C ops@example.org -f " + Path(name);
    ASSERT_EQ(std::system(command.c_str()), 0);
    if (is_allowed) Write("etc/allowed_signers", "ops@example.org " + Text(Path(name + ".pub")));
  }

  TemporaryDirectory directory_;
};

TEST_F(Rollout, ApplyPutsADirectoryInForceAndRollbackTheOneBefore) {
  Write("new/policy.json", R"({"mode": "audit"})");
  Write("new/images/docker.io/library/nginx.json", R"({"rules": {}})");
  Write("new/README.md", "not policy");
  ProgramRun run = Policy("apply", {Path("new")});
  ASSERT_EQ(run.status, 0) << run.out << run.err;
  EXPECT_THAT(run.out, HasSubstr("rollback goes back to the files in " + Path("etc")));
  EXPECT_EQ(Mode(), "audit");
  EXPECT_TRUE(fs::exists(InForce() + "/images/docker.io/library/nginx.json"));
  EXPECT_FALSE(fs::exists(InForce() + "/README.md"));

  Write("new/policy.json", R"({"mode": "enforce"})");
  EXPECT_EQ(Mode(), "audit") << "what was applied is a copy";
  ASSERT_EQ(Policy("apply", {Path("new")}).status, 0);
  EXPECT_EQ(Mode(), "enforce");
  ASSERT_EQ(Policy("rollback").status, 0);
  EXPECT_EQ(Mode(), "audit");
  ASSERT_EQ(Policy("rollback").status, 0);
  EXPECT_FALSE(fs::exists(fs::symlink_status(Path("etc/applied"))));
  EXPECT_EQ(Show().json()["profile"], "baseline");
  run = Policy("rollback");
  EXPECT_EQ(run.status, 3);
  EXPECT_THAT(run.err, HasSubstr("there is nothing to go back to"));
}

TEST_F(Rollout, TheFilesOfThePolicyDirectoryAreAppliedByDefaultAndNotReadAfterwards) {
  ASSERT_EQ(Policy("apply").status, 0);
  Write("etc/policy.json", "{ broken");
  EXPECT_EQ(Show().json()["profile"], "baseline");
  const ProgramRun run = Policy("apply");
  EXPECT_EQ(run.status, 1);
  EXPECT_THAT(run.out, HasSubstr(Path("etc") + "/policy.json:1"));
  EXPECT_THAT(run.out, HasSubstr("not applied"));
  const ProgramRun status = Policy("status");
  EXPECT_EQ(status.status, 1);
  EXPECT_THAT(status.out, HasSubstr("not the policy in force"));
}

TEST_F(Rollout, StatusIsSilentAboutFilesThatWereThereBefore) {
  Write("new/policy.json", R"({"mode": "audit"})");
  Write("etc/policy.json", R"({"mode": "enforce"})");
  const auto before = fs::file_time_type::clock::now() - std::chrono::hours(24);
  fs::last_write_time(Path("etc/policy.json"), before);
  ASSERT_EQ(Policy("apply", {Path("new")}).status, 0);
  EXPECT_EQ(Policy("status").status, 0) << Policy("status").out;
}

TEST_F(Rollout, ApplyRemovesAShieldOnlyOnRequest) {
  Write("etc/policy.d/zz-shield-x.json", R"({"rules": {"seccomp": {"deny": ["keyctl"]}}})");
  Write("new/policy.json", R"({"mode": "enforce"})");
  ProgramRun run = Policy("apply", {Path("new")});
  EXPECT_EQ(run.status, 3);
  EXPECT_THAT(run.err, HasSubstr(Path("new") + " lacks the shield " + Path("etc") +
                                 "/policy.d/zz-shield-x.json"));
  EXPECT_FALSE(fs::exists(fs::symlink_status(Path("etc/applied"))));
  // Its words may not be weaker either.
  Write("new/policy.d/zz-shield-x.json", R"({"rules": {}})");
  EXPECT_EQ(Policy("apply", {Path("new")}).status, 3);
  Write("new/policy.d/zz-shield-x.json", R"({"rules": {"seccomp": {"deny": ["keyctl"]}}})");
  ASSERT_EQ(Policy("apply", {Path("new")}).status, 0);
  fs::remove(Path("new/policy.d/zz-shield-x.json"));
  EXPECT_EQ(Policy("apply", {Path("new")}).status, 3);
  run = Policy("apply", {"--force", Path("new")});
  EXPECT_EQ(run.status, 0) << run.out << run.err;
}

TEST_F(Rollout, LintSaysThatFilesAreNotInForce) {
  ASSERT_EQ(Policy("apply").status, 0);
  const auto lint = [&] { return Runcladctl({"policy", "lint", Path("etc")}); };
  EXPECT_THAT(lint().out, HasSubstr("no faults"));
  Write("etc/policy.json", R"({"mode": "audit"})");
  EXPECT_EQ(lint().status, 0);
  EXPECT_THAT(lint().out, HasSubstr("warning: the files differ from the policy in force"));
}

TEST_F(Rollout, ApplyingTheSameAgainChangesNothing) {
  ASSERT_EQ(Policy("apply").status, 0);
  const std::string before = InForce();
  EXPECT_THAT(Policy("apply").out, HasSubstr("is in force already"));
  EXPECT_EQ(InForce(), before);
}

TEST_F(Rollout, DryRunChangesNothing) {
  const ProgramRun run = Policy("apply", {"--dry-run"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("not applied: --dry-run"));
  EXPECT_FALSE(fs::exists(fs::symlink_status(Path("etc/applied"))));
  EXPECT_FALSE(fs::exists(Path("state/policies/.new")));
}

TEST_F(Rollout, StatusSaysWhichPolicySinceWhenAndByWhom) {
  EXPECT_THAT(Policy("status").out, HasSubstr("the files in " + Path("etc") + " are in force"));
  ASSERT_EQ(Policy("apply").status, 0);
  const json status = Policy("status", {"--json"}).json();
  EXPECT_EQ(status["inForce"]["number"], 1);
  EXPECT_EQ(status["inForce"]["source"], Path("etc"));
  EXPECT_THAT(status["inForce"]["by"].get<std::string>(), HasSubstr("uid "));
  EXPECT_THAT(status["inForce"]["since"].get<std::string>(), HasSubstr("T"));
  EXPECT_EQ(status["warnings"], json::array());
  // As sha256sum would hash the list of the files.
  EXPECT_EQ(status["inForce"]["digest"].get<std::string>().substr(0, 7), "sha256:");
}

TEST_F(Rollout, AnAppliedPolicyThatBreaksFallsBackToItsCopyIfConfigured) {
  ASSERT_EQ(Policy("apply").status, 0);
  std::ofstream(InForce() + "/policy.json") << "{ broken";
  EXPECT_EQ(Show().status, 3) << "refusing is the default";
  EXPECT_THAT(Show().err, HasSubstr(InForce() + "/policy.json line 1"));

  Write("etc/policy.json", R"({"mode": "audit", "fallback": "last-good"})");
  ASSERT_EQ(Policy("apply", {"--force"}).status, 0);
  std::ofstream(InForce() + "/policy.json") << "{ broken, and cannot say fallback";
  EXPECT_EQ(Mode(), "audit");
  const ProgramRun status = Policy("status");
  EXPECT_EQ(status.status, 1);
  EXPECT_THAT(status.out, HasSubstr("the copy that was kept of it is"));
  EXPECT_THAT(status.out, HasSubstr("were changed after they were applied"));
  fs::remove(InForce() + "/policy.json");
  fs::create_directory(InForce() + "/policy.json");
  EXPECT_EQ(Mode(), "audit") << "unreadable";
}

TEST_F(Rollout, ALinkThatOthersCouldHaveMadeIsRefused) {
  Write("elsewhere/policy.json", R"({"mode": "audit"})");
  fs::create_symlink(Path("elsewhere"), Path("etc/applied"));
  EXPECT_EQ(Mode(), "audit");
  ::chmod(Path("elsewhere").c_str(), 0777);
  EXPECT_THAT(Show().err, HasSubstr("could have been made by others than root"));
  fs::remove_all(Path("elsewhere"));
  EXPECT_THAT(Show().err, HasSubstr("does not exist"));
  fs::remove(Path("etc/applied"));
  Write("etc/applied", "a file");
  EXPECT_THAT(Show().err, HasSubstr("is not a link to a revision"));
}

// A user of dockerd can have a directory made at any path, and would stop every new container by
// it.
TEST_F(Rollout, ADirectoryInPlaceOfTheLinkIsNotAnAppliedPolicy) {
  Write("etc/policy.json", R"({"mode": "audit"})");
  fs::create_directories(Path("etc/applied/policy"));
  Write("etc/applied/policy/policy.json", R"({"mode": "enforce"})");
  EXPECT_EQ(Mode(), "audit");
  fs::remove_all(Path("etc/applied"));
  fs::create_directories(Path("etc/applied/inside"));
  Write("new/policy.json", R"({"mode": "enforce"})");
  EXPECT_EQ(Policy("apply", {Path("new"), "--force"}).status, 0);
  EXPECT_EQ(Mode(), "enforce");
}

TEST_F(Rollout, ADirectoryAmongTheRevisionsIsNone) {
  for (const char* number : {"1", "999999999"}) {
    fs::create_directories(Path("state/policies/") + number + "/inside");
  }
  for (const std::string mode : {"audit", "enforce"}) {
    Write("new/policy.json", R"({"mode": ")" + mode + R"("})");
    const ProgramRun run = Policy("apply", {Path("new")});
    EXPECT_EQ(run.status, 0) << run.err;
    EXPECT_EQ(Mode(), mode);
  }
  EXPECT_EQ(InForce(), Path("state/policies/2/policy"));
  EXPECT_EQ(Policy("rollback").status, 0);
  EXPECT_EQ(Mode(), "audit");
}

TEST_F(Rollout, ADirectoryWithoutAPolicyIsNotApplied) {
  Write("new/README.md", "the policy is one directory further down");
  const ProgramRun run = Policy("apply", {Path("new")});
  EXPECT_EQ(run.status, 3);
  EXPECT_THAT(run.err, HasSubstr("has no file of a policy"));
  EXPECT_EQ(Bundle({"--revision", "1"}).status, 3);
}

TEST_F(Rollout, LinksAndForeignNamesInASourceAreRefused) {
  Write("new/policy.json", "{}");
  fs::create_directory(Path("new/images"));
  fs::create_symlink("/etc/shadow", Path("new/images/x.json"));
  ProgramRun run = Policy("apply", {Path("new")});
  EXPECT_EQ(run.status, 3);
  EXPECT_THAT(run.err, HasSubstr("images/x.json is a link"));
  fs::remove(Path("new/images/x.json"));
  Write("new/policies.json", "{}");
  run = Policy("apply", {Path("new")});
  EXPECT_EQ(run.status, 3);
  EXPECT_THAT(run.err, HasSubstr("did you mean \"policy.json\"?"));
}

// As the kubelet mounts it: links into ..data, and keys with neither "/" nor ":".
TEST_F(Rollout, AConfigMapHasNamesForTheImagesTree) {
  const std::string image = R"({"rules": {}})";
  Write("map/..2026/policy.json", R"({"mode": "audit"})");
  for (const char* key :
       {"images..docker.io..library..nginx.json", "images..docker.io.._default.json",
        "images..localhost_5000..team__a..my_app.json", "policy.d..10-local.json"}) {
    Write(std::string("map/..2026/") + key, image);
  }
  fs::create_symlink("..2026", Path("map/..data"));
  fs::create_symlink("..data/policy.json", Path("map/policy.json"));
  const ProgramRun run = Policy("apply", {Path("map")});
  ASSERT_EQ(run.status, 0) << run.out << run.err;
  EXPECT_EQ(Mode(), "audit");
  for (const char* path : {"images/docker.io/library/nginx.json", "images/docker.io/_default.json",
                           "images/localhost:5000/team__a/my_app.json", "policy.d/10-local.json"}) {
    EXPECT_TRUE(fs::exists(InForce() + "/" + path)) << path;
  }
}

// A rootless engine calls runclad as its user.
TEST_F(Rollout, EveryUserCanReadThePolicyInForce) {
  ::chmod(directory_.path().c_str(), 0755);
  ::umask(0077);
  const ProgramRun run = Policy("apply");
  ::umask(0022);
  ASSERT_EQ(run.status, 0) << run.err;
  const pid_t child = ::fork();
  if (child == 0) {
    const bool is_read = ::setuid(65534) == 0 && std::ifstream(InForce() + "/policy.json").good();
    ::_exit(is_read ? 0 : 1);
  }
  int status = -1;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0);
}

TEST_F(Rollout, OnlyTheLastRevisionsAreKept) {
  for (int i = 0; i < 11; ++i) {
    Write("etc/policy.json", std::string(static_cast<std::size_t>(i), ' ') + "{}");
    ASSERT_EQ(Policy("apply").status, 0);
  }
  EXPECT_FALSE(fs::exists(Path("state/policies/3")));
  EXPECT_TRUE(fs::exists(Path("state/policies/4")));
}

TEST_F(Rollout, ABundleIsTheSameEachTimeAndIsApplied) {
  MakeKey("key");
  Write("new/policy.json", R"({"mode": "audit"})");
  const std::vector<std::string> options = {"--revision", "41",          "--key",
                                            Path("key"),  "--not-after", "2999-12-31"};
  ProgramRun run = Bundle(options);
  ASSERT_EQ(run.status, 0) << run.out << run.err;
  const std::string bundle = Text(Path("bundle"));
  ASSERT_EQ(Bundle(options).status, 0);
  EXPECT_EQ(Text(Path("bundle")), bundle);
  run = Policy("apply", {Path("bundle")});
  ASSERT_EQ(run.status, 0) << run.out << run.err;
  EXPECT_THAT(run.out, HasSubstr("revision 41 is in force"));
  EXPECT_EQ(Mode(), "audit");
  const json status = Policy("status", {"--json"}).json()["inForce"];
  EXPECT_EQ(status["revision"], 41);
  EXPECT_EQ(status["signer"], "ops@example.org");
  EXPECT_EQ(status["notAfter"], "2999-12-31");
}

TEST_F(Rollout, AnOlderOrExpiredBundleIsRefused) {
  MakeKey("key");
  Write("new/policy.json", "{}");
  const std::vector<std::string> key = {"--key", Path("key"), "--revision"};
  const auto apply = [&](const std::vector<std::string>& options) {
    std::vector<std::string> arguments = key;
    arguments.insert(arguments.end(), options.begin(), options.end());
    EXPECT_EQ(Bundle(arguments).status, 0);
    return Policy("apply", {Path("bundle"), "--force"});
  };
  ASSERT_EQ(apply({"41"}).status, 0);
  EXPECT_THAT(apply({"40"}).err, HasSubstr("is older than revision 41, which is in force"));
  EXPECT_THAT(apply({"42", "--not-after", "2026-01-01"}).err,
              HasSubstr("was valid until 2026-01-01"));
  // A change of this host's own is one to revision 41, and no way around.
  ASSERT_EQ(Policy("apply").status, 0);
  EXPECT_THAT(apply({"40"}).err, HasSubstr("is older than revision 41"));
  EXPECT_EQ(apply({"41"}).status, 0);
  Write("new/policy.json", R"({"mode": "audit"})");
  EXPECT_THAT(apply({"41"}).err, HasSubstr("is in force with other files"));
  EXPECT_EQ(apply({"42"}).status, 0);
}

TEST_F(Rollout, ABundleCountsOnlyWithAnAllowedSignature) {
  MakeKey("key");
  MakeKey("stranger", /*is_allowed=*/false);
  Write("new/policy.json", "{}");
  ASSERT_EQ(Bundle({"--revision", "1", "--key", Path("stranger")}).status, 0);
  EXPECT_THAT(Policy("apply", {Path("bundle")}).err, HasSubstr("is signed by a key that"));
  ASSERT_EQ(Bundle({"--revision", "1"}).status, 0);
  EXPECT_THAT(Policy("apply", {Path("bundle")}).err, HasSubstr("is not a signed policy bundle"));

  ASSERT_EQ(Bundle({"--revision", "1", "--key", Path("key")}).status, 0);
  std::string text = Text(Path("bundle"));
  text.replace(text.find("\"revision\":1"), 12, "\"revision\":9");
  Write("forged", text);
  EXPECT_THAT(Policy("apply", {Path("forged")}).err, HasSubstr("signature that does not match"));
  ::chmod(Path("etc/allowed_signers").c_str(), 0666);
  EXPECT_THAT(Policy("apply", {Path("bundle")}).err, HasSubstr("changed by others than root"));
  fs::remove(Path("etc/allowed_signers"));
  EXPECT_THAT(Policy("apply", {Path("bundle")}).err, HasSubstr("does not exist"));
  EXPECT_FALSE(fs::exists(fs::symlink_status(Path("etc/applied"))));
}

// Signed all the same: what is in a bundle is held to a policy's paths.
TEST_F(Rollout, ABundleCannotLeaveThePolicysDirectory) {
  MakeKey("key");
  for (const char* path : {"/etc/passwd", "../policy.json", "images/../../x.json", "images//x.json",
                           "images/.hidden.json", "applied", "policy.json/x", "images/a\\u0000b"}) {
    Write("payload", R"({"files":{")" + std::string(path) +
                         R"(":"{}"},"format":"runclad-policy","notAfter":"","revision":1,)"
                         R"("version":1})"
                         "\n");
    fs::remove(Path("payload.sig"));
    const std::string sign = "ssh-keygen -q -Y sign -n runclad-policy -f " + Path("key") + " " +
                             Path("payload") + " 2>/dev/null";
    ASSERT_EQ(std::system(sign.c_str()), 0);
    Write("bundle", Text(Path("payload")) + Text(Path("payload.sig")));
    const ProgramRun run = Policy("apply", {Path("bundle")});
    EXPECT_EQ(run.status, 3) << path << run.out;
    EXPECT_THAT(run.err, Not(HasSubstr("internal"))) << path;
    EXPECT_FALSE(fs::exists(fs::symlink_status(Path("etc/applied")))) << path;
  }
}

}  // namespace
}  // namespace runclad::ctl::rollout_test
