// Runs the built runcladctl as a shell would.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "test_paths.hpp"

namespace runclad::ctl {

struct ProgramRun {
  int status = -1;
  std::string out;
  std::string err;

  [[nodiscard]] nlohmann::json json() const { return nlohmann::json::parse(out); }
};

inline std::string ReadAll(int fd) {
  std::string all;
  std::array<char, 65536> buffer{};
  // EIO: the end of a terminal whose other side was closed.
  for (ssize_t got = 0; (got = ::read(fd, buffer.data(), buffer.size())) > 0;) {
    all.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return all;
}

// With standard output at `terminal` when given, else in a pipe.
inline ProgramRun Runcladctl(const std::vector<std::string>& arguments,
                             const char* no_color = nullptr, int terminal = -1) {
  std::array<int, 2> out{};
  const std::string err_path =
      ::testing::TempDir() + "/runcladctl-err-" + std::to_string(::getpid());
  if (::pipe2(out.data(), O_CLOEXEC) != 0) return {};
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(terminal >= 0 ? terminal : out[1], STDOUT_FILENO);
    ::dup2(::open(err_path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600), STDERR_FILENO);
    ::setenv("TERM", "xterm", 1);
    ::unsetenv("NO_COLOR");
    if (no_color != nullptr) ::setenv("NO_COLOR", no_color, 1);
    std::vector<char*> argv = {const_cast<char*>("runcladctl")};
    // The kernel does not execute what was cross-compiled.
    constexpr std::string_view kEmulator = RUNCLAD_EMULATOR;
    if (!kEmulator.empty()) argv.push_back(const_cast<char*>(RUNCLADCTL));
    for (const std::string& argument : arguments)
      argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    ::execv(kEmulator.empty() ? RUNCLADCTL : RUNCLAD_EMULATOR, argv.data());
    ::_exit(127);
  }
  ::close(out[1]);
  ProgramRun run;
  run.out = ReadAll(out[0]);
  ::close(out[0]);
  int status = 0;
  ::waitpid(child, &status, 0);
  run.status = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  std::ifstream err(err_path);
  run.err.assign(std::istreambuf_iterator<char>(err), {});
  std::filesystem::remove(err_path);
  return run;
}

// A directory of a test's own, removed afterwards.
class TemporaryDirectory {
 public:
  TemporaryDirectory() {
    std::string pattern = ::testing::TempDir() + "/runcladctl-XXXXXX";
    path_ = std::filesystem::canonical(::mkdtemp(pattern.data()));
  }
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
  TemporaryDirectory(TemporaryDirectory&&) = delete;
  TemporaryDirectory& operator=(TemporaryDirectory&&) = delete;
  ~TemporaryDirectory() { std::filesystem::remove_all(path_); }

  // Writes a file and returns its path.
  std::string Write(const std::string& name, const std::string& text) const {
    const auto path = path_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    ::chmod(path.c_str(), 0644);
    return path;
  }
  [[nodiscard]] std::string path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace runclad::ctl
