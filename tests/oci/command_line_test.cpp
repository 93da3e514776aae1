// The runtime's command line. Long: the grammar of every verb, and what is refused of it.
#include "runclad/oci/command_line.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::oci::command_line_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Strings = std::vector<std::string>;

// Splits at single blanks, so that a command line reads as one; "''" is an empty argument.
Strings Words(std::string_view text) {
  Strings words;
  while (!text.empty()) {
    const std::size_t blank = text.find(' ');
    const std::string_view word = text.substr(0, blank);
    words.emplace_back(word == "''" ? "" : word);
    text.remove_prefix(blank == std::string_view::npos ? text.size() : blank + 1);
  }
  return words;
}

std::string Joined(const Strings& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

CommandLine Parsed(const Strings& arguments) {
  Result<CommandLine> line = ParseCommandLine(arguments);
  EXPECT_TRUE(line) << Joined(arguments) << ": " << (line ? "" : line.error().message);
  return line ? *line : CommandLine();
}

CommandLine Parsed(std::string_view text) { return Parsed(Words(text)); }

// The sentence that `arguments` are refused with; empty when they are not.
std::string Refusal(const Strings& arguments) {
  const Result<CommandLine> line = ParseCommandLine(arguments);
  return line ? "" : line.error().message;
}

std::string Refusal(std::string_view text) { return Refusal(Words(text)); }

struct Rewritten {
  std::string_view name;
  std::string_view given;
  VerbKind kind;
  std::string_view canonical;
};

// What engines send (containerd-shim, conmon, dockerd with runtimeArgs), and every spelling of a
// flag that all parsers know.
constexpr Rewritten kRewritten[] = {
    {"containerd-shim create",
     "--root R --log B/log.json --log-format json --systemd-cgroup create --bundle B --pid-file P "
     "--console-socket S --no-pivot --no-new-keyring --preserve-fds 3 c1",
     VerbKind::kCreate,
     "--root=R --log=B/log.json --log-format=json --systemd-cgroup create --bundle=B --pid-file=P "
     "--console-socket=S --no-pivot --no-new-keyring --preserve-fds=3 -- c1"},
    {"containerd-shim start", "--root R --log L --log-format json start c1", VerbKind::kStart,
     "--root=R --log=L --log-format=json start -- c1"},
    {"containerd-shim exec",
     "--root R --log L --log-format json exec --process F --console-socket S --detach --pid-file P "
     "c1",
     VerbKind::kExec,
     "--root=R --log=L --log-format=json exec --process=F --console-socket=S --detach "
     "--pid-file=P -- c1"},
    {"containerd-shim delete", "--root R --log L --log-format json delete --force c1",
     VerbKind::kDelete, "--root=R --log=L --log-format=json delete --force -- c1"},
    {"containerd-shim update", "--root R --log L --log-format json update --resources=- c1",
     VerbKind::kUpdate, "--root=R --log=L --log-format=json update --resources=- -- c1"},
    {"update from standard input, blank", "update --resources - c1", VerbKind::kUpdate,
     "update --resources=- -- c1"},
    {"conmon create", "--systemd-cgroup --root=R create --bundle B --pid-file P --no-pivot c1",
     VerbKind::kCreate,
     "--systemd-cgroup --root=R create --bundle=B --pid-file=P --no-pivot -- c1"},
    {"podman create", "--log-format=json --log L create --bundle B --pid-file P c1",
     VerbKind::kCreate, "--log-format=json --log=L create --bundle=B --pid-file=P -- c1"},
    {"conmon exec", "--root=R exec --pid-file P --process F --detach --tty c1", VerbKind::kExec,
     "--root=R exec --pid-file=P --process=F --detach --tty -- c1"},
    {"dockerd with runtimeArgs",
     "--runclad-config=/etc/x --root R --log L --log-format json create --bundle B --pid-file P c1",
     VerbKind::kCreate, "--root=R --log=L --log-format=json create --bundle=B --pid-file=P -- c1"},
    {"BuildKit run", "--log L --log-format json run --bundle B --keep c1", VerbKind::kCreate,
     "--log=L --log-format=json run --bundle=B --keep -- c1"},
    {"every global",
     "--debug --log L --log-format json --root R --criu C --systemd-cgroup --rootless auto start c",
     VerbKind::kStart,
     "--debug --log=L --log-format=json --root=R --criu=C --systemd-cgroup --rootless=auto start "
     "-- c"},
    {"every flag of create",
     "create --bundle=B --console-socket=S --pidfd-socket=D --pid-file=P --no-pivot "
     "--no-new-keyring --preserve-fds=0 c",
     VerbKind::kCreate,
     "create --bundle=B --console-socket=S --pidfd-socket=D --pid-file=P --no-pivot "
     "--no-new-keyring --preserve-fds=0 -- c"},
    {"every flag of run",
     "run -b B --console-socket S --pidfd-socket D --pid-file P -d --keep --no-subreaper "
     "--no-pivot --no-new-keyring --preserve-fds 1 c",
     VerbKind::kCreate,
     "run --bundle=B --console-socket=S --pidfd-socket=D --pid-file=P --detach --keep "
     "--no-subreaper --no-pivot --no-new-keyring --preserve-fds=1 -- c"},
    {"every flag of exec",
     "exec --console-socket S --pidfd-socket D --cwd / -e A=1 -t -u 1:2 -g 3 -d --pid-file P "
     "--process-label L --apparmor A --no-new-privs -c CAP_KILL --preserve-fds 1 --cgroup x "
     "--ignore-paused c sh -c x",
     VerbKind::kExec,
     "exec --console-socket=S --pidfd-socket=D --cwd=/ --env=A=1 --tty --user=1:2 "
     "--additional-gids=3 --detach --pid-file=P --process-label=L --apparmor=A --no-new-privs "
     "--cap=CAP_KILL --preserve-fds=1 --cgroup=x --ignore-paused -- c sh -c x"},
    {"every flag of update",
     "update --blkio-weight 10 --cpu-period 1 --cpu-quota -1 --cpu-burst 1 --cpu-share 1 "
     "--cpu-rt-period 1 --cpu-rt-runtime 1 --cpuset-cpus 0-1 --cpuset-mems 0 --cpu-idle 1 "
     "--kernel-memory 1 --kernel-memory-tcp 1 --memory 1G --memory-reservation 1 --memory-swap -1 "
     "--pids-limit -1 --l3-cache-schema x --mem-bw-schema y c",
     VerbKind::kUpdate,
     "update --blkio-weight=10 --cpu-period=1 --cpu-quota=-1 --cpu-burst=1 --cpu-share=1 "
     "--cpu-rt-period=1 --cpu-rt-runtime=1 --cpuset-cpus=0-1 --cpuset-mems=0 --cpu-idle=1 "
     "--kernel-memory=1 --kernel-memory-tcp=1 --memory=1G --memory-reservation=1 "
     "--memory-swap=-1 --pids-limit=-1 --l3-cache-schema=x --mem-bw-schema=y -- c"},
    {"one dash is two", "-root R -debug create -bundle B -no-pivot c", VerbKind::kCreate,
     "--root=R --debug create --bundle=B --no-pivot -- c"},
    {"a short name with two dashes", "create --b B c", VerbKind::kCreate, "create --bundle=B -- c"},
    {"a short name with =", "create -b=B c", VerbKind::kCreate, "create --bundle=B -- c"},
    {"the last one counts", "--root A --root=B create -b C -b D c", VerbKind::kCreate,
     "--root=B create --bundle=D -- c"},
    {"repeated flags that all count", "exec -e A=1 -e B=2 -c X -c Y -g 1 -g 2 c sh",
     VerbKind::kExec,
     "exec --env=A=1 --env=B=2 --cap=X --cap=Y --additional-gids=1 --additional-gids=2 -- c sh"},
    {"booleans as Go spells them",
     "--debug=T run -d=1 --keep=TRUE --no-pivot=t --no-subreaper=True c", VerbKind::kCreate,
     "--debug run --detach --keep --no-pivot --no-subreaper -- c"},
    {"off is as good as not given",
     "--debug=0 --systemd-cgroup=false run -d -d=f --keep=F --no-pivot=FALSE c", VerbKind::kCreate,
     "run -- c"},
    {"but no-new-privs=false overrides config.json", "exec --no-new-privs=0 c sh", VerbKind::kExec,
     "exec --no-new-privs=false -- c sh"},
    {"values with = and commas", "exec --env=A=b=c,d c sh", VerbKind::kExec,
     "exec --env=A=b=c,d -- c sh"},
    {"an empty --process is none", "exec --process= c sh", VerbKind::kExec,
     "exec --process= -- c sh"},
    {"an empty bundle", "create --bundle '' c", VerbKind::kCreate, "create --bundle= -- c"},
    {"a value that is false", "--rootless false exec --user=0 c sh", VerbKind::kExec,
     "--rootless=false exec --user=0 -- c sh"},
    {"-- before the id", "create --bundle B -- c", VerbKind::kCreate, "create --bundle=B -- c"},
    {"an id with a dash, behind --", "create --bundle B -- -b", VerbKind::kCreate,
     "create --bundle=B -- -b"},
    {"exec stops at the id", "exec --cwd / c ls --cwd /x -- -e", VerbKind::kExec,
     "exec --cwd=/ -- c ls --cwd /x -- -e"},
    {"exec: -- further on is the program's", "exec c sh -c x -- y", VerbKind::kExec,
     "exec -- c sh -c x -- y"},
    {"exec: empty arguments of the program", "exec c sh '' -c", VerbKind::kExec,
     "exec -- c sh  -c"},
    {"flags behind the id", "create c --bundle B --no-pivot", VerbKind::kCreate,
     "create --bundle=B --no-pivot -- c"},
    {"flags before and behind the id", "update --memory 1G c --cpu-period 1 --cpu-quota=-1",
     VerbKind::kUpdate, "update --memory=1G --cpu-period=1 --cpu-quota=-1 -- c"},
    {"delete, forced at the end", "delete c --force", VerbKind::kDelete, "delete --force -- c"},
    {"a repeatable flag by both names", "exec -e A=1 --env B=2 c sh", VerbKind::kExec,
     "exec --env=A=1 --env=B=2 -- c sh"},
    {"containerd-shim restore",
     "--root R restore --image-path I --work-path W --bundle B --no-pivot -no-subreaper --detach "
     "--empty-ns network --pid-file P c1",
     VerbKind::kCreate,
     "--root=R restore --image-path=I --work-path=W --bundle=B --no-pivot --no-subreaper --detach "
     "--empty-ns=network --pid-file=P -- c1"},
    {"a value named like a verb", "--log create create --bundle start exec", VerbKind::kCreate,
     "--log=create create --bundle=start -- exec"},
};

TEST(CommandLine, IsRewrittenInAFormThatAllParsersReadTheSameWay) {
  for (const Rewritten& row : kRewritten) {
    SCOPED_TRACE(row.name);
    const CommandLine line = Parsed(row.given);
    EXPECT_EQ(line.kind, row.kind);
    EXPECT_EQ(Joined(line.Canonical()), row.canonical);
  }
}

TEST(CommandLine, CanonicalFormIsStable) {
  for (const Rewritten& row : kRewritten) {
    SCOPED_TRACE(row.name);
    const Strings canonical = Parsed(row.given).Canonical();
    const CommandLine again = Parsed(canonical);
    EXPECT_EQ(again.kind, row.kind);
    EXPECT_EQ(again.Canonical(), canonical);
  }
}

struct PassedThrough {
  std::string_view given;
  std::string_view verb;
  std::string_view verbatim;
};

constexpr PassedThrough kPassedThrough[] = {
    {"", "", ""},
    {"--version", "", "--version"},
    {"-v", "", "-v"},
    {"--help", "", "--help"},
    {"-h", "", "-h"},
    {"--root R --version", "", "--root R --version"},
    {"--debug", "", "--debug"},
    {"--runclad-runtime=/x --version", "", "--version"},
    {"help", "help", "help"},
    {"h create", "h", "h create"},
    {"help create", "help", "help create"},
    {"features", "features", "features"},
    {"--root R --log L --log-format json state c", "state",
     "--root R --log L --log-format json state c"},
    {"--root R kill --all c 9", "kill", "--root R kill --all c 9"},
    {"kill c KILL", "kill", "kill c KILL"},
    {"pause c", "pause", "pause c"},
    {"resume c", "resume", "resume c"},
    {"--root R ps --format json c", "ps", "--root R ps --format json c"},
    {"ps c -- -ef", "ps", "ps c -- -ef"},
    {"list -q -f json", "list", "list -q -f json"},
    {"events --stats c", "events", "events --stats c"},
    {"spec -b B --rootless", "spec", "spec -b B --rootless"},
    {"checkpoint --image-path I --work-path W --leave-running c", "checkpoint",
     "checkpoint --image-path I --work-path W --leave-running c"},
    {"--version state", "state", "--version state"},
    {"--root R create --help", "create", "--root R create --help"},
    {"run -h", "run", "run -h"},
    {"exec --help", "exec", "exec --help"},
    {"update -h", "update", "update -h"},
    {"restore -h", "restore", "restore -h"},
    {"delete --force --regex w.*", "delete", "delete --force --regex w.*"},  // crun
};

TEST(CommandLine, PassesUnprivilegedVerbsThroughUnchanged) {
  for (const PassedThrough& row : kPassedThrough) {
    SCOPED_TRACE(row.given);
    const CommandLine line = Parsed(row.given);
    EXPECT_EQ(line.kind, VerbKind::kPassThrough);
    EXPECT_EQ(line.verb, row.verb);
    EXPECT_EQ(line.verbatim, Words(row.verbatim));
    EXPECT_EQ(line.Canonical(), Words(row.verbatim));
    EXPECT_THAT(line.options, IsEmpty());
    EXPECT_EQ(line.id(), "");
  }
}

TEST(CommandLine, KeepsTheCallOfAnUnknownVerbAsItIs) {
  for (const char* given :
       {"migrate c", "creat --bundle B c", "--root R Create c", "'' create c"}) {
    const CommandLine line = Parsed(given);
    EXPECT_EQ(line.kind, VerbKind::kUnknown) << given;
    EXPECT_EQ(line.Canonical(), Words(given));
  }
  EXPECT_EQ(UnknownVerb("migrate").message,
            "No help topic for 'migrate': runclad does not know this command and refuses it, "
            "because it may change what a container is allowed");
  EXPECT_THAT(UnknownVerb("creat").message, HasSubstr("did you mean create?"));
}

struct Refused {
  std::string_view given;
  std::string_view why;  // part of the sentence
};

constexpr Refused kRefused[] = {
    // What runc 1.x and runc main read in different ways.
    {"create --bundle A -b B c", "create: -b and --bundle are the same flag; use only one of them"},
    {"create -b A --bundle B c", "are the same flag"},
    {"run -d --detach c", "-d and --detach are the same flag"},
    {"exec -t --tty c sh", "are the same flag"},
    {"create --no-pivot c --bundle A", "\"--bundle\" is after the container id"},
    {"run -d c -b B", "\"-b\" is after the container id"},
    {"update --cpu-quota -1 c --memory 1", "\"--memory\" is after the container id"},
    {"update c --resources -", "the value of --resources, \"-\", looks like a flag"},
    {"start c --", "\"--\" is after the container id"},
    {"create - --bundle A", "\"-\" is not a container id"},
    {"create --root Z --bundle B c", "the global flag \"--root\" must come before the command"},
    {"exec --log=/x c sh", "the global flag \"--log\" must come before the command"},
    {"delete --debug c", "must come before the command"},
    {"create --no-pivot= c", "--no-pivot must be true or false, not \"\""},
    {"--debug= create c", "--debug must be true or false"},
    {"run --keep=yes c", "not \"yes\""},
    {"exec c -- sh", "\"--\" is given where the program is expected"},
    {"exec -- c -- sh", "\"--\" is given where the program is expected"},
    {"exec c '' -- sh", "\"\" is given where the program is expected"},
    {"create --preserve-fds=010 c", "--preserve-fds must be a plain decimal number, not \"010\""},
    {"create --preserve-fds 0x3 c", "plain decimal"},
    {"create --preserve-fds= c", "plain decimal"},
    {"create --preserve-fds 1_0 c", "plain decimal"},
    {"exec --additional-gids=+1 c sh", "plain decimal"},
    {"exec --additional-gids 1,2 c sh", "plain decimal"},
    {"update --pids-limit 99999999999999999999 c", "plain decimal"},
    {"exec --env= c sh", "--env needs a non-empty value"},
    {"exec --cgroup '' c sh", "--cgroup needs a non-empty value"},
    {"-- create --bundle B c", "\"--\" is given where a flag or a command is expected"},
    {"- create --bundle B c", "\"-\" is given where a flag or a command is expected"},
    // What a reader who looks for a word, or guesses, takes for something else.
    {"--log --bundle create --bundle X c", "the value of --log, \"--bundle\", looks like a flag"},
    {"create --bundle -- c",
     "the value of --bundle, \"--\", looks like a flag; write --bundle=VALUE"},
    {"create --pid-file -b c", "looks like a flag"},
    {"update --resources - --memory 1 c", "the value of --resources, \"-\", looks like a flag"},
    {"exec --env -X=1 c sh", "looks like a flag"},
    // What only crun knows.
    {"create -f /tmp/c.json --bundle B c",
     "\"-f\" (crun) would make the runtime read another file"},
    {"create --config=/tmp/c.json c",
     "\"--config\" (crun) would make the runtime read another file"},
    {"run --config /tmp/c.json c", "(crun) would make the runtime read another file"},
    {"create --bund B c", "unknown flag \"--bund\"; did you mean --bundle?"},
    {"create -bB c", "unknown flag \"-bB\""},
    {"exec -dt c sh", "unknown flag \"-dt\""},
    {"mounts add c", "mounts (crun) changes the mounts of a running container"},
    {"--cgroup-manager=disabled create c", "unknown global flag \"--cgroup-manager\""},
    // Verbs that runclad cannot answer for.
    {"init", "init is how runc starts itself"},
    // Help beside anything else.
    {"--help create --bundle B c", "--help and --version cannot be combined with create"},
    {"--version run c", "cannot be combined with run"},
    {"--version=false create --bundle B c", "unknown global flag \"--version\""},
    {"create --help --bundle B c", "\"--help\" cannot be combined with other arguments"},
    {"create --bundle B -h", "\"-h\" cannot be combined with other arguments"},
    {"create --help=false --bundle B c", "unknown flag \"--help\""},
    {"create --help c", "\"--help\" cannot be combined with other arguments"},
    // runclad's own flags.
    {"--root R --runclad-config=/x create c", "must come before all other arguments"},
    {"create --runclad-config=/x c", "must come before all other arguments"},
    {"-runclad-config=/x create c", "start with two dashes"},
    {"--runclad-config=etc create c", "--runclad-config must be an absolute path, not \"etc\""},
    {"--runclad-config= create c", "must be an absolute path"},
    {"--runclad-runtime runc create c", "--runclad-runtime must be an absolute path, not \"runc\""},
    {"--runclad-runtime", "--runclad-runtime needs a value"},
    {"--runclad-config=/a --runclad-config=/b create c", "--runclad-config is given twice"},
    {"--runclad-version=1", "--runclad-version takes no value"},
    {"--runclad-mode=off create c", "unknown runclad flag \"--runclad-mode=off\""},
    // Too few, too many, misspelt.
    {"--root", "--root needs a value"},
    {"create --bundle", "--bundle needs a value"},
    {"create", "the container id is missing"},
    {"create --bundle B", "the container id is missing"},
    {"create --bundle B --", "the container id is missing"},
    {"create --bundle B c d", "expected one container id and nothing after it, not \"d\""},
    {"create --no-pivot true c", "expected one container id"},
    {"create -- c --bundle B", "not \"--bundle\""},
    {"start c d", "expected one container id"},
    {"delete", "the container id is missing"},
    {"update --memory 1G", "the container id is missing"},
    {"exec --process P", "the container id is missing"},
    {"exec c", "the program to run is missing"},
    {"exec --process P c sh", "expected one container id and nothing after it"},
    {"create --bundle B ../x", "\"../x\" is not a container id"},
    {"create --bundle B ''", "\"\" is not a container id"},
    {"start ..", "\"..\" is not a container id"},
    {"exec a/b sh", "\"a/b\" is not a container id"},
    {"create ---bundle B c", "unknown flag \"---bundle\""},
    {"create --=B c", "unknown flag \"--\""},
    {"create --Bundle B c", "unknown flag \"--Bundle\"; did you mean --bundle?"},
    {"--rot R create c", "unknown global flag \"--rot\"; did you mean --root?"},
    {"start --detach c", "unknown flag \"--detach\""},
    {"create --detach c", "unknown flag \"--detach\""},
    {"create --keep c", "unknown flag \"--keep\""},
};

TEST(CommandLine, RefusesWhatParsersReadDifferently) {
  for (const Refused& row : kRefused) {
    SCOPED_TRACE(row.given);
    EXPECT_THAT(Refusal(row.given), HasSubstr(std::string(row.why)));
  }
}

TEST(CommandLine, RefusesArgumentsWithSurroundingBlanks) {
  // The blanks that runc main cuts off before it looks for a flag.
  for (const std::string blank :
       {" ", "\t", "\n", "\v", "\f", "\r", "\u0085", "\u00A0", "\u1680", "\u2000", "\u200A",
        "\u2028", "\u2029", "\u202F", "\u205F", "\u3000"}) {
    SCOPED_TRACE(blank);
    const char* const why = "begins or ends with a blank";
    EXPECT_THAT(Refusal(Strings{"create", blank + "--bundle=A", "c"}), HasSubstr(why));
    EXPECT_THAT(Refusal(Strings{"create", "--bundle=A" + blank, "c"}), HasSubstr(why));
    EXPECT_THAT(Refusal(Strings{"create", "--bundle", "A" + blank, "c"}), HasSubstr(why));
    EXPECT_THAT(Refusal(Strings{"--root", "R" + blank, "start", "c"}), HasSubstr(why));
    EXPECT_THAT(Refusal(Strings{"--debug" + blank, "start", "c"}), HasSubstr(why));
    EXPECT_THAT(Refusal(Strings{"create", "c" + blank}), HasSubstr(why));
    EXPECT_THAT(Refusal(Strings{blank + "create", "c"}), HasSubstr("begins or ends with a blank"));
    EXPECT_THAT(Refusal(Strings{"exec", blank + "-t", "c", "sh"}), HasSubstr(why));
    EXPECT_THAT(Refusal(Strings{"exec", "c", blank + "--", "sh"}),
                HasSubstr("where the program is expected"));
    EXPECT_THAT(Refusal(Strings{"exec", "c", blank + blank, "--", "sh"}),
                HasSubstr("where the program is expected"));
  }
  // A zero-width space is none to Go.
  EXPECT_EQ(Refusal(Strings{"create", "--bundle=A\u200B", "c"}), "");
  EXPECT_EQ(Refusal(Strings{"exec", "c", " sh ", " x "}), "");
}

TEST(CommandLine, ReadsRuncladsOwnFlagsBeforeAllOthers) {
  const CommandLine line = Parsed(
      "--runclad-config=/etc/x --runclad-runtime /usr/bin/crun --runclad-version --root R state c");
  EXPECT_EQ(line.config_directory, "/etc/x");
  EXPECT_EQ(line.runtime_path, "/usr/bin/crun");
  EXPECT_TRUE(line.wants_runclad_version);
  EXPECT_EQ(line.verbatim, Words("--root R state c"));

  const CommandLine plain = Parsed("--root R state c");
  EXPECT_EQ(plain.config_directory, std::nullopt);
  EXPECT_EQ(plain.runtime_path, std::nullopt);
  EXPECT_FALSE(plain.wants_runclad_version);
}

TEST(CommandLine, RecognisesARequestForTheVersion) {
  for (const char* version : {"--version", "-version", "-v", "--v"}) {
    EXPECT_TRUE(Parsed(std::string("--root R ") + version).prints_version) << version;
  }
  EXPECT_FALSE(Parsed("--root R --help").prints_version);
  EXPECT_FALSE(Parsed("state --version").prints_version);
}

TEST(CommandLine, InterpretsFlagsAsTheRuntimeDoes) {
  const CommandLine line = Parsed(
      "--root A --root B --debug exec -e A=1 -e B=2 --detach --no-new-privs=false --cwd / c sh -c "
      "x");
  EXPECT_EQ(line.global("root"), "B");
  EXPECT_EQ(line.global("log"), std::nullopt);
  EXPECT_EQ(line.option("cwd"), "/");
  EXPECT_EQ(line.option("user"), std::nullopt);
  EXPECT_EQ(line.option("detach"), "true");
  EXPECT_EQ(line.option("no-new-privs"), "false");
  EXPECT_THAT(line.values("env"), ElementsAre("A=1", "B=2"));
  EXPECT_THAT(line.values("cap"), IsEmpty());
  EXPECT_TRUE(line.flag("detach"));
  EXPECT_TRUE(line.flag("debug"));
  EXPECT_FALSE(line.flag("tty"));
  EXPECT_FALSE(line.flag("no-new-privs"));
  EXPECT_EQ(line.id(), "c");
  EXPECT_THAT(line.positionals, ElementsAre("c", "sh", "-c", "x"));
}

TEST(CommandLine, CanBeModified) {
  CommandLine line = Parsed("exec -e A=1 -e B=2 --process F -d c");
  line.RemoveOption("env");
  line.SetOption("process", "/proc/self/fd/7");
  EXPECT_EQ(Joined(line.Canonical()), "exec --detach --process=/proc/self/fd/7 -- c");
  line.SetOption("pid-file", "P");
  line.RemoveOption("process");
  EXPECT_EQ(Joined(line.Canonical()), "exec --detach --pid-file=P -- c");
}

TEST(CommandLine, ErrorsDoNotQuoteHostileArguments) {
  const std::string message =
      Refusal(Strings{"create", "--\n{\"level\":\x1b[2J" + std::string(200'000, 'x')});
  EXPECT_THAT(message, HasSubstr("unknown flag \"--?{\"level\":?[2Jxxx"));
  EXPECT_LT(message.size(), 200U);
}

TEST(IsValidId, AcceptsTheSameIdsAsRunc) {
  for (const std::string_view id :
       {"a", "Z9", "a.b_c-d+e", "...", "-", "-b", "_", "0123456789abcdef"}) {
    EXPECT_TRUE(IsValidId(id)) << id;
  }
  for (const std::string_view id :
       {"", ".", "..", "a/b", "/", "a b", "a,b", "a:b", "a\n", "ä", "a*"}) {
    EXPECT_FALSE(IsValidId(id)) << id;
  }
  EXPECT_FALSE(IsValidId(std::string_view("a\0b", 3)));
}

}  // namespace
}  // namespace runclad::oci::command_line_test
