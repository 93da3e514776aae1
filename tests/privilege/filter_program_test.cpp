#include "runclad/privilege/filter_program.hpp"

#include <linux/audit.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <random>

#include <gtest/gtest.h>

namespace runclad::privilege::filter_program_test {
namespace {

constexpr std::uint32_t kAllow = SECCOMP_RET_ALLOW;

seccomp_data Call(int number, std::uint64_t first = 0) {
  seccomp_data call{};
  call.nr = number;
  call.arch = AUDIT_ARCH_X86_64;
  call.args[0] = first;
  return call;
}

sock_filter Op(int code, std::uint32_t k, std::uint8_t jt = 0, std::uint8_t jf = 0) {
  return {static_cast<std::uint16_t>(code), jt, jf, k};
}

const sock_filter kLoadNumber = Op(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
const sock_filter kReturnA = Op(BPF_RET | BPF_A, 0);

TEST(FilterProgram, CalculatesAsTheKernelDoes) {
  const struct {
    const char* name;
    FilterProgram program;
    std::uint32_t answer;
  } cases[] = {
      {"immediate", {Op(BPF_LD | BPF_IMM, 7), kReturnA}, 7},
      {"length", {Op(BPF_LD | BPF_W | BPF_LEN, 0), kReturnA}, 64},
      {"index length", {Op(BPF_LDX | BPF_W | BPF_LEN, 0), Op(BPF_MISC | BPF_TXA, 0), kReturnA}, 64},
      {"memory",
       {kLoadNumber, Op(BPF_ST, 3), Op(BPF_LD | BPF_IMM, 0), Op(BPF_LD | BPF_MEM, 3), kReturnA},
       41},
      {"index memory",
       {kLoadNumber, Op(BPF_MISC | BPF_TAX, 0), Op(BPF_STX, 0), Op(BPF_LDX | BPF_MEM, 0),
        Op(BPF_MISC | BPF_TXA, 0), kReturnA},
       41},
      {"add", {kLoadNumber, Op(BPF_ALU | BPF_ADD | BPF_K, 1), kReturnA}, 42},
      {"subtract", {kLoadNumber, Op(BPF_ALU | BPF_SUB | BPF_K, 42), kReturnA}, 0xFFFFFFFFU},
      {"multiply", {kLoadNumber, Op(BPF_ALU | BPF_MUL | BPF_K, 2), kReturnA}, 82},
      {"divide", {kLoadNumber, Op(BPF_ALU | BPF_DIV | BPF_K, 4), kReturnA}, 10},
      {"or", {kLoadNumber, Op(BPF_ALU | BPF_OR | BPF_K, 0x100), kReturnA}, 0x129},
      {"exclusive or", {kLoadNumber, Op(BPF_ALU | BPF_XOR | BPF_K, 41), kReturnA}, 0},
      {"shift left", {kLoadNumber, Op(BPF_ALU | BPF_LSH | BPF_K, 4), kReturnA}, 41U << 4},
      {"shift right", {kLoadNumber, Op(BPF_ALU | BPF_RSH | BPF_K, 3), kReturnA}, 5},
      {"negate", {kLoadNumber, Op(BPF_ALU | BPF_NEG, 0), kReturnA}, 0U - 41},
      {"by the index",
       {Op(BPF_LDX | BPF_IMM, 2), kLoadNumber, Op(BPF_ALU | BPF_ADD | BPF_X, 0), kReturnA},
       43},
      {"a division by the index zero kills",
       {kLoadNumber, Op(BPF_ALU | BPF_DIV | BPF_X, 0), kReturnA},
       SECCOMP_RET_KILL_THREAD},
      {"a jump by the index",
       {Op(BPF_LDX | BPF_IMM, 41), kLoadNumber, Op(BPF_JMP | BPF_JEQ | BPF_X, 0, 0, 1),
        Op(BPF_RET | BPF_K, 1), Op(BPF_RET | BPF_K, 2)},
       1},
      {"a jump over two",
       {Op(BPF_JMP | BPF_JA, 2), Op(BPF_RET | BPF_K, 1), Op(BPF_RET | BPF_K, 2),
        Op(BPF_RET | BPF_K, 3)},
       3},
  };
  for (const auto& [name, program, answer] : cases) {
    EXPECT_EQ(RunFilter(program, Call(41)), answer) << name;
  }
}

TEST(FilterProgram, KillsWhatTheKernelWouldNotLoad) {
  const FilterProgram programs[] = {
      {},
      {kLoadNumber},
      {Op(BPF_LD | BPF_W | BPF_ABS, 64), kReturnA},
      {Op(BPF_LD | BPF_W | BPF_ABS, 2), kReturnA},
      {Op(BPF_LD | BPF_B | BPF_ABS, 0), kReturnA},
      {Op(BPF_LD | BPF_MEM, 16), kReturnA},
      {Op(BPF_JMP | BPF_JA, 0xFFFFFFFF), kReturnA},
      {Op(0xFFFF, 0), kReturnA},
  };
  for (const FilterProgram& program : programs) {
    const std::uint32_t answer = RunFilter(program, Call(0));
    EXPECT_EQ(answer & SECCOMP_RET_ACTION_FULL, SECCOMP_RET_KILL_PROCESS);
  }
}

FilterProgram Always(std::uint32_t answer) { return {Op(BPF_RET | BPF_K, answer)}; }

TEST(FilterProgram, TakesTheStrictestOfAllFilters) {
  const std::uint32_t order[] = {SECCOMP_RET_KILL_PROCESS, SECCOMP_RET_KILL_THREAD,
                                 SECCOMP_RET_TRAP,         SECCOMP_RET_ERRNO | EPERM,
                                 SECCOMP_RET_USER_NOTIF,   SECCOMP_RET_TRACE,
                                 SECCOMP_RET_LOG,          SECCOMP_RET_ALLOW};
  for (std::size_t i = 0; i < std::size(order); ++i) {
    for (std::size_t j = i; j < std::size(order); ++j) {
      const FilterProgram both[] = {Always(order[j]), Always(order[i])};
      EXPECT_EQ(RunFilters(both, Call(0)), order[i]);
    }
  }
  const FilterProgram newest_first[] = {Always(SECCOMP_RET_ERRNO | ENOSYS),
                                        Always(SECCOMP_RET_ERRNO | EPERM)};
  EXPECT_EQ(RunFilters(newest_first, Call(0)), SECCOMP_RET_ERRNO | ENOSYS);
  EXPECT_EQ(RunFilters({}, Call(0)), kAllow);
}

// The kernel itself runs random programs: their answer to getpriority(2) becomes its errno.
TEST(FilterProgram, AgreesWithTheKernelOnRandomPrograms) {
  constexpr int kPrograms = 300;
  constexpr int kAlu[] = {BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_AND,
                          BPF_OR,  BPF_XOR, BPF_LSH, BPF_RSH, BPF_NEG};
  constexpr int kJumps[] = {BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET};
  std::mt19937 random(20261126);
  const auto below = [&](std::uint32_t limit) {
    return static_cast<std::uint32_t>(random() % limit);
  };
  int tried = 0;
  for (int i = 0; i < kPrograms; ++i) {
    FilterProgram program = {kLoadNumber, Op(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpriority, 1, 0),
                             Op(BPF_RET | BPF_K, kAllow)};
    for (std::uint32_t word = 0; word < BPF_MEMWORDS; ++word) program.push_back(Op(BPF_ST, word));
    for (int step = 0; step < 24; ++step) {
      const int source = below(2) == 0 ? BPF_K : BPF_X;
      switch (below(7)) {
        case 0:
          program.push_back(Op(BPF_LD | BPF_W | BPF_ABS, 16 + 4 * below(12)));
          break;
        case 1:
          program.push_back(Op(BPF_LDX | BPF_IMM, below(40)));
          break;
        case 2:
          program.push_back(Op(below(2) == 0 ? BPF_ST : BPF_STX, below(BPF_MEMWORDS)));
          break;
        case 3:
          program.push_back(Op((below(2) == 0 ? BPF_LD : BPF_LDX) | BPF_MEM, below(BPF_MEMWORDS)));
          break;
        case 4:
          program.push_back(Op(BPF_MISC | (below(2) == 0 ? BPF_TAX : BPF_TXA), 0));
          break;
        case 5: {
          program.push_back(Op(BPF_JMP | kJumps[below(4)] | source, below(64), 0, 1));
          program.push_back(Op(BPF_ALU | BPF_ADD | BPF_K, 1));
          break;
        }
        default: {
          const int operation = kAlu[below(10)];
          const bool is_shift = operation == BPF_LSH || operation == BPF_RSH;
          program.push_back(operation == BPF_NEG
                                ? Op(BPF_ALU | BPF_NEG, 0)
                                : Op(BPF_ALU | operation | (is_shift ? BPF_K : source),
                                     is_shift ? below(32) : 1 + below(1000)));
        }
      }
    }
    program.push_back(Op(BPF_ALU | BPF_AND | BPF_K, 0xFFF));
    program.push_back(Op(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO));
    program.push_back(kReturnA);
    const std::uint64_t arguments[] = {random(), random() * std::uint64_t{0x100000001}, random()};
    seccomp_data call = Call(SYS_getpriority);
    for (std::size_t at = 0; at < std::size(arguments); ++at) call.args[at] = arguments[at];
    int channel[2];
    ASSERT_EQ(::pipe(channel), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const sock_fprog loaded{static_cast<unsigned short>(program.size()), program.data()};
      ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
      int answer = -1;
      if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &loaded) == 0) {
        errno = 0;
        // The upper half of an int among variable arguments is whatever was on the stack.
        constexpr std::uint64_t kNone = 0;
        ::syscall(SYS_getpriority, arguments[0], arguments[1], arguments[2], kNone, kNone, kNone);
        answer = errno;
      }
      ::_exit(::write(channel[1], &answer, sizeof answer) == sizeof answer ? 0 : 1);
    }
    ::close(channel[1]);
    int answer = -2;
    const bool is_answered = ::read(channel[0], &answer, sizeof answer) == sizeof answer;
    ::close(channel[0]);
    int status = 0;
    ::waitpid(child, &status, 0);
    const std::uint32_t ours = RunFilter(program, call);
    if (!is_answered) {
      // The kernel killed it: so does a division by zero.
      EXPECT_EQ(ours, SECCOMP_RET_KILL_THREAD) << i;
      continue;
    }
    if (answer == -1) GTEST_SKIP() << "no filter can be loaded here";
    ++tried;
    EXPECT_EQ(ours, SECCOMP_RET_ERRNO | static_cast<std::uint32_t>(answer)) << i;
  }
  EXPECT_GT(tried, kPrograms / 2);
}

}  // namespace
}  // namespace runclad::privilege::filter_program_test
