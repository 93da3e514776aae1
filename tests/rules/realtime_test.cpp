#include "rule_test.hpp"

namespace runclad::rules::realtime_test {
namespace {

policy::Parameters Minimum(std::int64_t minimum = 0) {
  policy::Parameters parameters;
  parameters.Set("oom-minimum", minimum);
  return parameters;
}

struct Case {
  std::string_view before;  // /process
  std::string_view after;
};

constexpr Case kCases[] = {
    {R"({"scheduler":{"policy":"SCHED_FIFO","priority":50}})", "{}"},
    {R"({"scheduler":{"policy":"SCHED_RR","priority":1}})", "{}"},
    {R"({"scheduler":{"deadline":9,"policy":"SCHED_DEADLINE","runtime":8}})", "{}"},
    {R"({"scheduler":{"nice":-20,"policy":"SCHED_OTHER"}})",
     R"({"scheduler":{"nice":0,"policy":"SCHED_OTHER"}})"},
    {R"({"scheduler":{"nice":10,"policy":"SCHED_BATCH"}})",
     R"({"scheduler":{"nice":10,"policy":"SCHED_BATCH"}})"},
    {R"({"ioPriority":{"class":"IOPRIO_CLASS_RT","priority":7}})", "{}"},
    {R"({"ioPriority":{"class":"IOPRIO_CLASS_BE","priority":0}})",
     R"({"ioPriority":{"class":"IOPRIO_CLASS_BE","priority":0}})"},
    {R"({"oomScoreAdj":-1000})", R"({"oomScoreAdj":0})"},
    {R"({"oomScoreAdj":0})", R"({"oomScoreAdj":0})"},
    {R"({"oomScoreAdj":500})", R"({"oomScoreAdj":500})"},
    {"{}", "{}"},
};

std::string Document(std::string_view process) {
  return R"({"process":)" + std::string(process) + "}";
}

TEST(Realtime, IsRemoved) {
  for (const Case& c : kCases) {
    const auto decision = DecideBy("realtime", Document(c.before), Minimum());
    EXPECT_EQ(decision.spec.Write(), Document(c.after)) << c.before;
  }
}

TEST(Realtime, RaisesTheNiceValueToThePolicysMinimum) {
  const std::string document = Document(R"({"oomScoreAdj":-500})");
  EXPECT_EQ(DecideBy("realtime", document, Minimum(-500)).spec.Write(), document);
  EXPECT_EQ(DecideBy("realtime", document, Minimum(-100)).spec.Write(),
            Document(R"({"oomScoreAdj":-100})"));
}

TEST(Realtime, NamesTheAlternative) {
  const std::string document =
      Document(R"({"ioPriority":{"class":"IOPRIO_CLASS_RT"},"oomScoreAdj":-5,)"
               R"("scheduler":{"nice":-1,"policy":"SCHED_OTHER"}})");
  EXPECT_EQ(CodesAndRemedies(DecideBy("realtime", document, Minimum())),
            (std::vector<std::string>{"nice: ask: request a nice value of 0 or more",
                                      "io-class: ask: request another I/O class",
                                      "oom-score: oom-minimum = -5"}));
  ExpectRemediesHelp("realtime", SpecOf(document), Minimum());
}

TEST(Realtime, AllowsTheScoresOfAKubelet) {
  Facts pod;
  pod.Get<engine::Identity>().engine = engine::Engine::kContainerd;
  pod.Get<engine::Identity>().pod_namespace = "kube-system";
  Facts crio;
  crio.Get<engine::Identity>().engine = engine::Engine::kCrio;
  Facts sandbox;
  sandbox.Get<engine::Identity>().is_sandbox = true;
  for (const Facts& facts : {pod, crio, sandbox}) {
    const std::string document = Document(R"({"oomScoreAdj":-998})");
    EXPECT_EQ(DecideBy("realtime", document, Minimum(), facts).spec.Write(), document);
    EXPECT_EQ(
        DecideBy("realtime", Document(R"({"oomScoreAdj":-1000})"), Minimum(), facts).spec.Write(),
        document);
  }
}

}  // namespace
}  // namespace runclad::rules::realtime_test
