// exec, update, start and delete on a machine in memory.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "memory_machine.hpp"

namespace runclad::runtime::life_test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kLifeDocument = R"({
  "ociVersion": "1.0.2",
  "process": {"user": {"uid": 1000, "gid": 1000}, "args": ["sh"], "cwd": "/"},
  "root": {"path": "rootfs"},
  "linux": {"namespaces": [{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"},
                           {"type": "network"}, {"type": "cgroup"}]}})";
constexpr const char* kProcess = R"({"user": {"uid": 1000, "gid": 1000}, "args": ["id"], "cwd": "/",
  "capabilities": {"bounding": ["CAP_SYS_ADMIN"], "effective": ["CAP_SYS_ADMIN"]}})";
constexpr const char* kExec = "--root /run/r exec --process /p box";

// A container that was created here. Its process is 7, which started at 70.
class ContainerInMemory : public ::testing::Test {
 protected:
  ContainerInMemory() {
    machine_.policy =
        *policy::Parse(R"({"extends": "restricted"})", "policy.json", rules::Schemas());
    machine_.bundles["/b"] = kLifeDocument;
    machine_.files["/p"] = kProcess;
    const auto created = Create(CallOf("--root /run/r create --bundle /b box", machine_));
    EXPECT_TRUE(created) << created.error().message;
    machine_.containers["box"] = {
        .pid = 7, .start_time = 70, .bundle = "/b", .is_waiting = true, .is_crun = false};
    machine_.processes[7] = 70;
    machine_.steps.clear();
    machine_.log.clear();
  }

  template <typename Verb>
  std::string Fault(Verb verb, std::string_view line) {
    Call call = CallOf(line, machine_);
    const auto done = verb(call);
    return done ? "" : done.error().message;
  }
  // As the program does.
  template <typename Verb>
  std::string LoggedFault(Verb verb, std::string_view line) {
    machine_.log.clear();
    Call call = CallOf(line, machine_);
    const auto done = verb(call);
    if (!done) LogEnd(call, done.error());
    return done ? "" : done.error().message;
  }

  MemoryMachine machine_;
};

TEST_F(ContainerInMemory, StartVerifiesBeforeItStampsTheRecord) {
  EXPECT_EQ(Fault(Start, "--root /run/r start box"), "");
  EXPECT_THAT(machine_.steps, ElementsAre("verify", "stamp the record"));
}

TEST_F(ContainerInMemory, StartEndsAContainerThatIsNotWhatWasPromised) {
  machine_.differs = "/data is another file system";
  EXPECT_EQ(Fault(Start, "--root /run/r start box"),
            "refused by verification: container box does not match the recorded decision and was "
            "stopped: /data is another file system; create it again");
  EXPECT_THAT(machine_.steps, ElementsAre("verify", "kill", "log"));
  EXPECT_THAT(machine_.log, ElementsAre(HasSubstr("/data is another file system")));
}

TEST_F(ContainerInMemory, StartRefusesWhatCannotBeExamined) {
  machine_.processes.clear();
  EXPECT_THAT(Fault(Start, "--root /run/r start box"),
              HasSubstr("has ended or cannot be examined"));
  machine_.containers["box"].pid = 0;
  EXPECT_THAT(Fault(Start, "--root /run/r start box"),
              HasSubstr("its state in /run/r cannot be read"));
  EXPECT_THAT(machine_.steps, IsEmpty());
}

TEST_F(ContainerInMemory, StartLeavesWhatItDoesNotKnowToTheRuntime) {
  EXPECT_EQ(Fault(Start, "--root /run/r start other"), "");
  machine_.containers["box"].bundle = "/another";  // the id has gone to another container
  EXPECT_EQ(Fault(Start, "--root /run/r start box"), "");
  EXPECT_THAT(machine_.steps, IsEmpty());
}

TEST_F(ContainerInMemory, ADamagedRecordIsAnError) {
  machine_.fail = {"find the record"};
  EXPECT_EQ(Fault(Start, "--root /run/r start box"), "the record is damaged");
  EXPECT_EQ(Fault(Exec, kExec), "the record is damaged");
  EXPECT_THAT(machine_.steps, IsEmpty());
}

TEST_F(ContainerInMemory, ExecIsLimitedByTheRecordWithoutAnyPolicy) {
  machine_.containers["box"].is_waiting = false;
  machine_.fail = {"load the policy"};
  Call call = CallOf(kExec, machine_);
  const auto done = Exec(call);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_THAT(*done, Contains("--process=/proc/self/fd/3"));
  EXPECT_THAT(machine_.sealed, Not(HasSubstr("CAP_SYS_ADMIN")));
  EXPECT_THAT(machine_.sealed, HasSubstr(R"("noNewPrivileges":true)"));
  // `run` started it: its first exec verifies it, and notes that it has.
  EXPECT_THAT(machine_.steps, ElementsAre("verify", "stamp the record", "log", "seal"));
}

TEST_F(ContainerInMemory, ExecWithoutARecordIsLimitedByTheHostPolicy) {
  machine_.records.clear();
  EXPECT_EQ(Fault(Exec, kExec), "");
  EXPECT_THAT(machine_.steps, ElementsAre("load the policy", "log", "seal"));
  machine_.steps.clear();
  machine_.fail = {"load the policy"};
  EXPECT_EQ(Fault(Exec, kExec), "load the policy failed");
  EXPECT_THAT(machine_.steps, IsEmpty());
}

TEST_F(ContainerInMemory, NoProcessIsPassedOnWithoutALogLine) {
  machine_.fail = {"log"};
  EXPECT_EQ(Fault(Exec, kExec), "log failed");
  EXPECT_EQ(machine_.sealed, "");
}

TEST_F(ContainerInMemory, ARefusedExecIsLoggedAndNotPassedOn) {
  machine_.files["/p"] = R"({"args": ["sshd"], "cwd": "/"})";
  EXPECT_THAT(Fault(Exec, kExec), StartsWith("refused by program: "));
  EXPECT_THAT(machine_.log, ElementsAre(HasSubstr("refused")));
  EXPECT_EQ(machine_.sealed, "");
}

TEST_F(ContainerInMemory, ConsecutiveEqualExecsAreALineAndACount) {
  for (int i = 0; i < 3; ++i) ASSERT_EQ(Fault(Exec, kExec), "");
  EXPECT_EQ(machine_.log.size(), 1U);
  EXPECT_EQ(machine_.repeats, 2);
}

TEST_F(ContainerInMemory, AnExecWithAnotherDecisionIsNotARepeat) {
  ASSERT_EQ(Fault(Exec, kExec), "");
  machine_.files["/p"] = R"({"user": {"uid": 1000, "gid": 1000}, "args": ["id"], "cwd": "/"})";
  ASSERT_EQ(Fault(Exec, kExec), "");
  EXPECT_EQ(machine_.log.size(), 2U);
}

// Both are decided alike, but one of them may be an intruder's.
TEST_F(ContainerInMemory, AnotherCommandIsNotARepeat) {
  const auto runs = [](const char* args) {
    return std::string(R"({"user": {"uid": 0, "gid": 0}, "cwd": "/", "noNewPrivileges": true,)") +
           R"("args": )" + args + "}";
  };
  machine_.files["/p"] = runs(R"(["check", "health"])");
  ASSERT_EQ(Fault(Exec, kExec), "");
  machine_.files["/p"] = runs(R"(["sh"])");
  ASSERT_EQ(Fault(Exec, kExec), "");
  EXPECT_EQ(machine_.log.size(), 2U);
  machine_.files["/p"] = runs(R"(["sh", ""])");
  ASSERT_EQ(Fault(Exec, kExec), "");
  EXPECT_EQ(machine_.log.size(), 3U);
}

TEST_F(ContainerInMemory, IfTheLogIsRequiredEveryExecHasItsLine) {
  const auto container = machine_.containers["box"];
  machine_.containers.clear();
  machine_.records.clear();
  machine_.policy = *policy::Parse(R"({"extends": "restricted", "log": {"required": true}})",
                                   "policy.json", rules::Schemas());
  machine_.bundles["/b"] = kLifeDocument;
  ASSERT_EQ(Fault(Create, "--root /run/r create --bundle /b box"), "");
  machine_.containers["box"] = container;
  machine_.log.clear();
  for (int i = 0; i < 3; ++i) ASSERT_EQ(Fault(Exec, kExec), "");
  EXPECT_EQ(machine_.log.size(), 3U);
}

TEST_F(ContainerInMemory, DeleteLogsWhatWasCounted) {
  machine_.processes.clear();
  machine_.repeats = 41;
  EXPECT_EQ(Fault(Delete, "--root /run/r delete box"), "");
  EXPECT_THAT(machine_.log, ElementsAre("41 repeats"));
  EXPECT_THAT(machine_.records, IsEmpty());
}

TEST_F(ContainerInMemory, AFailingLogDoesNotPreventDelete) {
  machine_.processes.clear();
  machine_.repeats = 41;
  machine_.fail = {"log"};
  EXPECT_EQ(Fault(Delete, "--root /run/r delete box"), "");
  EXPECT_THAT(machine_.records, IsEmpty());
}

TEST_F(ContainerInMemory, WithoutAContainerTheRuntimeReceivesNoProcess) {
  Call call = CallOf("--root /run/r exec --process /p other", machine_);
  const auto done = Exec(call);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_THAT(*done, Contains("--process=/dev/null"));
  EXPECT_THAT(machine_.steps, IsEmpty());
}

// Nobody could read the pipe again.
TEST_F(ContainerInMemory, InAuditAPipeIsPassedOnUnchanged) {
  machine_.records.at("box").process_policy.mode = policy::Mode::kAudit;
  EXPECT_EQ(Fault(Exec, kExec), "");
  EXPECT_EQ(machine_.sealed, "");
  machine_.is_piped = true;
  EXPECT_EQ(Fault(Exec, kExec), "");
  EXPECT_EQ(machine_.sealed, kProcess);
}

TEST_F(ContainerInMemory, UpdateIsLimitedByTheRecordedLimits) {
  machine_.fail = {"load the policy"};
  EXPECT_EQ(Fault(Update, "--root /run/r update --pids-limit 100000 box"), "");
  EXPECT_THAT(machine_.sealed, HasSubstr("2048"));
  EXPECT_THAT(machine_.steps, ElementsAre("log", "seal"));
}

// Whatever ends a call is in the log, once.
TEST_F(ContainerInMemory, EachErrorHasALineInTheLog) {
  machine_.containers["box"].is_waiting = false;
  EXPECT_NE(LoggedFault(Exec, "--root /run/r exec --process /none box"), "");
  EXPECT_THAT(machine_.log, ElementsAre(AllOf(HasSubstr("/none: it cannot be opened"),
                                              HasSubstr(R"("outcome":"error")"))));
  EXPECT_NE(LoggedFault(Update, "--root /run/r update --resources /none box"), "");
  EXPECT_THAT(machine_.log, ElementsAre(HasSubstr("/none: it cannot be opened")));
  machine_.fail = {"seal"};
  EXPECT_EQ(LoggedFault(Exec, kExec), "seal failed");
  EXPECT_THAT(machine_.log, ElementsAre(HasSubstr(R"("outcome":"rewritten")"),
                                        AllOf(HasSubstr("seal failed"), HasSubstr(R"("exec")"),
                                              HasSubstr(R"("container":"box")"))));
  machine_.fail = {"load the policy"};
  EXPECT_EQ(LoggedFault(PassUnknown, "frobnicate"), "load the policy failed");
  EXPECT_THAT(machine_.log, IsEmpty());
  EXPECT_THAT(machine_.log_of_no_policy, ElementsAre(HasSubstr("load the policy failed")));
}

TEST_F(ContainerInMemory, AVerbThatIsUnknownIsARefusal) {
  EXPECT_THAT(LoggedFault(PassUnknown, "frobnicate"), HasSubstr("frobnicate"));
  EXPECT_THAT(machine_.log, ElementsAre(HasSubstr(R"("outcome":"refused")")));
  machine_.policy.mode = policy::Mode::kAudit;
  EXPECT_EQ(LoggedFault(PassUnknown, "frobnicate"), "");
  EXPECT_THAT(machine_.log, ElementsAre(HasSubstr(R"("outcome":"would-refuse")")));
}

TEST_F(ContainerInMemory, NothingIsLoggedForAUserWhoIsNotRoot) {
  machine_.is_root = false;
  machine_.records.clear();
  EXPECT_NE(LoggedFault(Exec, kExec), "");
  EXPECT_THAT(machine_.log, IsEmpty());
}

TEST_F(ContainerInMemory, DeleteForgetsContainersThatHaveEnded) {
  EXPECT_EQ(Fault(Delete, "--root /run/r delete box"), "");
  EXPECT_THAT(machine_.steps, IsEmpty()) << "it lives: the runtime refuses";
  EXPECT_EQ(Fault(Delete, "--root /run/r delete --force box"), "");
  EXPECT_THAT(machine_.records, IsEmpty());
  machine_.records["box"].id = "box";
  machine_.processes.clear();
  EXPECT_EQ(Fault(Delete, "--root /run/r delete box"), "");
  EXPECT_THAT(machine_.records, IsEmpty());
}

}  // namespace
}  // namespace runclad::runtime::life_test
