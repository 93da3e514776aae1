// What a confined child may do, and that everything else ends it.
#include "runclad/sys/confined_child.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/base/sanitizers.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/process.hpp"

namespace runclad::sys::confined_child_test {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;

class ConfinedChild : public ::testing::Test {
 protected:
  ConfinedChild() { std::ofstream(path_) << "input"; }
  ~ConfinedChild() override { fs::remove(path_); }
  ConfinedChild(const ConfinedChild&) = delete;
  ConfinedChild& operator=(const ConfinedChild&) = delete;
  ConfinedChild(ConfinedChild&&) = delete;
  ConfinedChild& operator=(ConfinedChild&&) = delete;

  [[nodiscard]] std::string Run(const ConfinedWork& work, const ConfinedLimits& limits = {}) const {
    const UniqueFd input(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    const auto answer = RunConfined(input.get(), work, limits);
    return answer ? *answer : "error: " + answer.error().message;
  }
  // "did it" or why not.
  [[nodiscard]] std::string Try(const std::function<bool()>& act) const {
    return Run([&](std::span<char>) { return std::string(act() ? "did it" : "was told no"); });
  }

  const std::string path_ = ::testing::TempDir() + "confined-" + std::to_string(::getpid());
};

const std::string kKilled = "error: the parser was killed by signal " + std::to_string(SIGSYS);

TEST_F(ConfinedChild, IsReapedEvenIfTheCallerIgnoresSigchld) {
  const SignalAction ignored(SIGCHLD, SIG_IGN);
  EXPECT_EQ(Run([](std::span<char>) { return std::string("an answer"); }), "an answer");
  struct sigaction now {};
  ASSERT_EQ(::sigaction(SIGCHLD, nullptr, &now), 0);
  EXPECT_EQ(now.sa_handler, SIG_IGN) << "as the caller had it";
}

TEST_F(ConfinedChild, ComputesOnACopyOfTheContent) {
  const auto shout = [](std::span<char> bytes) {
    for (char& byte : bytes) byte = static_cast<char>(byte - 'a' + 'A');
    return std::string(bytes.data(), bytes.size());
  };
  EXPECT_EQ(Run(shout), "INPUT");
  EXPECT_EQ(Run([](std::span<char> bytes) { return std::string(bytes.data(), bytes.size()); }),
            "input");
  const auto much = [](std::span<char>) { return std::string(3U << 20U, 'x'); };
  EXPECT_EQ(Run(much).size(), 3U << 20U) << "more than a pipe holds";
}

TEST_F(ConfinedChild, CannotMakeOtherSystemCalls) {
  const std::string written = path_ + "-written";
  struct {
    const char* name;
    std::function<bool()> act;
  } const rows[] = {
    {"open a file", [] { return ::open("/dev/null", O_RDONLY) >= 0; }},
    {"make a file", [&] { return ::open(written.c_str(), O_CREAT | O_WRONLY, 0600) >= 0; }},
    {"examine a file",
     [] {
       struct stat s {};
       return ::stat("/", &s) == 0;
     }},
    {"make a socket", [] { return ::socket(AF_INET, SOCK_STREAM, 0) >= 0; }},
    {"make a process", [] { return ::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0) >= 0; }},
    {"become a program", [] { return ::execl("/bin/true", "true", nullptr) == 0; }},
    {"end another", [] { return ::kill(::getpid(), 0) == 0; }},
    {"read what is open",
     [] {
       char c = 0;
       return ::read(0, &c, 1) >= 0;
     }},
    {"write elsewhere", [] { return ::write(1, "x", 1) >= 0; }},
    {"raise its limits", [] { return ::nice(0) != -1; }},
    {"make code",
     [] {
       return ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
              MAP_FAILED;
     }},
    {"make memory code",
     [] {
       void* const page =
           ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
       return ::mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0;
     }},
    {"map what is open",
     [] { return ::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, 0, 0) != MAP_FAILED; }},
#if defined(__x86_64__)
    {"call as x32", [] { return ::syscall(0x40000000 + SYS_getpid) > 0; }},
#endif
  };
  for (const auto& row : rows) EXPECT_EQ(Try(row.act), kKilled) << row.name;
  EXPECT_FALSE(fs::exists(written));
  EXPECT_EQ(Try([] { return ::getpid() > 0; }), "did it") << "or nothing above was tried";
}

// By what the kernel says of it while it computes, from outside.
TEST_F(ConfinedChild, HasNoPrivilegesAndNoInheritedFiles) {
  if (::geteuid() != 0) GTEST_SKIP() << "gives up what only root has";
  const UniqueFd ours(::open("/dev/null", O_RDONLY));  // not close-on-exec
  const fs::path seen = path_ + "-seen";
  const pid_t observer = ::fork();
  ASSERT_GE(observer, 0);
  if (observer == 0) {
    // Our own other child, once it is confined.
    const std::string children = "/proc/" + std::to_string(::getppid()) + "/task/" +
                                 std::to_string(::getppid()) + "/children";
    for (int i = 0; i < 500; ++i) {
      ::usleep(5000);
      std::ifstream list(children);
      for (pid_t child = 0; list >> child;) {
        if (child == ::getpid()) continue;
        std::ifstream status("/proc/" + std::to_string(child) + "/status");
        const std::string text(std::istreambuf_iterator<char>(status), {});
        if (text.find("Seccomp:\t2") == std::string::npos) continue;
        std::ofstream out(seen);
        out << text;
        for (const auto& fd : fs::directory_iterator("/proc/" + std::to_string(child) + "/fd")) {
          out << "fd " << fd.path().filename().string() << "\n";
        }
        out.close();
        ::_exit(0);
      }
    }
    ::_exit(1);
  }
  ConfinedLimits limits;
  limits.seconds = 2;
  (void)Run(
      [](std::span<char>) -> std::optional<std::string> {
        for (volatile bool forever = true; forever;) {
        }
        return std::nullopt;
      },
      limits);
  int status = 0;
  ::waitpid(observer, &status, 0);
  ASSERT_EQ(status, 0) << "was not seen";
  std::ifstream file(seen);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  for (const char* line :
       {"Uid:\t65534\t65534\t65534\t65534\n", "Gid:\t65534\t65534\t65534\t65534\n", "Groups:\t \n",
        "NoNewPrivs:\t1\n", "CapInh:\t0000000000000000\n", "CapPrm:\t0000000000000000\n",
        "CapEff:\t0000000000000000\n", "CapAmb:\t0000000000000000\n", "fd 0\n"}) {
    EXPECT_THAT(text, ::testing::HasSubstr(line));
  }
  EXPECT_EQ(text.find("fd ", text.find("fd 0") + 1), std::string::npos) << text;
  fs::remove(seen);
}

TEST_F(ConfinedChild, IsKilledAtItsTimeAndMemoryLimits) {
  ConfinedLimits limits;
  limits.seconds = 1;
  const auto spin = [](std::span<char>) -> std::optional<std::string> {
    for (volatile bool forever = true; forever;) {
    }
    return std::nullopt;
  };
  EXPECT_EQ(Run(spin, limits), "error: parsing it took longer than 1 s");
  limits.seconds = 20;
  limits.cpu_seconds = 1;
  EXPECT_THAT(Run(spin, limits), AnyOf("error: the parser was killed by signal 24",
                                       "error: the parser was killed by signal 9"));
  limits.max_output_bytes = 1000;
  EXPECT_EQ(Run([](std::span<char>) { return std::string(1001, 'x'); }, limits),
            "error: its content exceeds the limit");
#if !defined(RUNCLAD_UNDER_ASAN)
  EXPECT_EQ(Run([](std::span<char>) { return std::string(std::size_t{2} << 30, 'x'); }),
            "error: it is damaged or in an unknown format");
#endif
}

TEST_F(ConfinedChild, ACrashIsReportedAsAnError) {
  EXPECT_EQ(Run([](std::span<char>) -> std::optional<std::string> { __builtin_trap(); }),
            "error: the parser was killed by signal " + std::to_string(SIGILL));
  EXPECT_EQ(Run([](std::span<char>) -> std::optional<std::string> { return std::nullopt; }),
            "error: it is damaged or in an unknown format");
}

TEST_F(ConfinedChild, AcceptsRegularFilesOnly) {
  const auto run = [](const char* path) {
    const UniqueFd input(::open(path, O_RDONLY | O_NONBLOCK));
    const auto answer = RunConfined(input.get(), [](std::span<char>) { return std::string(); });
    return answer ? *answer : answer.error().message;
  };
  EXPECT_EQ(run("/dev/null"), "it is not a regular file");
  EXPECT_EQ(run("/"), "it is not a regular file");
  fs::resize_file(path_, 0);
  EXPECT_EQ(run(path_.c_str()), "it is empty");
  fs::resize_file(path_, (std::size_t{256} << 20) + 1);
  EXPECT_EQ(run(path_.c_str()), "it is larger than the 268435456 bytes allowed");
}

TEST_F(ConfinedChild, DiesWithItsParent) {
  void* const shared = ::mmap(nullptr, sizeof(std::atomic<pid_t>), PROT_READ | PROT_WRITE,
                              MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(shared, MAP_FAILED);
  auto* const working = new (shared) std::atomic<pid_t>(0);
  const pid_t waiting = ::fork();
  if (waiting == 0) {
    const auto for_ever = [&](std::span<char>) -> std::optional<std::string> {
      *working = ::getpid();
      while (*working != 0) {
      }
      return std::nullopt;
    };
    (void)Run(for_ever, {.cpu_seconds = 60, .seconds = 60});
    ::_exit(0);
  }
  while (*working == 0) ::usleep(1000);
  ASSERT_EQ(::kill(waiting, SIGKILL), 0);
  ASSERT_EQ(::waitpid(waiting, nullptr, 0), waiting);
  const std::string status = "/proc/" + std::to_string(*working) + "/stat";
  const auto is_alive = [&] {
    std::ifstream file(status);
    std::string id;
    std::string name;
    std::string state;
    return (file >> id >> name >> state) && state != "Z";
  };
  for (int i = 0; i < 5000 && is_alive(); ++i) ::usleep(1000);
  EXPECT_FALSE(is_alive());
  *working = 0;
  ::munmap(shared, sizeof(std::atomic<pid_t>));
}

}  // namespace
}  // namespace runclad::sys::confined_child_test
