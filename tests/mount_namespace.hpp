// Runs a test's body as root in a mount namespace of its own: what it mounts goes with it.
#pragma once

#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <sched.h>

namespace runclad::testing {

// In a child, with a tmpfs of its own at /srv (owned by root, as on a host); a failure in the body
// is one of the test.
inline void InPrivateMounts(const std::function<void()>& body) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounts need root";
  (void)std::fflush(nullptr);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    const bool is_apart = ::unshare(CLONE_NEWNS) == 0 &&
                          ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                          ::mount("tmpfs", "/srv", "tmpfs", 0, "mode=755") == 0;
    EXPECT_TRUE(is_apart) << "no private mount namespace";
    try {
      if (is_apart) body();
    } catch (const std::exception& failure) {  // must not go on as a second test program
      ADD_FAILURE() << failure.what();
    }
    (void)std::fflush(nullptr);
    ::_exit(::testing::Test::HasFailure() ? EXIT_FAILURE : EXIT_SUCCESS);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0) << "the body failed, see above";
}

inline void MakeDirectories(const std::string& path) { std::filesystem::create_directories(path); }

inline void WriteFile(const std::string& path, const std::string& text = "x\n") {
  MakeDirectories(std::filesystem::path(path).parent_path());
  std::ofstream(path) << text;
}

inline void BindMount(const std::string& source, const std::string& point) {
  std::filesystem::is_directory(source) ? MakeDirectories(point) : WriteFile(point);
  ASSERT_EQ(::mount(source.c_str(), point.c_str(), nullptr, MS_BIND, nullptr), 0) << point;
}

inline void TmpfsMount(const std::string& point) {
  MakeDirectories(point);
  ASSERT_EQ(::mount("tmpfs", point.c_str(), "tmpfs", 0, "mode=755"), 0) << point;
}

}  // namespace runclad::testing
