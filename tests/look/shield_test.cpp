#include "runclad/look/shield.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/sys/process.hpp"

namespace runclad::look {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Shield, BecomesAPolicyFile) {
  const auto shield = ParseShield(R"({"id": "af-alg", "reason": "CVE", "until": "2027-03-31",
    "deny": {"families": ["alg", "33"], "syscalls": ["userfaultfd"]}})");
  ASSERT_TRUE(shield) << shield.error().message;
  EXPECT_THAT(shield->families, ElementsAre("AF_ALG", "AF_RXRPC"));
  EXPECT_EQ(PolicyOf(*shield), R"({
  "rules": {
    "seccomp": {
      "deny": [
        "AF_ALG",
        "AF_RXRPC",
        "userfaultfd"
      ]
    }
  }
}
)");
}

TEST(Shield, DeniesCallsWithArguments) {
  constexpr const char* kText = R"({
  "deny": {
    "families": [],
    "syscalls": [
      "userfaultfd",
      {
        "args": [
          {
            "index": 1,
            "op": "SCMP_CMP_EQ",
            "value": 41
          },
          {
            "index": 2,
            "op": "SCMP_CMP_MASKED_EQ",
            "value": 240,
            "valueTwo": 64
          }
        ],
        "name": "setsockopt"
      }
    ]
  },
  "id": "x",
  "reason": "r"
}
)";
  const auto shield = ParseShield(kText);
  ASSERT_TRUE(shield) << shield.error().message;
  EXPECT_THAT(PolicyOf(*shield), HasSubstr("\"setsockopt arg1==41 arg2&0xf0==0x40\""));
  EXPECT_EQ(TextOf(*shield), kText);
}

TEST(Shield, DeniesDevices) {
  const auto shield = ParseShield(R"({"id": "x", "reason": "r", "deny": {"devices": [
    {"type": "c", "major": 10, "minor": 229}, {"type": "b", "major": 8}, "/dev/kvm"]}})");
  ASSERT_TRUE(shield) << shield.error().message;
  EXPECT_THAT(shield->devices, ElementsAre("c 10:229", "b 8:*"));
  EXPECT_THAT(shield->device_paths, ElementsAre("/dev/kvm"));
  EXPECT_EQ(PolicyOf(*shield), R"({
  "rules": {
    "device-cgroup": {
      "deny": [
        "c 10:229",
        "b 8:*"
      ]
    },
    "devices": {
      "deny": [
        "c 10:229",
        "b 8:*"
      ]
    }
  }
}
)");
  const auto again = ParseShield(TextOf(*shield));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->devices, shield->devices);
  EXPECT_EQ(again->device_paths, shield->device_paths);
}

TEST(Shield, StateOfDevicesIsByTheirCgroup) {
  Container container;
  container.processes = {::getpid()};
  container.pid = ::getpid();
  container.start_time = sys::StartTime(container.pid).value_or(0);
  Shield shield;
  shield.devices = {"c 10:229"};
  const struct {
    std::optional<std::string> rules;
    Exposure exposure;
  } cases[] = {
      {std::nullopt, Exposure::kUnknown},
      {"c 1:3 rwm\nc *:* m\n", Exposure::kClosed},
      {"c 1:3 rwm\nc 10:229 rw\n", Exposure::kExposed},
      {"c 10:* r\n", Exposure::kExposed},
      {"b 10:229 rwm\nc 10:200 rwm\nc 10:229 m", Exposure::kClosed},
      {"a *:* rwm\n", Exposure::kExposed},
  };
  for (const auto& [rules, exposure] : cases) {
    container.device_rules = rules;
    EXPECT_EQ(StatesOf({&shield, 1}, container, Attach::kNo).at(0).exposure, exposure)
        << rules.value_or("");
  }
}

TEST(Shield, NamesModulesAsTheKernelDoes) {
  const auto shield =
      ParseShield(R"({"id": "x", "reason": "r", "deny": {"modules": ["algif-hash", "kvm"]}})");
  ASSERT_TRUE(shield) << shield.error().message;
  EXPECT_THAT(shield->modules, ElementsAre("algif_hash", "kvm"));
  EXPECT_EQ(PolicyOf(*shield), "{\n  \"rules\": {}\n}\n");
  EXPECT_EQ(ParseShield(TextOf(*shield))->modules, shield->modules);
}

TEST(Shield, StateOfAModuleIsTheHosts) {
  namespace fs = std::filesystem;
  const fs::path root = fs::path(::testing::TempDir()) / ("modules-" + std::to_string(::getpid()));
  utsname kernel{};
  ASSERT_EQ(::uname(&kernel), 0);
  const fs::path libraries = root / "lib" / static_cast<const char*>(kernel.release);
  fs::create_directories(root / "proc/sys/kernel");
  fs::create_directories(root / "sys/module/with_settings");
  fs::create_directories(libraries);
  std::ofstream(root / "proc/modules")
      << "af_alg 32768 1 algif_hash, Live 0x0\nvsock 1 0 - Live 0x0\n";
  std::ofstream(libraries / "modules.builtin") << "kernel/crypto/built-in-one.ko\n";
  const ModulePlaces places{root / "proc", root / "sys", root / "lib"};
  const struct {
    const char* module;
    bool keeps_modprobe;
    Exposure exposure;
    const char* because;
  } cases[] = {
      {"af_alg", true, Exposure::kExposed, "is loaded: modprobe -r af_alg"},
      {"af", true, Exposure::kClosed, "modprobe does not load it"},
      {"algif_hash", true, Exposure::kClosed, "modprobe does not load it"},
      {"algif_hash", false, Exposure::kExposed, "modprobe would load it"},
      {"with_settings", true, Exposure::kExposed, "built into the kernel"},
      {"built_in_one", true, Exposure::kExposed, "built into the kernel"},
  };
  for (const auto& [module, keeps_modprobe, exposure, because] : cases) {
    const ShieldState state = StateOfModule(module, keeps_modprobe, places);
    EXPECT_EQ(state.exposure, exposure) << module;
    EXPECT_THAT(state.because, HasSubstr(because)) << module;
  }
  std::ofstream(root / "proc/sys/kernel/modules_disabled") << "1\n";
  EXPECT_EQ(StateOfModule("algif_hash", false, places).exposure, Exposure::kClosed);
  fs::remove_all(root);
}

TEST(Shield, FaultsAreNamed) {
  const struct {
    const char* text;
    const char* fault;
  } cases[] = {
      {R"([])", "is an object"},
      {R"({"id": "../x", "reason": "r", "deny": {"families": ["AF_ALG"]}})", "the id"},
      {R"({"id": "x", "deny": {"families": ["AF_ALG"]}})", "no reason"},
      {R"({"id": "x", "reason": "r", "deny": {}})", "denies nothing"},
      {R"({"id": "x", "reason": "r"})", "denies nothing"},
      {R"({"id": "x", "reason": "r", "deny": {"family": ["AF_ALG"]}})",
       "it has families, syscalls"},
      {R"({"id": "x", "reason": "r", "deny": {"families": ["AF_ALGO"]}})", "AF_ALGO"},
      {R"({"id": "x", "reason": "r", "deny": {"syscalls": ["nothing"]}})", "nothing"},
      {R"({"id": "x", "reason": "r", "deny": {"syscalls": ["read"]}})", "no program runs"},
      {R"({"id": "x", "reason": "r", "deny": {"syscalls": "read"}})", "list of texts"},
      {R"({"id": "x", "reason": "r", "deny": {"syscalls": [5]}})", "list of texts, and of objects"},
      {R"({"id": "x", "reason": "r", "deny": {"syscalls": [{"name": "ioctl"}]}})", "\"args\""},
      {R"({"id": "x", "reason": "r", "deny": {"syscalls": [{"name": "ioctl", "args": []}]}})",
       "names no argument"},
      {R"({"id": "x", "reason": "r", "deny": {"syscalls": [{"name": "ioctl", "args": [
        {"index": 1, "value": 2, "op": "=="}]}]}})",
       "\"op\" is SCMP_CMP_EQ, SCMP_CMP_GE"},
      {R"({"id": "x", "reason": "r", "deny": {"syscalls": [{"name": "ioctl", "args": [
        {"index": 1, "op": "SCMP_CMP_EQ"}]}]}})",
       "\"value\" of args is not a number"},
      {R"({"id": "x", "reason": "r", "deny": {"syscalls": [{"name": "ioctl", "args": [
        {"index": 4294967297, "value": 2, "op": "SCMP_CMP_EQ"}]}]}})",
       "beyond 5"},
      {R"({"id": "x", "reason": "r", "deny": {"syscalls": [{"name": "ioctl", "args": [
        {"index": 1, "value": 2, "op": "SCMP_CMP_EQ", "mask": 3}]}]}})",
       "unknown member"},
      {R"({"id": "x", "reason": "r", "deny": {"syscalls": [{"name": "ioct", "args": [
        {"index": 1, "value": 2, "op": "SCMP_CMP_EQ"}]}]}})",
       "unknown system call"},
      {R"({"id": "x", "reason": "r", "deny": {"modules": ["../x"]}})", "kernel module"},
      {R"({"id": "x", "reason": "r", "deny": {"modules": ["a b"]}})", "kernel module"},
      {R"({"id": "x", "reason": "r", "deny": {"modules": [""]}})", "kernel module"},
      {R"({"id": "x", "reason": "r", "deny": {"devices": [5]}})", "list of paths, and of objects"},
      {R"({"id": "x", "reason": "r", "deny": {"devices": ["kvm"]}})", "list of paths"},
      {R"({"id": "x", "reason": "r", "deny": {"devices": [{"type": "d", "major": 10}]}})",
       "is c or b"},
      {R"({"id": "x", "reason": "r", "deny": {"devices": [{"type": "c"}]}})", "\"major\""},
      {R"({"id": "x", "reason": "r", "deny": {"devices": [
        {"type": "c", "major": 10, "minor": -1}]}})",
       "\"minor\""},
      {R"({"id": "x", "reason": "r", "deny": {"devices": [
        {"type": "c", "major": 1, "minor": 3}]}})",
       "every container has the device c 1:3"},
      {R"({"id": "x", "reason": "r", "until": "soon", "deny": {"syscalls": ["bpf"]}})", "soon"},
  };
  for (const auto& [text, fault] : cases) {
    const auto shield = ParseShield(text);
    ASSERT_FALSE(shield) << text;
    EXPECT_THAT(shield.error().message, HasSubstr(fault)) << text;
  }
}

}  // namespace
}  // namespace runclad::look
