#include "runclad/host/runtime_state.hpp"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

namespace runclad::host::runtime_state_test {
namespace {

class RuntimeStateTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = "/tmp/runclad-state-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    std::filesystem::create_directory(root_ + "/web");
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  std::optional<RuntimeState> Read(const std::string& file, std::string_view text) const {
    std::ofstream(root_ + "/web/" + file) << text;
    auto state = ReadRuntimeState(root_, "web");
    std::filesystem::remove(root_ + "/web/" + file);
    return state;
  }

  std::string root_;
};

TEST_F(RuntimeStateTest, ReadsTheStateOfRunc) {
  const auto state = Read("state.json", R"({"id":"web","init_process_pid":7,
    "init_process_start":18446744073709551615,"created":"2026-11-26T01:00:00Z",
    "config":{"rootfs":"/b/rootfs","labels":["bundle=/of/an/annotation","a=b","bundle=/b"],
      "mounts":[{"source":"/x","flags":-1,"ratio":1.5e3}]},"namespace_paths":{"NEWNS":"/proc/7/ns/mnt"}}
    )");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->pid, 7);
  EXPECT_EQ(state->start_time, 18446744073709551615U);
  EXPECT_EQ(state->bundle, "/b") << "runc's own label is the last one";
  EXPECT_FALSE(state->is_crun);
  EXPECT_FALSE(state->is_waiting);
}

TEST_F(RuntimeStateTest, ReadsTheStatusOfCrun) {
  ASSERT_EQ(::mkfifo((root_ + "/web/exec.fifo").c_str(), 0600), 0);
  const auto state =
      Read("status", R"({"pid":7,"process-start-time":9,"cgroup-path":"/c","bundle":"/b"})");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->pid, 7);
  EXPECT_EQ(state->start_time, 9U);
  EXPECT_EQ(state->bundle, "/b");
  EXPECT_TRUE(state->is_crun);
  EXPECT_TRUE(state->is_waiting);
}

TEST_F(RuntimeStateTest, HasNoProcessIfThePidIsInvalid) {
  for (const char* number : {"-7", "7.0", "\"7\"", "null", "99999999999", "7e0"}) {
    const auto state = Read("state.json", R"({"config":{"labels":null},"init_process_pid":)" +
                                              std::string(number) + "}");
    ASSERT_TRUE(state) << number;
    EXPECT_EQ(state->pid, 0) << number;
  }
}

TEST_F(RuntimeStateTest, RejectsFilesThatOthersCanWrite) {
  EXPECT_FALSE(ReadRuntimeState(root_, "web")) << "no file";
  EXPECT_FALSE(ReadRuntimeState(root_, "db")) << "no directory";
  for (const char* text :
       {"", "{", "[]", R"({"init_process_pid":7}x)", R"({"config":{"labels":[7]}})",
        R"({"init_process_pid":7,"init_process_pid":8})"}) {
    EXPECT_FALSE(Read("state.json", text)) << text;
  }
  const std::string path = root_ + "/web/state.json";
  std::ofstream(path) << R"({"init_process_pid":7})";
  ASSERT_EQ(::chmod(path.c_str(), 0622), 0);
  EXPECT_FALSE(ReadRuntimeState(root_, "web")) << "others can write it";
}

}  // namespace
}  // namespace runclad::host::runtime_state_test
