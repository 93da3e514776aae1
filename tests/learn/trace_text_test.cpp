#include "learn/trace_text.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::learn::trace_text_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Docker's own 14.
constexpr std::uint64_t kBounding = 0xa80425fb;

std::string Line(const std::string& who, const std::string& event) {
  return "           " + who + "     [001] d..1. 18784.032405: " + event + "\n";
}
std::string Exec(const std::string& who, const std::string& file) {
  const std::string pid = who.substr(who.rfind('-') + 1);
  return Line(who, "sched_process_exec: filename=" + file + " pid=" + pid + " old_pid=" + pid);
}
std::string Fork(const std::string& who, int child) {
  return Line(
      who, "sched_process_fork: comm=a b pid=1 child_comm=a b child_pid=" + std::to_string(child));
}
std::string Asked(const std::string& who, int capability,
                  const std::vector<std::string>& frames = {},
                  const std::string& credentials = "00000000b024f1fe", int result = 0) {
  std::string text = Line(who, "cap_capable: cred " + credentials +
                                   ", target_ns 000000002c3aad2f, capable_ns "
                                   "000000002c3aad2f, cap " +
                                   std::to_string(capability) + ", ret " + std::to_string(result)) +
                     Line(who, "<stack trace>");
  for (const std::string& frame : frames) text += " => " + frame + "\n";
  return text;
}

// As runc makes a container: its own calls are none of the container's.
const std::string kCreated = Line("runclad-10", "tracing_mark_write: runclad create abc") +
                             Exec("runc-10", "/usr/bin/runc") + Fork("runc-10", 11) +
                             Exec("runc-11", "/proc/self/exe") + Exec("runc-11", "/dev/fd/6") +
                             Asked("runc-11", 7) + Fork("runc-11", 12) +
                             Asked("runc:[2:INIT]-12", 6);
const std::string kBegun = kCreated + Exec("entry.sh-12", "/usr/bin/entry.sh");

TEST(Trace, HasTheFirstUseOfEachCapabilityWithItsCallAndProgram) {
  const Uses uses =
      UsesIn(kBegun + Fork("entry.sh-12", 13) + Exec("chown-13", "/bin/chown") +
                 Asked("chown-13", 0, {"cap_capable", "setattr_prepare", "__x64_sys_fchownat"}) +
                 Asked("chown-13", 0, {"__x64_sys_lchown"}) + Fork("entry.sh-12", 14) +
                 Asked("my - server-14", 7, {"ns_capable_setid", "__ia32_sys_setuid"}),
             kBounding);
  EXPECT_TRUE(uses.has_begun);
  EXPECT_FALSE(uses.has_losses);
  EXPECT_THAT(uses.uses, ElementsAre(Use{0, "fchownat(2)", "/bin/chown"},
                                     Use{7, "setuid(2)", "/usr/bin/entry.sh"}));
}

TEST(Trace, NamesTheCallsOfEveryAbi) {
  for (const char* frame : {"__x64_sys_chown", "__ia32_sys_chown", "__ia32_compat_sys_chown",
                            "__arm64_sys_chown", "__arm64_compat_sys_chown"}) {
    const Uses uses = UsesIn(kBegun + Asked("entry.sh-12", 0, {"cap_capable", frame}), kBounding);
    EXPECT_THAT(uses.uses, ElementsAre(Use{0, "chown(2)", "/usr/bin/entry.sh"})) << frame;
  }
}

TEST(Trace, AProgramThatExecutesItselfKeepsItsName) {
  const Uses uses = UsesIn(kBegun + Fork("entry.sh-12", 13) + Exec("chown-13", "/proc/self/exe") +
                               Asked("chown-13", 0, {"__x64_sys_lchown"}),
                           kBounding);
  EXPECT_THAT(uses.uses, ElementsAre(Use{0, "lchown(2)", "/usr/bin/entry.sh"}));
}

TEST(Trace, LeavesOutTheRuntimeAndItsChildren) {
  const Uses uses =
      UsesIn(kBegun + Asked("runc-10", 0) + Fork("runc-10", 20) + Asked("hook-20", 1), kBounding);
  EXPECT_TRUE(uses.has_begun);
  EXPECT_THAT(uses.uses, IsEmpty());
}

// Who mounted the overlay is granted SYS_ADMIN, which the container does not
// have.
TEST(Trace, LeavesOutTheCredentialsOfTheOverlaysMounter) {
  const std::string mounter = "00000000aaaaaaaa";
  const Uses uses =
      UsesIn(kBegun + Asked("entry.sh-12", 1, {"ovl_create", "__x64_sys_openat"}, mounter) +
                 Asked("entry.sh-12", 21, {"ovl_create", "__x64_sys_openat"}, mounter) +
                 Asked("entry.sh-12", 3, {"ovl_setattr", "__x64_sys_chmod"}),
             kBounding);
  EXPECT_THAT(uses.uses, ElementsAre(Use{3, "chmod(2)", "/usr/bin/entry.sh"}));
}

TEST(Trace, LeavesOutMemoryChecksAndDenials) {
  const Uses uses =
      UsesIn(kBegun + Asked("entry.sh-12", 21, {"security_vm_enough_memory_mm", "__x64_sys_mmap"}) +
                 Asked("entry.sh-12", 13, {"__x64_sys_socket"}, "00000000b024f1fe", -1) +
                 Asked("entry.sh-12", 5, {"__x64_sys_kill"}),
             kBounding);
  EXPECT_THAT(uses.uses, ElementsAre(Use{5, "kill(2)", "/usr/bin/entry.sh"}));
}

// The same credentials, for the call of memory does not say that they are the
// mounter's.
TEST(Trace, DoesNotTakeMemoryForTheMounter) {
  const Uses uses =
      UsesIn(kBegun + Asked("entry.sh-12", 21, {"__vm_enough_memory"}, "00000000cccc") +
                 Asked("entry.sh-12", 5, {}, "00000000cccc"),
             kBounding);
  EXPECT_THAT(uses.uses, ElementsAre(Use{5, "", "/usr/bin/entry.sh"}));
}

TEST(Trace, SaysThatItLacksTheBeginningOrAPart) {
  EXPECT_FALSE(UsesIn("", kBounding).has_begun);
  EXPECT_FALSE(UsesIn(kCreated, kBounding).has_begun);
  EXPECT_TRUE(UsesIn(kBegun + "CPU:1 [LOST 4711 EVENTS]\n", kBounding).has_losses);
}

// Any beginning of a trace, and lines that are none, are read without harm.
TEST(Trace, AcceptsMalformedInput) {
  const std::string whole = kBegun + Asked("a-12", 0, {"__x64_sys_chown"});
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    EXPECT_LE(UsesIn(std::string_view(whole).substr(0, size), kBounding).uses.size(), 1U);
  }
  for (const char* line :
       {"x\n", " => \n", "=> frame\n", "<...>-\n", "-5 [000] .: : \n",
        "a-99999999999 [0] 1: b: c\n", "a--5 [001] ..... 1.0: cap_capable: cap 1, ret 0\n",
        "a-12 [001] ..... 1.0: cap_capable: \n",
        "a-12 [001] ..... 1.0: cap_capable: cred x, cap 64, ret 0\n",
        "a-12 [001] ..... 1.0: cap_capable: cred x, cap -1, ret 0\n",
        "a-12 [001] ..... 1.0: cap_capable: cred x, cap 1x, ret 0\n",
        "a-12 [001] ..... 1.0: sched_process_exec: \n", "CPU:\n", "\0\n"}) {
    const Uses uses = UsesIn(kBegun + line, kBounding);
    EXPECT_THAT(uses.uses, IsEmpty()) << line;
  }
}

TEST(Trace, PrintsNamesInOneLine) {
  const Uses uses = UsesIn(kCreated + Exec("x-12", "/bin/\x1b[31m") + Asked("x-12", 0), kBounding);
  ASSERT_EQ(uses.uses.size(), 1U);
  EXPECT_EQ(uses.uses[0].program, "/bin/\\u001b[31m");
}

TEST(Marker, NamesTheProcessThatWroteIt) {
  const std::string line = Line("runclad-1234", "tracing_mark_write: runclad create abc");
  EXPECT_EQ(MarkerPidIn(line, "runclad create abc"), 1234);
  EXPECT_EQ(MarkerPidIn(line, "runclad create ab"), 0);
  EXPECT_EQ(
      MarkerPidIn(Line("a-1", "sched_process_exec: runclad create abc"), "runclad create abc"), 0);
  EXPECT_EQ(MarkerPidIn("", ""), 0);
}

std::string Called(const std::string& who, int number) {
  return Line(who,
              "sys_enter: NR " + std::to_string(number) + " (ffffff9c, 7ffd0, 80000, 0, 0, 0)");
}
// Whether the last line is of a new call.
bool ReadAll(CallReader& reader, const std::string& text) {
  bool is_new = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    is_new = reader.Line(std::string_view(text).substr(at, end - at));
    at = end + 1;
  }
  return is_new;
}

TEST(Calls, AreThoseOfTheContainerFromItsOwnExecveOn) {
  CallReader reader;
  EXPECT_FALSE(
      ReadAll(reader, kCreated + Called("runc-10", 165) + Called("runc:[2:INIT]-12", 272)));
  EXPECT_FALSE(reader.calls().has_begun);
  EXPECT_TRUE(
      ReadAll(reader, Exec("entry.sh-12", "/usr/bin/entry.sh") + Called("entry.sh-12", 257)));
  EXPECT_TRUE(ReadAll(reader, Fork("entry.sh-12", 13) + Called("chown-13", 260)));
  EXPECT_FALSE(ReadAll(reader, Called("chown-13", 257)));
  EXPECT_FALSE(ReadAll(reader, Called("runc-10", 101)));
  EXPECT_THAT(reader.calls().numbers, ElementsAre(257, 260));
  EXPECT_TRUE(reader.calls().has_begun);
  EXPECT_FALSE(reader.calls().has_losses);
}

TEST(Calls, AreNotAllWhereTheKernelLostSome) {
  for (const char* line : {"CPU:1 [LOST 12 EVENTS]\n", "something else\n"}) {
    CallReader reader;
    ReadAll(reader, kBegun + line + Called("entry.sh-12", 1));
    EXPECT_TRUE(reader.calls().has_losses) << line;
  }
}

}  // namespace
}  // namespace runclad::learn::trace_text_test
