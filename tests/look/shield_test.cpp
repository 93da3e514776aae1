#include "runclad/look/shield.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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
       "it has families or syscalls"},
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
