#include "doctor/acknowledged.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/base/time.hpp"

namespace runclad::doctor::acknowledged_test {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const Check& CheckOf(std::string_view id) {
  for (const Check& check : Checks()) {
    if (check.id == id) return check;
  }
  throw std::logic_error("there is no such check");
}

std::vector<CheckResult> TwoHoles() {
  return {{&CheckOf("runtime/known-holes"),
           {{Level::kCritical, "/usr/sbin/runc", "has CVE-1", "upgrade"},
            {Level::kCritical, "/usr/bin/crun", "has CVE-2", "upgrade"}}}};
}

const std::vector<Acknowledgement> kRunc = {
    {"runtime/known-holes", "/usr/sbin/runc", "ticket 4711", "2027-01-31"}};

TEST(Acknowledge, WhatIsAcknowledgedIsReportedAndDoesNotCount) {
  auto results = TwoHoles();
  EXPECT_THAT(Acknowledge(kRunc, *ParseDay("2027-01-31"), true, results), IsEmpty());
  EXPECT_EQ(results[0].findings[0].acknowledged, "ticket 4711, until 2027-01-31");
  EXPECT_EQ(results[0].findings[1].acknowledged, "");
  EXPECT_EQ(results[0].level(), Level::kCritical);
  results[0].findings.pop_back();
  EXPECT_EQ(results[0].level(), Level::kFine);
}

TEST(Acknowledge, WithoutASubjectAppliesToAll) {
  auto results = TwoHoles();
  Acknowledge({{"runtime/known-holes", "", "ticket", "2027-01-31"}}, *ParseDay("2027-01-01"), true,
              results);
  EXPECT_EQ(results[0].level(), Level::kFine);
}

TEST(Acknowledge, AnExpiredOneHasNoEffectAndIsReported) {
  auto results = TwoHoles();
  EXPECT_THAT(Acknowledge(kRunc, *ParseDay("2027-02-01"), true, results),
              ElementsAre(Field(&AcknowledgementFault::sentence, HasSubstr("2027-01-31"))));
  EXPECT_EQ(results[0].findings[0].acknowledged, "");
}

TEST(Acknowledge, OneThatMatchesNothingIsReportedIfEveryCheckRan) {
  std::vector<CheckResult> results = {{&CheckOf("runtime/known-holes"), {}}};
  EXPECT_THAT(Acknowledge(kRunc, *ParseDay("2027-01-01"), true, results),
              ElementsAre(Field(&AcknowledgementFault::sentence, HasSubstr("nothing is left"))));
  EXPECT_THAT(Acknowledge(kRunc, *ParseDay("2027-01-01"), false, results), IsEmpty());
}

TEST(ParseAcknowledgements, ReadsComments) {
  const auto entries = ParseAcknowledgements(R"({"acknowledged": [
    // until the maintenance window
    {"check": "runtime/known-holes", "reason": "ticket 4711", "until": "2027-01-31"}]})");
  ASSERT_TRUE(entries) << entries.error().message;
  ASSERT_EQ(entries->size(), 1U);
  EXPECT_EQ(entries->front().subject, "");
}

TEST(ParseAcknowledgements, FaultsAreNamed) {
  const struct {
    const char* text;
    const char* fault;
  } cases[] = {
      {R"([])", "acknowledged"},
      {R"({"acknowledge": []})", "acknowledged"},
      {R"({"acknowledged": ["x"]})", "is an object"},
      {R"({"acknowledged": [{"check": "runtime/known-hole", "reason": "r", "until": "2027-01-31"}]})",
       "known-holes"},
      {R"({"acknowledged": [{"check": "runtime/known-holes", "until": "2027-01-31"}]})",
       "no reason"},
      {R"({"acknowledged": [{"check": "runtime/known-holes", "reason": "r"}]})", "no day"},
      {R"({"acknowledged": [{"check": "runtime/known-holes", "reason": "r", "until": "soon"}]})",
       "no day"},
      {R"({"acknowledged": [{"check": "runtime/known-holes", "reason": 1}]})", "not a text"},
      {R"({"acknowledged": [{"checks": "x"}]})", "unknown member"},
  };
  for (const auto& [text, fault] : cases) {
    const auto entries = ParseAcknowledgements(text);
    ASSERT_FALSE(entries) << text;
    EXPECT_THAT(entries.error().message, HasSubstr(fault)) << text;
  }
}

}  // namespace
}  // namespace runclad::doctor::acknowledged_test
