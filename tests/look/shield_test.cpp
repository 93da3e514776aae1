#include "runclad/look/shield.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/sys/process.hpp"

namespace runclad::look::shield_test {
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

class ShieldedModules : public ::testing::Test {
 protected:
  ShieldedModules() {
    utsname kernel{};
    EXPECT_EQ(::uname(&kernel), 0);
    list_ = root_ / "lib" / static_cast<const char*>(kernel.release) / "modules.builtin";
    Write("proc/sys/kernel/modules_disabled", "0\n");
    Write("proc/modules", "af_alg 32768 1 algif_hash, Live 0x0\nvsock 1 0 - Live 0x0\n");
    Write("sys/module/with_settings/uevent", "");
    Write(list_, "kernel/crypto/built-in-one.ko\n");
    Write(
        "etc/runclad-shield-x.conf",
        "# ours\ninstall af_alg /bin/false\ninstall af /bin/false\ninstall algif_hash /bin/false\n"
        "install with_settings /bin/false\ninstall built_in_one /bin/false\n");
    Write("usr/other.conf", "");
  }
  ~ShieldedModules() override { std::filesystem::remove_all(root_); }

  void Write(const std::filesystem::path& name, const std::string& text) const {
    std::filesystem::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << text;
  }
  [[nodiscard]] ShieldState State(const std::string& module) const {
    return StateOfModule(
        module, {root_ / "proc", root_ / "sys", root_ / "lib", {root_ / "etc", root_ / "usr"}});
  }

  const std::filesystem::path root_ =
      std::filesystem::path(::testing::TempDir()) / ("modules-" + std::to_string(::getpid()));
  std::filesystem::path list_;
};

TEST_F(ShieldedModules, AreTheHosts) {
  const struct {
    const char* module;
    Exposure exposure;
    const char* because;
  } cases[] = {
      {"af_alg", Exposure::kExposed, "is loaded: modprobe -r af_alg"},
      {"af", Exposure::kClosed, "modprobe does not load it"},
      {"algif_hash", Exposure::kClosed, "modprobe does not load it"},
      {"algif_skcipher", Exposure::kExposed, "modprobe would load it"},
      {"with_settings", Exposure::kExposed, "built into the kernel"},
      {"built_in_one", Exposure::kExposed, "built into the kernel"},
  };
  for (const auto& [module, exposure, because] : cases) {
    const ShieldState state = State(module);
    EXPECT_EQ(state.exposure, exposure) << module;
    EXPECT_THAT(state.because, HasSubstr(because)) << module;
  }
  Write("proc/sys/kernel/modules_disabled", "1\n");
  EXPECT_EQ(State("algif_skcipher").exposure, Exposure::kClosed);
}

TEST_F(ShieldedModules, AreUnknownWhereTheKernelDoesNotSayWhatIsBuiltIn) {
  std::filesystem::remove(list_);
  EXPECT_EQ(State("algif_hash").exposure, Exposure::kUnknown);
  EXPECT_THAT(State("algif_hash").because, HasSubstr("modules.builtin"));
  EXPECT_EQ(State("af_alg").exposure, Exposure::kExposed);
  EXPECT_EQ(State("with_settings").exposure, Exposure::kExposed);
  Write(list_, "\n");
  EXPECT_EQ(State("algif_hash").exposure, Exposure::kClosed);
  std::filesystem::remove(root_ / "proc/modules");
  EXPECT_EQ(State("algif_hash").exposure, Exposure::kUnknown);
}

TEST_F(ShieldedModules, AreWhatModprobeMakesOfAllItsFiles) {
  const struct {
    const char* file;
    const char* text;
    Exposure exposure;
  } cases[] = {
      {"etc/10-own.conf", "install algif-hash /sbin/modprobe --ignore-install algif_hash\n",
       Exposure::kExposed},
      {"usr/10-own.conf", "install algif_* /sbin/modprobe --ignore-install algif_hash\n",
       Exposure::kExposed},
      {"etc/10-own.conf", "  install \\\n algif_hash \\\n /bin/true\n", Exposure::kExposed},
      {"etc/10-own.conf", "install algif_hash /bin/false\n", Exposure::kClosed},
      {"etc/zz-own.conf", "install algif_hash /bin/true\n", Exposure::kClosed},
      {"etc/10-own.conf", "# install algif_hash /bin/true\n", Exposure::kClosed},
      {"etc/10-own.conf", "install algif /bin/true\noptions algif_hash x=1\n", Exposure::kClosed},
      {"etc/10-own.text", "install algif_hash /bin/true\n", Exposure::kClosed},
      {"usr/runclad-shield-x.conf", "install algif_hash /bin/true\n", Exposure::kClosed},
      {"usr/zz.conf", "alias algif_hash other\n", Exposure::kUnknown},
      {"usr/zz.conf", "alias net-pf-38 algif_hash\n", Exposure::kClosed},
  };
  for (const auto& [file, text, exposure] : cases) {
    Write(file, text);
    const ShieldState state = State("algif_hash");
    EXPECT_EQ(state.exposure, exposure) << file << ": " << text << state.because;
    std::filesystem::remove(root_ / file);
  }
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
}  // namespace runclad::look::shield_test
