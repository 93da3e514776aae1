// What others did to a container on trial, by Docker's events.
#include "learn/disturbance.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace runclad::learn::disturbance_test {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr seconds kLimit(10);

Event At(std::int64_t second, const std::string& action, int signal = 0) {
  return {second * kSecond, action, signal};
}
Act Within(ActKind kind, std::int64_t begin, std::int64_t end) {
  return {kind, begin * kSecond, end * kSecond};
}

// A boot that nobody disturbs: what learn does, and what Docker reports.
const std::vector<Act> kActs = {Within(ActKind::kCopy, 7, 8), Within(ActKind::kStart, 10, 12),
                                Within(ActKind::kProbe, 13, 15), Within(ActKind::kProbe, 16, 18),
                                Within(ActKind::kTerm, 20, 21)};
const std::vector<Event> kEvents = {At(5, "create"),
                                    At(7, "extract-to-dir"),
                                    At(11, "start"),
                                    At(14, "exec_create: redis-cli ping"),
                                    At(14, "exec_start: redis-cli ping"),
                                    At(16, "exec_die"),
                                    At(17, "kill", 1),
                                    At(20, "kill", 15),
                                    At(22, "die")};

TEST(Disturbance, IsNotWhatTheLearnerDoes) {
  EXPECT_EQ(DisturbanceIn(kEvents, kActs, kLimit), "");
  EXPECT_FALSE(HasOutOfMemory(kEvents));
}

TEST(Disturbance, IsWhatOthersDo) {
  const struct {
    Event event;
    const char* says;
  } cases[] = {
      {At(9, "start"), "was started"},
      {At(19, "kill", 9), "was sent signal 9"},
      {At(14, "kill", 9), "was sent signal 9"},  // no probe does that
      {At(20, "kill", 9), "was sent signal 9"},
      {At(20, "kill", 15), "was sent signal 15"},  // a second one
      {At(19, "pause"), "was paused"},
      {At(14, "pause"), "was paused"},
      {At(19, "unpause"), "was continued after a pause"},
      {At(19, "restart"), "was restarted"},
      {At(19, "stop"), "was stopped"},
      {At(19, "exec_create: sh"), "was entered by docker exec"},
      {At(20, "exec_start: sh"), "was entered by docker exec"},
      {At(19, "update"), "was given other limits"},
      {At(19, "destroy"), "was removed"},
      {At(6, "extract-to-dir"), "had files copied into it"},
  };
  for (const auto& one : cases) {
    std::vector<Event> events = kEvents;
    events.push_back(one.event);
    EXPECT_EQ(DisturbanceIn(events, kActs, kLimit), one.says) << one.event.action;
  }
  for (const char* action : {"top", "rename", "archive-path", "export", "attach", "oom"}) {
    EXPECT_EQ(DisturbanceIn({At(19, action)}, kActs, kLimit), "") << action;
  }
  EXPECT_TRUE(HasOutOfMemory({At(19, "oom")}));
}

TEST(Disturbance, IsNotWhatDockerStopSends) {
  const std::vector<Act> stop = {Within(ActKind::kStop, 20, 31)};
  EXPECT_EQ(DisturbanceIn({At(20, "kill", 3), At(30, "kill", 9), At(31, "stop")}, stop, kLimit),
            "");
  EXPECT_EQ(DisturbanceIn({At(20, "kill", 3), At(25, "kill", 9)}, stop, kLimit),
            "was sent signal 9");
  EXPECT_EQ(DisturbanceIn({At(20, "kill", 3), At(25, "kill", 3)}, stop, kLimit),
            "was sent signal 3");
  const std::vector<Act> kill = {Within(ActKind::kKill, 20, 21)};
  EXPECT_EQ(DisturbanceIn({At(20, "kill", 9)}, kill, kLimit), "");
  EXPECT_EQ(DisturbanceIn({At(20, "kill", 15)}, kill, kLimit), "was sent signal 15");
}

// A user's probe may be a script that enters the container; the image's HEALTHCHECK is one command.
TEST(Disturbance, IncludesWhatOthersDoDuringAHealthcheck) {
  Act health = Within(ActKind::kHealth, 13, 15);
  health.command = CommandOf({"/bin/sh", "-c", "redis-cli ping"});
  const std::vector<Event> own = {At(13, "exec_create: /bin/sh -c redis-cli ping"),
                                  At(14, "exec_start: /bin/sh -c redis-cli ping")};
  EXPECT_EQ(DisturbanceIn(own, {health}, kLimit), "");
  EXPECT_EQ(CommandOf({"/healthy"}), "/healthy ");  // as dockerd joins them
  for (const Event& event :
       {own[0], own[1], At(14, "exec_create: kill -STOP 1"), At(14, "exec_start: kill -STOP 1")}) {
    std::vector<Event> events = own;
    events.push_back(event);
    EXPECT_EQ(DisturbanceIn(events, {health}, kLimit), "was entered by docker exec");
    EXPECT_EQ(DisturbanceIn({event}, {Within(ActKind::kProbe, 13, 15)}, kLimit), "");
  }
  EXPECT_EQ(DisturbanceIn({At(14, "kill", 1)}, {health}, kLimit), "was sent signal 1");
  EXPECT_EQ(DisturbanceIn({At(14, "extract-to-dir")}, {health}, kLimit),
            "had files copied into it");
  // After a client that was killed: the next one may begin before dockerd has started the first.
  EXPECT_EQ(DisturbanceIn({own[0], own[0], own[1], own[1]}, {health, health}, kLimit), "");
}

const std::string kOurs = "c1";

Event Of(const std::string& container, std::int64_t second, const std::string& action) {
  Event event = At(second, action);
  event.container = container;
  return event;
}

TEST(History, IsCompleteWhileTheNewestEventIsStillThere) {
  History history(5 * kSecond);
  EXPECT_EQ(history.since(), 5 * kSecond);
  history.Add({Of(kOurs, 6, "create"), Of(kOurs, 7, "start"), Of("", 8, "tag")}, kOurs);
  EXPECT_TRUE(history.is_complete());
  EXPECT_LT(history.since(), 8 * kSecond);
  EXPECT_GT(history.since(), 7 * kSecond);
  history.Add({Of("", 8, "tag"), Of(kOurs, 9, "pause")}, kOurs);
  history.Add({Of(kOurs, 9, "pause"), Of("c2", 10, "start")}, kOurs);
  EXPECT_TRUE(history.is_complete());
  EXPECT_EQ(history.events().size(), 3U);  // each once, and only its own
  history.Add({Of("", 11, "tag")}, kOurs);
  EXPECT_FALSE(history.is_complete());
  history.Add({Of("", 11, "tag")}, kOurs);
  EXPECT_FALSE(history.is_complete());  // for good
}

TEST(History, IsNotCompleteWithoutTheBeginning) {
  for (const std::vector<Event>& read : {std::vector<Event>{},
                                         {Of(kOurs, 7, "start")},
                                         {Of("c2", 7, "create")},
                                         {Of(kOurs, 7, "create"), Of("", 0, "")}}) {
    History history(5 * kSecond);
    history.Add(read, kOurs);
    EXPECT_FALSE(history.is_complete());
  }
}

TEST(Events, AreReadAsDockerPrintsThem) {
  const auto events = ReadEvents(
      R"({"Type":"container","Action":"create","Actor":{"ID":"c1","Attributes":{"image":"i"}},)"
      R"("scope":"local","time":1732000000,"timeNano":1732000000123456789})"
      "\n"
      R"({"Type":"container","Action":"kill","Actor":{"ID":"c1","Attributes":{"signal":"15"}},)"
      R"("timeNano":1732000001000000000})"
      "\nodd\n"
      R"({"Type":"container","Action":"exec_create: sh -c \"a \u003e b\"","Actor":{"ID":"c1"},)"
      R"("timeNano":1732000002000000000})"
      "\n"
      R"({"Type":"image","Action":"tag","Actor":{"ID":"c1"},"timeNano":1732000003000000000})"
      "\n");
  ASSERT_EQ(events.size(), 5U);
  EXPECT_EQ(events[0].time, 1732000000123456789);
  EXPECT_EQ(events[0].action, "create");
  EXPECT_EQ(events[0].container, "c1");
  EXPECT_EQ(events[1].signal, 15);
  EXPECT_EQ(events[2].action, "");
  EXPECT_EQ(events[3].action, "exec_create: sh -c \"a > b\"");
  EXPECT_EQ(events[4].container, "");
  EXPECT_TRUE(ReadEvents("").empty());
}

}  // namespace
}  // namespace runclad::learn::disturbance_test
