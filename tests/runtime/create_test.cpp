// Long: each step of create and run on a machine in memory: what is written, in which order, and
// what is left when a step fails.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memory_machine.hpp"
#include "runtime/directories.hpp"

namespace runclad::runtime::create_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using Strings = std::vector<std::string>;

constexpr const char* kDocument = R"({
  "ociVersion": "1.0.2",
  "process": {"user": {"uid": 1000, "gid": 1000}, "args": ["sh"], "cwd": "/",
              "capabilities": {"bounding": ["CAP_SYS_ADMIN"]}},
  "root": {"path": "rootfs"},
  "linux": {"namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"},
                           {"type": "network"}, {"type": "cgroup"}]}})";
// Shares the host's processes.
constexpr const char* kRefused = R"({"ociVersion": "1.0.2",
  "process": {"args": ["sh"], "cwd": "/"}, "root": {"path": "rootfs"},
  "linux": {"namespaces": [{"type": "ipc"}, {"type": "uts"}, {"type": "mount"},
                           {"type": "network"}]}})";

class CreateInMemory : public ::testing::Test {
 protected:
  CreateInMemory() {
    machine_.policy =
        *policy::Parse(R"({"extends": "restricted"})", "policy.json", rules::Schemas());
    machine_.bundles["/b"] = kDocument;
  }

  Result<Arguments> Run(std::string_view verb = "create") {
    return Create(CallOf("--root /run/r " + std::string(verb) + " --bundle /b box", machine_));
  }
  std::string Fault(std::string_view verb = "create") {
    const auto done = Run(verb);
    return done ? "" : done.error().message;
  }
  [[nodiscard]] std::string document() const { return machine_.bundles.at("/b"); }

  MemoryMachine machine_;
};

// log/level leaves out what a decision below it says, never a refusal.
TEST_F(CreateInMemory, LogsDecisionsFromTheLevelOfThePolicyOn) {
  machine_.policy.log.level = policy::LogLevel::kWarning;
  ASSERT_TRUE(Run());
  EXPECT_THAT(machine_.log, ::testing::IsEmpty());
  machine_.policy.log.level = policy::LogLevel::kNotice;
  machine_.bundles["/b"] = kDocument;
  ASSERT_TRUE(Run());
  EXPECT_THAT(machine_.log, ElementsAre(HasSubstr("rewritten")));
  machine_.log.clear();
  machine_.policy.log.level = policy::LogLevel::kWarning;
  machine_.bundles["/b"] = kRefused;
  EXPECT_NE(Fault(), "");
  machine_.policy.mode = policy::Mode::kAudit;
  EXPECT_EQ(Fault(), "");
  EXPECT_THAT(machine_.log, ElementsAre(HasSubstr("refused"), HasSubstr("would-refuse")));
}

TEST_F(CreateInMemory, RecordsTheDecisionAndLogsItBeforeTheDocumentIsReplaced) {
  const auto arguments = Run();
  ASSERT_TRUE(arguments) << arguments.error().message;
  EXPECT_THAT(*arguments, ElementsAre("--root=/run/r", "create", "--bundle=/b", "--", "box"));
  EXPECT_THAT(machine_.steps,
              ElementsAre("load the policy", "take the bundle", "open the records",
                          "write the record", "keep the name", "log", "write the document"));
  EXPECT_THAT(document(), HasSubstr(R"("noNewPrivileges":true)"));
  EXPECT_EQ(document().find("CAP_SYS_ADMIN"), std::string::npos);
  ASSERT_EQ(machine_.log.size(), 1U);
  EXPECT_THAT(machine_.log[0], HasSubstr("rewritten"));
  // What the record promises is what the document says.
  const enforce::Record& record = machine_.records.at("box");
  EXPECT_EQ(record.bundle, "/b");
  EXPECT_TRUE(record.promise.no_new_privileges);
  EXPECT_EQ(record.promise.bounding(), 0U);
}

TEST_F(CreateInMemory, ATrialIsJudgedByItsOwnPolicy) {
  machine_.on_trial = "box";
  ASSERT_TRUE(Run());
  EXPECT_EQ(machine_.steps.front(), "load the policy of the trial");
  EXPECT_EQ(machine_.steps.back(), "let /trial follow box");
}

TEST_F(CreateInMemory, ATrialThatCannotBeExaminedStopsTheContainer) {
  machine_.fail = {"find the trial"};
  EXPECT_EQ(Fault(), "find the trial failed");
  EXPECT_THAT(machine_.steps, IsEmpty());
}

TEST_F(CreateInMemory, ARefusalIsLoggedAndLeavesNothing) {
  machine_.bundles["/b"] = kRefused;
  EXPECT_THAT(Fault(), StartsWith("refused by host-namespaces: "));
  EXPECT_THAT(machine_.steps,
              ElementsAre("load the policy", "take the bundle", "open the records", "log"));
  EXPECT_THAT(machine_.log, ElementsAre(HasSubstr("refused")));
  EXPECT_THAT(machine_.records, IsEmpty());
  EXPECT_EQ(document(), kRefused);
}

TEST_F(CreateInMemory, AContainerThatLivesKeepsItsRecordAndDocument) {
  machine_.containers["box"].pid = 7;
  machine_.records["box"].bundle = "/its/own";
  EXPECT_EQ(Fault(), "a container box already exists in /run/r");
  EXPECT_THAT(machine_.steps, IsEmpty());
  EXPECT_EQ(machine_.records.at("box").bundle, "/its/own");
}

// What had been done before the step that failed is undone.
struct Failure {
  const char* step;
  const char* fault;
  Strings log;  // the outcomes
};

TEST_F(CreateInMemory, NoRecordOutlivesAStepThatFails) {
  for (const Failure& failure : {
           Failure{"load the policy", "load the policy failed", {}},
           Failure{"take the bundle", "take the bundle failed", {}},
           Failure{"open the records", "open the records failed", {}},
           Failure{"stage", "stage failed", {R"("outcome":"error")"}},
           Failure{"write the record", "write the record failed", {}},
           Failure{"log", "log failed", {}},
           Failure{"write the document",
                   "must be writable",
                   {R"("outcome":"rewritten")", R"("outcome":"error")"}},
       }) {
    machine_.steps.clear();
    machine_.log.clear();
    machine_.fail = {failure.step};
    EXPECT_THAT(Fault(), HasSubstr(failure.fault));
    EXPECT_THAT(machine_.records, IsEmpty()) << failure.step;
    EXPECT_EQ(document(), kDocument) << failure.step;
    ASSERT_EQ(machine_.log.size(), failure.log.size()) << failure.step;
    for (std::size_t i = 0; i < failure.log.size(); ++i) {
      EXPECT_THAT(machine_.log[i], HasSubstr(failure.log[i])) << failure.step;
    }
  }
}

TEST_F(CreateInMemory, EachStepThatFailsHasALineInTheLog) {
  for (const char* step : {"load the policy", "take the bundle", "open the records", "stage",
                           "write the record", "write the document"}) {
    machine_.log.clear();
    machine_.log_of_no_policy.clear();
    machine_.fail = {step};
    const Call call = CallOf("--root /run/r create --bundle /b box", machine_);
    const auto done = Create(call);
    ASSERT_FALSE(done) << step;
    LogEnd(call, done.error());
    Strings lines = machine_.log;
    lines.insert(lines.end(), machine_.log_of_no_policy.begin(), machine_.log_of_no_policy.end());
    EXPECT_EQ(std::ranges::count_if(lines,
                                    [](const auto& line) {
                                      return line.find(R"("outcome":"error")") != std::string::npos;
                                    }),
              1)
        << step;
  }
  machine_.fail.clear();
  const Call call = CallOf("--root /run/r create --bundle /none box", machine_);
  const auto done = Create(call);
  machine_.log.clear();
  LogEnd(call, done.error());
  EXPECT_THAT(machine_.log, ElementsAre(HasSubstr("there is no bundle /none")));
}

TEST_F(CreateInMemory, ARestoreIsLoggedAsARefusal) {
  EXPECT_THAT(Fault("restore"), HasSubstr("create the container again"));
  EXPECT_THAT(machine_.log, ElementsAre(HasSubstr(R"("outcome":"refused")")));
  machine_.log.clear();
  machine_.policy.mode = policy::Mode::kAudit;
  EXPECT_EQ(Fault("restore"), "");
  EXPECT_THAT(machine_.log[0], HasSubstr(R"("outcome":"would-refuse")"));
}

// The record is there before anything could start by the document.
TEST_F(CreateInMemory, WithoutARecordTheDocumentIsNotReplaced) {
  machine_.fail = {"write the record"};
  EXPECT_FALSE(Run());
  EXPECT_EQ(std::ranges::find(machine_.steps, "write the document"), machine_.steps.end());
  EXPECT_EQ(std::ranges::find(machine_.steps, "log"), machine_.steps.end());
}

TEST_F(CreateInMemory, AuditChangesNoByteButRecordsTheLimitsOfExec) {
  machine_.policy.mode = policy::Mode::kAudit;
  for (const char* document : {kDocument, kRefused}) {
    machine_.steps.clear();
    machine_.bundles["/b"] = document;
    ASSERT_TRUE(Run());
    EXPECT_THAT(machine_.steps, ElementsAre("load the policy", "open the records",
                                            "write the record", "keep the name", "log"));
    EXPECT_EQ(machine_.bundles.at("/b"), document);
  }
  EXPECT_THAT(machine_.log, ElementsAre(HasSubstr("would-rewrite"), HasSubstr("would-refuse")));
}

TEST_F(CreateInMemory, ABundleThatAContainerCouldChangeIsRefused) {
  machine_.changeable = "/b";
  EXPECT_THAT(Fault(), HasSubstr("refused: the bundle /b could be changed by a container"));
  EXPECT_THAT(machine_.records, IsEmpty());
  machine_.policy.mode = policy::Mode::kAudit;
  EXPECT_TRUE(Run());
}

// The directory named by a flag of the engine's, in every mode; not /etc/runclad, which is root's.
TEST_F(CreateInMemory, APolicyThatAUserOfTheEngineCouldHaveWrittenIsRefused) {
  machine_.supplied = "/";
  const auto fault = [&](const std::string& directory) {
    const auto done = Create(CallOf(
        "--runclad-config=" + directory + " --root /run/r create --bundle /b box", machine_));
    return done ? "" : done.error().message;
  };
  machine_.policy.mode = policy::Mode::kAudit;
  for (const char* directory : {"/image/layer", "/etc/runclad/../../image", "/etc/runclad2"}) {
    EXPECT_THAT(fault(directory),
                HasSubstr(std::string("refused: the policy directory ") + directory +
                          " (--runclad-config) is in an engine's storage"));
  }
  EXPECT_THAT(machine_.records, IsEmpty());
  EXPECT_EQ(fault("/etc/runclad/strict"), "");
  machine_.elsewhere = "/etc/runclad/alias";
  EXPECT_NE(fault("/etc/runclad/alias"), "") << "something else is mounted there";
  machine_.is_root = false;
  machine_.policy.rootless = policy::Rootless::kApply;
  EXPECT_EQ(fault("/image/layer"), "");
}

TEST_F(CreateInMemory, AProgramThatAUserOfTheEngineCouldHaveWrittenIsRefused) {
  machine_.supplied = "/image";
  const auto fault = [&](const std::string& flags, const char* lower_runtime) {
    Call call = CallOf(flags + " --root /run/r state box", machine_);
    call.lower_runtime = lower_runtime;
    const auto checked = CheckPrograms(call);
    return checked ? "" : checked.error().message;
  };
  EXPECT_THAT(fault("--runclad-runtime=/image/runc", "/image/runc"),
              HasSubstr("refused: the program /image/runc (--runclad-runtime) is in an engine's"));
  EXPECT_THAT(fault("--criu=/image/criu", "/usr/sbin/runc"),
              HasSubstr("refused: the program /image/criu (--criu) is in an engine's"));
  EXPECT_EQ(fault("--runclad-runtime=/opt/runc", "/opt/runc"), "");
  machine_.supplied = "/";
  EXPECT_EQ(fault("--runclad-runtime=/usr/sbin/runc --criu criu", "/usr/sbin/runc"), "");
  EXPECT_EQ(fault("--runclad-runtime=/usr/sbin/runc", "/usr/libexec/runclad/runc"), "");
  EXPECT_NE(fault("--runclad-runtime=/usr/sbin/../../image/runc", "/usr/sbin/../../image/runc"),
            "");
  machine_.elsewhere = "/usr/sbin/runc";
  EXPECT_NE(fault("--runclad-runtime=/usr/sbin/runc", "/usr/sbin/runc"), "");
}

// Whatever the host's policy lets containers mount, below /run as anywhere; and nobody knows what
// that is while the policy is broken.
TEST_F(CreateInMemory, AProgramIsJudgedByWhatTheHostsPolicyLetsContainersMount) {
  const auto fault = [&](const char* program) {
    Call call =
        CallOf(std::string("--runclad-runtime=") + program + " --root /run/r state box", machine_);
    call.lower_runtime = program;
    const auto checked = CheckPrograms(call);
    return checked ? "" : checked.error().message;
  };
  EXPECT_EQ(fault("/run/app/runc"), "");
  EXPECT_TRUE(machine_.has_judged_by_lists);
  machine_.fail = {"load the policy"};
  EXPECT_THAT(fault("/opt/runc"), HasSubstr("cannot be judged without the host's policy: load the "
                                            "policy failed"));
  EXPECT_EQ(fault("/usr/local/lib/runc"), "");
  machine_.elsewhere = "/usr/local/lib";
  EXPECT_THAT(fault("/usr/local/lib/runc"), HasSubstr("cannot be judged"));
}

// The log and the pid file of every verb, in crun's spelling as well; the engine's own are not
// judged.
TEST_F(CreateInMemory, ACallCannotNameAFileThatAContainerCouldReplaceByALink) {
  const auto fault = [&](const std::string& line) {
    const Call call = CallOf(line, machine_);
    if (!NamesUnusualFile(call.line)) return std::string("usual");
    const auto checked = CheckFiles(call);
    return checked ? std::string() : checked.error().message;
  };
  machine_.changeable = "/run/app";
  for (const char* line :
       {"--log /run/app/log state box", "--log=/run/app/log --root /run/r kill box KILL",
        "--log=/run/app/log exec box sh", "--log=file:/run/app/log exec box sh",
        "--log=/run/app/log --version", "--log=/run/app/log list"}) {
    EXPECT_THAT(fault(line), HasSubstr("refused: the directory /run/app of --log")) << line;
  }
  EXPECT_THAT(fault("exec --pid-file /run/app/pid box sh"),
              HasSubstr("refused: the directory /run/app of --pid-file"));
  EXPECT_EQ(fault("--log /run/other/log kill box"), "");
  EXPECT_EQ(fault("--log /run/containerd/io.containerd.runtime.v2.task/moby/box/log.json kill box"),
            "usual");
  EXPECT_EQ(fault("kill box"), "usual");
  EXPECT_EQ(machine_.log.size(), 7U);
  // The container's bundle, or the directory of an exec in it.
  machine_.containers["box"].pid = 7;
  machine_.containers["box"].bundle = "/run/app/box";
  EXPECT_EQ(fault("--log=/run/app/log --root /run/r kill box KILL"), "");
  machine_.changeable = "/run/app/box/" + std::string(64, 'b');
  EXPECT_EQ(fault("--log=" + machine_.changeable + "/log exec box sh"), "");
  machine_.changeable = "/run/app/box/shm";
  EXPECT_NE(fault("--log=/run/app/box/shm/log exec box sh"), "");
  machine_.changeable = "/run/app";
  EXPECT_EQ(fault("--log=/run/app/log --root /run/odd state box"), "");
  machine_.also_changeable = "/run/odd";
  EXPECT_NE(fault("--log=/run/app/log --root /run/odd state box"), "") << "a forged state";
  machine_.changeable = "/run/app/box/shm";
  machine_.policy.mode = policy::Mode::kAudit;
  EXPECT_EQ(fault("--log=/run/app/box/shm/log exec box sh"), "");
}

TEST_F(CreateInMemory, ALogBelowRunIsJudgedLikeAnyOther) {
  machine_.changeable = "/run/app";
  const auto done =
      Create(CallOf("--log /run/app/log --root /run/r create --bundle /b box", machine_));
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("refused: the directory /run/app of --log"));
}

// A build step may, or the containers of one image.
TEST_F(CreateInMemory, NamedFilesAreJudgedByWhatAnyContainerMayMount) {
  machine_.loosest = *policy::Parse(
      R"({"rules": {"host-mounts": {"allow": ["/opt/a"]}, "rootfs-path": {"allow": ["/opt/b"]}},
          "waivers": [{"rule": "host-mounts", "reason": "test", "exactly": ["bind /opt/c rw"]}]})",
      "policy.json", rules::Schemas());
  const auto every = ElementsAre("/opt/a", "bind /opt/c rw", "/opt/b");
  ASSERT_TRUE(LoadNamedPolicy(CallOf("--root /run/r state box", machine_), "/opt/policy", {}));
  EXPECT_THAT(machine_.judged_by, every);
  machine_.judged_by.clear();
  ASSERT_TRUE(Create(CallOf("--root /opt/state create --bundle /b box", machine_)));
  EXPECT_THAT(machine_.judged_by, every);
}

TEST_F(CreateInMemory, ARefusedPolicyOrProgramIsInTheHostsLog) {
  machine_.supplied = "/image";
  machine_.policy.mode = policy::Mode::kAudit;
  Call call = CallOf("--runclad-runtime=/image/runc --root /run/r state box", machine_);
  call.lower_runtime = "/image/runc";
  EXPECT_FALSE(CheckPrograms(call));
  ASSERT_EQ(machine_.log.size(), 1U);
  EXPECT_THAT(machine_.log.back(), HasSubstr("refused: the program /image/runc"));
  EXPECT_THAT(machine_.log.back(), HasSubstr(R"("mode":"enforce")")) << "whatever the mode is";
  EXPECT_THAT(machine_.log.back(), HasSubstr(R"("outcome":"refused")"));
  EXPECT_THAT(machine_.log.back(), HasSubstr(R"("findings":[])"));
  EXPECT_FALSE(LoadNamedPolicy(call, "/image/policy", {}));
  ASSERT_EQ(machine_.log.size(), 2U);
  EXPECT_THAT(machine_.log.back(), HasSubstr("refused: the policy directory /image/policy"));
  // Where no policy says which log that is.
  machine_.fail = {"load the policy"};
  EXPECT_FALSE(CheckPrograms(call));
  ASSERT_EQ(machine_.log_of_no_policy.size(), 1U);
  EXPECT_THAT(machine_.log_of_no_policy.back(), HasSubstr("refused: the program /image/runc"));
  EXPECT_THAT(machine_.log_of_no_policy.back(), HasSubstr(R"("outcome":"error")"));
}

TEST_F(CreateInMemory, ACreateWithoutAReadablePolicyIsInTheDefaultLog) {
  machine_.fail = {"load the policy"};
  EXPECT_EQ(Fault(), "load the policy failed");
  ASSERT_EQ(machine_.log_of_no_policy.size(), 1U);
  EXPECT_THAT(machine_.log_of_no_policy.back(), HasSubstr(R"("bundle":"/b","container":"box")"));
  EXPECT_THAT(machine_.log_of_no_policy.back(), HasSubstr(R"("outcome":"error")"));
  machine_.is_root = false;
  EXPECT_NE(Fault(), "");
  EXPECT_EQ(machine_.log_of_no_policy.size(), 1U) << "not a user's";
}

// What a container under the named policy may mount.
TEST_F(CreateInMemory, APolicyThatLetsContainersChangeItIsRefused) {
  machine_.changeable = "/opt/policy";
  const auto run = [&] {
    return Create(
        CallOf("--runclad-config=/opt/policy --root /run/r create --bundle /b box", machine_));
  };
  const auto done = run();
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message,
              HasSubstr("refused: the policy directory /opt/policy (--runclad-config) could be"));
  machine_.policy.mode = policy::Mode::kAudit;
  EXPECT_TRUE(run());
}

TEST_F(CreateInMemory, StagedSourcesAreVisibleToTheRuntimeOnly) {
  machine_.stages = "/run/runclad/0";
  ASSERT_TRUE(Run("run"));
  EXPECT_THAT(machine_.steps, ElementsAre("load the policy", "take the bundle", "open the records",
                                          "stage", "write the record", "keep the name", "log",
                                          "write the document", "cover /b/config.json"));
  EXPECT_THAT(document(), HasSubstr(R"("path":"rootfs")"));
  EXPECT_THAT(machine_.covered, HasSubstr(R"("path":"/run/runclad/0")"));

  machine_.fail = {"cover /b/config.json"};
  EXPECT_EQ(Fault("run"), "cover /b/config.json failed");
  EXPECT_THAT(machine_.records, IsEmpty());
}

TEST_F(CreateInMemory, OnlyThePolicyAdmitsACallerWithoutRoot) {
  machine_.is_root = false;
  EXPECT_THAT(Fault(), StartsWith("called without root privileges"));
  machine_.policy.rootless = policy::Rootless::kPassThrough;
  ASSERT_TRUE(Run());
  EXPECT_THAT(machine_.steps, ElementsAre("load the policy", "load the policy"));
  machine_.policy.rootless = policy::Rootless::kApply;
  ASSERT_TRUE(Run());
  EXPECT_EQ(machine_.steps.back(), "write the document");
}

TEST_F(CreateInMemory, ABundleThatOthersCanChangeIsAcceptedOnlyInAudit) {
  machine_.fault = Error{"bundle /b is writable by others"};
  EXPECT_EQ(Fault(), "bundle /b is writable by others");
  EXPECT_THAT(machine_.steps, ElementsAre("load the policy", "log"));
  EXPECT_THAT(machine_.log, ElementsAre(HasSubstr("bundle /b is writable by others")));
  machine_.log.clear();
  machine_.policy.mode = policy::Mode::kAudit;
  EXPECT_EQ(Fault(), "");
  EXPECT_THAT(machine_.log.front(), HasSubstr("bundle /b is writable by others"));
}

TEST_F(CreateInMemory, UnderBreakGlassARefusalIsOnlyRecorded) {
  machine_.bundles["/b"] = kRefused;
  machine_.policy.break_glass = "an outage";
  EXPECT_EQ(Fault(), "");
  EXPECT_EQ(document(), kRefused);
  EXPECT_THAT(machine_.log, ElementsAre(HasSubstr("an outage")));
}

TEST_F(CreateInMemory, ADocumentThatCannotBeReadIsNotJudged) {
  machine_.bundles["/b"] = R"({"process":{},"Process":{}})";
  EXPECT_THAT(Fault(), StartsWith("/b/config.json: "));
  EXPECT_THAT(machine_.steps, IsEmpty());
}

}  // namespace
}  // namespace runclad::runtime::create_test
