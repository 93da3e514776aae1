#include "rule_test.hpp"

namespace runclad::rules::rlimits_test {
namespace {

policy::Parameters Maxima(std::int64_t core = 0) {
  policy::Parameters parameters;
  parameters.Set("core", core);
  parameters.Set("nice", std::int64_t{20});
  parameters.Set("nofile", std::int64_t{1024});
  parameters.Set("nproc", std::int64_t{500});
  parameters.Set("rtprio", std::int64_t{0});
  return parameters;
}

std::string Document(std::string_view limits) {
  return R"({"process":{"rlimits":)" + std::string(limits) + "}}";
}

struct Case {
  std::string_view name;
  std::string_view before;  // /process/rlimits
  std::string_view after;
};

constexpr Case kCases[] = {
    {"both numbers are lowered",
     R"([{"hard":0,"soft":0,"type":"RLIMIT_CORE"},{"hard":4096,"soft":2048,"type":"RLIMIT_NOFILE"}])",
     R"([{"hard":0,"soft":0,"type":"RLIMIT_CORE"},{"hard":1024,"soft":1024,"type":"RLIMIT_NOFILE"}])"},
    {"no limit at all is more than any",
     R"([{"hard":18446744073709551615,"soft":100,"type":"RLIMIT_NPROC"},)"
     R"({"hard":18446744073709551615,"soft":18446744073709551615,"type":"RLIMIT_CORE"}])",
     R"([{"hard":500,"soft":100,"type":"RLIMIT_NPROC"},{"hard":0,"soft":0,"type":"RLIMIT_CORE"}])"},
    {"what is lower stays, and core is added", R"([{"hard":20,"soft":10,"type":"RLIMIT_NOFILE"}])",
     R"([{"hard":20,"soft":10,"type":"RLIMIT_NOFILE"},{"hard":0,"soft":0,"type":"RLIMIT_CORE"}])"},
    {"precedence that a process could give itself",
     R"([{"hard":40,"soft":40,"type":"RLIMIT_NICE"},{"hard":99,"soft":1,"type":"RLIMIT_RTPRIO"},)"
     R"({"hard":0,"soft":0,"type":"RLIMIT_CORE"}])",
     R"([{"hard":20,"soft":20,"type":"RLIMIT_NICE"},{"hard":0,"soft":0,"type":"RLIMIT_RTPRIO"},)"
     R"({"hard":0,"soft":0,"type":"RLIMIT_CORE"}])"},
    {"one that is there twice is lowered twice: the runtime has to refuse it",
     R"([{"hard":9,"soft":9,"type":"RLIMIT_CORE"},{"hard":8,"soft":8,"type":"RLIMIT_CORE"}])",
     R"([{"hard":0,"soft":0,"type":"RLIMIT_CORE"},{"hard":0,"soft":0,"type":"RLIMIT_CORE"}])"},
    {"others are not judged, unknown members stay",
     R"([{"hard":0,"note":1,"soft":0,"type":"RLIMIT_CORE"},{"hard":9,"soft":9,"type":"RLIMIT_STACK"}])",
     R"([{"hard":0,"note":1,"soft":0,"type":"RLIMIT_CORE"},{"hard":9,"soft":9,"type":"RLIMIT_STACK"}])"},
};

TEST(Rlimits, AreLoweredToTheMaxima) {
  for (const Case& c : kCases) {
    const auto decision = DecideBy("rlimits", Document(c.before), Maxima());
    EXPECT_EQ(decision.spec.Write(), Document(c.after)) << c.name;
  }
}

TEST(Rlimits, DisableCoreFilesByDefault) {
  const auto decision = DecideBy("rlimits", R"({"process":{}})", Maxima());
  EXPECT_EQ(decision.spec.Write(), Document(R"([{"hard":0,"soft":0,"type":"RLIMIT_CORE"}])"));
  EXPECT_EQ(DecideBy("rlimits", "{}", Maxima()).spec.Write(), "{}");
}

TEST(Rlimits, RemedyNamesTheMaximum) {
  const std::string document =
      Document(R"([{"hard":18446744073709551615,"soft":4096,"type":"RLIMIT_NOFILE"}])");
  EXPECT_EQ(CodesAndRemedies(DecideBy("rlimits", document, Maxima())),
            (std::vector<std::string>{
                "above-maximum: ask: request a number (docker run --ulimit nofile=N)",
                "above-maximum: nofile = 4096", "core-missing"}));
  ExpectRemediesHelp("rlimits", SpecOf(document), Maxima());
}

// The engine's own limit may be lower than any number.
TEST(Rlimits, AddNothingForNone) {
  const auto decision = DecideBy("rlimits", R"({"process":{}})", Maxima(4096));
  EXPECT_EQ(decision.spec.Write(), R"({"process":{}})");
}

}  // namespace
}  // namespace runclad::rules::rlimits_test
