// pids-limit, memory-limit and cpu-limit, on create and on update.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/json/pointer.hpp"

#include "rule_test.hpp"

namespace runclad::rules::limits_test {
namespace {

using enforce::Disposition;
using ::testing::HasSubstr;

constexpr std::int64_t kGigabyte = std::int64_t{1} << 30;
constexpr std::int64_t kAnyMemory = std::int64_t{1} << 50;
constexpr std::int64_t kAnyCpu = 100'000'000;

std::string Of(const std::string& resources) {
  return R"({"linux":{"resources":)" + resources + "}}";
}

policy::Parameters Numbers(std::int64_t otherwise, std::int64_t maximum,
                           std::int64_t shares = 262144) {
  policy::Parameters parameters;
  parameters.Set("default", otherwise);
  parameters.Set("maximum", maximum);
  parameters.Set("shares", shares);
  return parameters;
}

enforce::Decision Judge(const char* rule, const std::string& resources,
                        const policy::Parameters& parameters, Scope scope = Scope::kContainer) {
  return enforce::Decide(SpecOf(Of(resources)), PolicyWith(rule, parameters), {}, scope);
}

// The resources that come out, and that a second time changes nothing; "refused" when refused.
std::string After(const char* rule, const std::string& resources,
                  const policy::Parameters& parameters, Scope scope = Scope::kContainer) {
  const auto decision = Judge(rule, resources, parameters, scope);
  if (decision.outcome == enforce::Outcome::kRefused) return "refused";
  const std::string written = decision.spec.Write();
  const auto again = enforce::Decide(SpecOf(written), PolicyWith(rule, parameters), {}, scope);
  EXPECT_EQ(again.outcome, enforce::Outcome::kUnchanged) << rule << " twice: " << written;
  const auto value = json::Get(decision.spec.document(), "/linux/resources");
  return value.Dump();
}

struct Case {
  const char* name;
  const char* before;
  const char* after;
};

TEST(PidsLimit, IsSetIfAbsentAndNeverRaised) {
  const Case cases[] = {
      {"absent", "{}", R"({"pids":{"limit":100}})"},
      {"no number", R"({"pids":{}})", R"({"pids":{"limit":100}})"},
      {"0", R"({"pids":{"limit":0}})", R"({"pids":{"limit":100}})"},
      {"-1", R"({"pids":{"limit":-1}})", R"({"pids":{"limit":100}})"},
      {"the least", R"({"pids":{"limit":-9223372036854775808}})", R"({"pids":{"limit":100}})"},
      {"small", R"({"pids":{"limit":1}})", R"({"pids":{"limit":1}})"},
      {"between", R"({"pids":{"limit":150}})", R"({"pids":{"limit":150}})"},
      {"the maximum", R"({"pids":{"limit":200}})", R"({"pids":{"limit":200}})"},
      {"more", R"({"pids":{"limit":201}})", R"({"pids":{"limit":200}})"},
      {"far more", R"({"pids":{"limit":9223372036854775807}})", R"({"pids":{"limit":200}})"},
  };
  for (const auto& [name, before, after] : cases) {
    EXPECT_EQ(After("pids-limit", before, Numbers(100, 200)), after) << name;
  }
}

TEST(PidsLimit, CountsTheUnifiedValue) {
  const auto unified = [](const std::string& text) {
    return R"({"pids":{"limit":50},"unified":{"pids.max":")" + text + "\"}}";
  };
  for (const char* text :
       {"max", "201", "0x10", "010", "4k", "", " 5", "-1", "99999999999999999999"}) {
    EXPECT_EQ(After("pids-limit", unified(text), Numbers(100, 200)), unified("200")) << text;
  }
  for (const char* text : {"0", "1", "200"}) {
    EXPECT_EQ(After("pids-limit", unified(text), Numbers(100, 200)), unified(text)) << text;
  }
}

TEST(PidsLimit, OfAnUpdateStaysBelowTheMaximum) {
  const Case cases[] = {
      {"not mentioned", R"({"cpu":{"shares":2}})", R"({"cpu":{"shares":2}})"},
      {"0 is not mentioned", R"({"pids":{"limit":0}})", R"({"pids":{"limit":0}})"},
      {"lifted", R"({"pids":{"limit":-1}})", R"({"pids":{"limit":200}})"},
      {"within", R"({"pids":{"limit":150}})", R"({"pids":{"limit":150}})"},
      {"above", R"({"pids":{"limit":1000}})", R"({"pids":{"limit":200}})"},
      {"lifted in cgroup v2", R"({"unified":{"pids.max":"max"}})",
       R"({"unified":{"pids.max":"200"}})"},
  };
  for (const auto& [name, before, after] : cases) {
    EXPECT_EQ(After("pids-limit", before, Numbers(100, 200), Scope::kUpdate), after) << name;
  }
}

TEST(MemoryLimit, IsReportedIfThePolicyHasNone) {
  const auto policy =
      PolicyWith("memory-limit", Numbers(kAnyMemory, kAnyMemory), policy::Action::kWarn);
  const auto decision = enforce::Decide(SpecOf(Of("{}")), policy, {}, Scope::kContainer);
  ASSERT_EQ(decision.findings.size(), 1U);
  EXPECT_EQ(decision.outcome, enforce::Outcome::kUnchanged);
  EXPECT_EQ(decision.findings[0].finding.path, "/linux/resources/memory/limit");
  EXPECT_EQ(decision.findings[0].disposition, Disposition::kWarned);
  for (const char* limit : {"1", "1073741824", "9223372036854775807"}) {
    const std::string with_limit = R"({"memory":{"limit":)" + std::string(limit) + "}}";
    EXPECT_TRUE(
        enforce::Decide(SpecOf(Of(with_limit)), policy, {}, Scope::kContainer).findings.empty())
        << limit;
  }
}

TEST(MemoryLimit, IsSetIfThePolicyHasOne) {
  const Case cases[] = {
      {"absent", "{}", R"({"memory":{"limit":1000}})"},
      {"0", R"({"memory":{"limit":0}})", R"({"memory":{"limit":1000}})"},
      {"-1", R"({"memory":{"limit":-1}})", R"({"memory":{"limit":1000}})"},
      {"within", R"({"memory":{"limit":1500}})", R"({"memory":{"limit":1500}})"},
      {"above", R"({"memory":{"limit":2001,"swap":4000}})",
       R"({"memory":{"limit":2000,"swap":4000}})"},
      {"unlimited swap", R"({"memory":{"limit":1500,"swap":-1}})",
       R"({"memory":{"limit":1500,"swap":4000}})"},
      {"much swap", R"({"memory":{"limit":1500,"swap":4001}})",
       R"({"memory":{"limit":1500,"swap":4000}})"},
      {"less with swap than the default", R"({"memory":{"swap":300}})",
       R"({"memory":{"limit":300,"swap":300}})"},
      {"no killer", R"({"memory":{"disableOOMKiller":true,"limit":5}})",
       R"({"memory":{"disableOOMKiller":false,"limit":5}})"},
      {"Docker's", R"({"memory":{"disableOOMKiller":false,"limit":5}})",
       R"({"memory":{"disableOOMKiller":false,"limit":5}})"},
      {"cgroup v2",
       R"({"memory":{"limit":5},"unified":{"memory.high":"max","memory.low":"3000","memory.max":"max","memory.min":"9","memory.swap.max":"4G"}})",
       R"({"memory":{"limit":5},"unified":{"memory.high":"max","memory.low":"2000","memory.max":"2000","memory.min":"9","memory.swap.max":"2000"}})"},
  };
  for (const auto& [name, before, after] : cases) {
    EXPECT_EQ(After("memory-limit", before, Numbers(1000, 2000)), after) << name;
  }
  EXPECT_EQ(After("memory-limit", "{}", Numbers(kAnyMemory, 2000)), R"({"memory":{"limit":2000}})");
  EXPECT_EQ(After("memory-limit", "{}", Numbers(1000, kAnyMemory)), R"({"memory":{"limit":1000}})");
}

TEST(MemoryLimit, IsRequiredIfTheActionIsRefuse) {
  EXPECT_EQ(After("memory-limit", "{}", Numbers(kAnyMemory, kAnyMemory)), "refused")
      << "fix without anything to fix it by";
  const auto decision = enforce::Decide(
      SpecOf(Of(R"({"memory":{"limit":-1}})")),
      PolicyWith("memory-limit", Numbers(kAnyMemory, kAnyMemory), policy::Action::kRefuse), {},
      Scope::kContainer);
  EXPECT_THAT(enforce::RefusalSentence(decision),
              HasSubstr("/linux/resources/memory/limit -1 lets it take all of the host's memory "
                        "(CIS 5.11); give it a limit"));
}

TEST(MemoryLimit, OfAnUpdateStaysBelowTheMaximum) {
  const Case cases[] = {
      {"not mentioned", R"({"pids":{"limit":2}})", R"({"pids":{"limit":2}})"},
      {"as Docker leaves it out", R"({"memory":{"limit":0,"swap":0}})",
       R"({"memory":{"limit":0,"swap":0}})"},
      {"lifted", R"({"memory":{"limit":-1,"swap":-1}})",
       R"({"memory":{"limit":2000,"swap":4000}})"},
      {"within", R"({"memory":{"limit":1500}})", R"({"memory":{"limit":1500}})"},
      {"above", R"({"memory":{"limit":5000}})", R"({"memory":{"limit":2000}})"},
      {"swap alone", R"({"memory":{"swap":-1}})", R"({"memory":{"swap":4000}})"},
  };
  for (const auto& [name, before, after] : cases) {
    EXPECT_EQ(After("memory-limit", before, Numbers(1000, 2000), Scope::kUpdate), after) << name;
  }
  EXPECT_EQ(After("memory-limit", R"({"memory":{"limit":8589934592}})",
                  Numbers(kGigabyte, kAnyMemory), Scope::kUpdate),
            R"({"memory":{"limit":8589934592}})");
}

TEST(Limits, RemedyIsTheRequestedNumber) {
  const auto said = [](const char* rule, const std::string& resources) {
    const policy::Parameters parameters = Numbers(100, 200);
    ExpectRemediesHelp(rule, SpecOf(Of(resources)), parameters);
    return CodesAndRemedies(Judge(rule, resources, parameters));
  };
  using Strings = std::vector<std::string>;
  EXPECT_EQ(said("pids-limit", R"({"pids":{"limit":300}})"),
            Strings{"above-maximum: maximum = 300"});
  EXPECT_EQ(said("pids-limit", "{}"), Strings{"unlimited"});
  EXPECT_EQ(said("pids-limit", R"({"pids":{"limit":5},"unified":{"pids.max":"500"}})"),
            Strings{"unified-above-maximum: maximum = 500"});
  EXPECT_EQ(said("pids-limit", R"({"pids":{"limit":5},"unified":{"pids.max":"max"}})"),
            Strings{"unified-above-maximum: ask: request a plain decimal number"});
  EXPECT_EQ(said("memory-limit", R"({"memory":{"limit":300,"swap":901}})"),
            (Strings{"above-maximum: maximum = 300", "swap-above-maximum: maximum = 451"}));
  EXPECT_EQ(said("memory-limit", R"({"memory":{"disableOOMKiller":true,"limit":3,"swap":-1}})"),
            (Strings{"swap-above-maximum: ask: request a number (docker run --memory-swap)",
                     "oom-killer: ask: run it without --oom-kill-disable"}));
  EXPECT_EQ(said("memory-limit", R"({"memory":{"limit":9223372036854775807}})"),
            Strings{"above-maximum: maximum = 1125899906842624"})
      << "no policy can say more";
}

TEST(CpuLimit, IsReportedIfThePolicyHasNone) {
  const auto policy = PolicyWith("cpu-limit", Numbers(kAnyCpu, kAnyCpu), policy::Action::kWarn);
  const auto decision =
      enforce::Decide(SpecOf(Of(R"({"cpu":{"shares":1024}})")), policy, {}, Scope::kContainer);
  ASSERT_EQ(decision.findings.size(), 1U);
  EXPECT_EQ(decision.findings[0].finding.path, "/linux/resources/cpu/quota");
  EXPECT_EQ(decision.findings[0].disposition, Disposition::kWarned);
  EXPECT_TRUE(enforce::Decide(SpecOf(Of(R"({"cpu":{"quota":9223372036854775807}})")), policy, {},
                              Scope::kContainer)
                  .findings.empty());
}

TEST(CpuLimit, IsSetIfThePolicyHasOne) {
  const Case cases[] = {
      {"absent", "{}", R"({"cpu":{"quota":50000}})"},
      {"unlimited", R"({"cpu":{"quota":-1}})", R"({"cpu":{"quota":50000}})"},
      {"of the period that is there", R"({"cpu":{"period":20000}})",
       R"({"cpu":{"period":20000,"quota":10000}})"},
      {"within", R"({"cpu":{"period":100000,"quota":150000}})",
       R"({"cpu":{"period":100000,"quota":150000}})"},
      {"above", R"({"cpu":{"period":100000,"quota":150001}})",
       R"({"cpu":{"period":100000,"quota":150000}})"},
      {"above in a short period", R"({"cpu":{"period":1000,"quota":100000}})",
       R"({"cpu":{"period":1000,"quota":1500}})"},
      {"a period that no kernel takes",
       R"({"cpu":{"period":18446744073709551615,"quota":9223372036854775807}})",
       R"({"cpu":{"period":18446744073709551615,"quota":1500000}})"},
      {"burst of a larger quota", R"({"cpu":{"burst":90000,"quota":200000}})",
       R"({"cpu":{"burst":0,"quota":150000}})"},
      {"shares", R"({"cpu":{"quota":1000,"shares":262144}})",
       R"({"cpu":{"quota":1000,"shares":2048}})"},
      {"no shares", R"({"cpu":{"quota":1000,"shares":0}})", R"({"cpu":{"quota":1000,"shares":0}})"},
      {"realtime", R"({"cpu":{"quota":1000,"realtimePeriod":9,"realtimeRuntime":950000}})",
       R"({"cpu":{"quota":1000,"realtimePeriod":9}})"},
      {"cgroup v2, unlimited", R"({"cpu":{"quota":1},"unified":{"cpu.max":"max 100000"}})",
       R"({"cpu":{"quota":1},"unified":{"cpu.max":"150000 100000"}})"},
      {"cgroup v2, above", R"({"cpu":{"quota":1},"unified":{"cpu.max":"1501 1000"}})",
       R"({"cpu":{"quota":1},"unified":{"cpu.max":"150000 100000"}})"},
      {"cgroup v2, without period", R"({"cpu":{"quota":1},"unified":{"cpu.max":"150001"}})",
       R"({"cpu":{"quota":1},"unified":{"cpu.max":"150000 100000"}})"},
      {"cgroup v2, overflow",
       R"({"cpu":{"quota":1},"unified":{"cpu.max":"9223372036854775807 1"}})",
       R"({"cpu":{"quota":1},"unified":{"cpu.max":"150000 100000"}})"},
      {"cgroup v2, within", R"({"cpu":{"quota":1},"unified":{"cpu.max":"1500 1000"}})",
       R"({"cpu":{"quota":1},"unified":{"cpu.max":"1500 1000"}})"},
      {"cgroup v2, weight",
       R"({"cpu":{"quota":1},"unified":{"cpu.weight":"10000","cpu.weight.nice":"-20"}})",
       R"({"cpu":{"quota":1},"unified":{"cpu.weight":"79"}})"},
      {"cgroup v2, small weight", R"({"cpu":{"quota":1},"unified":{"cpu.weight":"79"}})",
       R"({"cpu":{"quota":1},"unified":{"cpu.weight":"79"}})"},
  };
  for (const auto& [name, before, after] : cases) {
    EXPECT_EQ(After("cpu-limit", before, Numbers(500, 1500, 2048)), after) << name;
    ExpectRemediesHelp("cpu-limit", SpecOf(Of(before)), Numbers(500, 1500, 2048));
  }
}

TEST(CpuLimit, OfAnUpdateStaysBelowTheMaximum) {
  const Case cases[] = {
      {"not mentioned", R"({"memory":{"limit":2}})", R"({"memory":{"limit":2}})"},
      {"as Docker leaves it out", R"({"cpu":{"shares":0}})", R"({"cpu":{"shares":0}})"},
      {"lifted", R"({"cpu":{"period":100000,"quota":-1}})",
       R"({"cpu":{"period":100000,"quota":150000}})"},
      {"above", R"({"cpu":{"period":50000,"quota":100000}})",
       R"({"cpu":{"period":50000,"quota":75000}})"},
      {"within", R"({"cpu":{"period":50000,"quota":50000}})",
       R"({"cpu":{"period":50000,"quota":50000}})"},
      {"a period alone multiplies", R"({"cpu":{"period":1000}})", "refused"},
      {"a quota alone may be a multiple", R"({"cpu":{"quota":100000}})", "refused"},
  };
  for (const auto& [name, before, after] : cases) {
    EXPECT_EQ(After("cpu-limit", before, Numbers(500, 1500), Scope::kUpdate), after) << name;
    ExpectRemediesHelp("cpu-limit", SpecOf(Of(before)), Numbers(500, 1500), {}, true);
  }
  EXPECT_EQ(
      After("cpu-limit", R"({"cpu":{"quota":100000}})", Numbers(500, kAnyCpu), Scope::kUpdate),
      R"({"cpu":{"quota":100000}})");
}

TEST(CpuLimit, RemedyIsTheRequestedNumber) {
  const auto said = [](const std::string& resources, Scope scope = Scope::kContainer) {
    return CodesAndRemedies(Judge("cpu-limit", resources, Numbers(500, 1500, 2048), scope));
  };
  using Strings = std::vector<std::string>;
  const std::string name_it =
      ": ask: request what it needs with --cpus (a pod: resources.limits.cpu)";
  EXPECT_EQ(said("{}"), Strings{"unlimited" + name_it});
  EXPECT_EQ(said(R"({"cpu":{"burst":7,"quota":-1}})"),
            (Strings{"unlimited" + name_it, "burst" + name_it}));
  EXPECT_EQ(said(R"({"cpu":{"quota":200000}})"), Strings{"above-maximum: maximum = 2000"});
  EXPECT_EQ(said(R"({"cpu":{"burst":7,"period":30000,"quota":100000}})"),
            (Strings{"above-maximum: maximum = 3334", "burst: maximum = 3334"}))
      << "rounded up";
  EXPECT_EQ(
      said(R"({"cpu":{"quota":1,"realtimeRuntime":1,"shares":4096}})"),
      (Strings{"above-shares: shares = 4096",
               "realtime: none: a realtime budget makes even the kernel's own threads wait"}));
  const auto unified = [&](const std::string& name, const std::string& text) {
    return said(R"({"cpu":{"quota":1},"unified":{")" + name + R"(":")" + text + "\"}}").at(0);
  };
  EXPECT_EQ(unified("cpu.max", "200000 100000"), "above-maximum: maximum = 2000");
  EXPECT_EQ(unified("cpu.max", "max"), "above-maximum: maximum = 100000000");
  EXPECT_EQ(unified("cpu.max", "0x10"), "not-plain: ask: write it in plain decimal numbers");
  EXPECT_EQ(unified("cpu.weight", "80"), "above-shares: shares = 2074");
  EXPECT_EQ(unified("cpu.weight", "10000"), "above-shares: shares = 262144");
  EXPECT_EQ(unified("cpu.weight", "1k"), "not-plain: ask: write it in plain decimal numbers");
  EXPECT_EQ(unified("cpu.weight.nice", "-20"),
            "nice: ask: request the weight as cpu.weight or --cpu-shares");
  EXPECT_EQ(said(R"({"cpu":{"quota":100000}})", Scope::kUpdate),
            Strings{"incomplete: ask: change both at once, --cpu-quota and --cpu-period"});
}

TEST(Updates, AreJudgedByResourceRulesOnly) {
  std::vector<std::string> judging;
  for (const Rule* rule : Catalog()) {
    if (rule->judges_updates) judging.emplace_back(rule->id());
  }
  EXPECT_THAT(judging, ::testing::UnorderedElementsAre("pids-limit", "memory-limit", "cpu-limit",
                                                       "device-cgroup", "unknown-fields"));
  policy::Parameters none;
  EXPECT_EQ(After("device-cgroup", R"({"pids":{"limit":1}})", none, Scope::kUpdate),
            R"({"pids":{"limit":1}})");
  for (const char* lines : {R"({"access":"rwm","allow":true})", R"({"access":"rwm","allow":false})",
                            R"({"access":"rwm","allow":true,"type":"c","major":1,"minor":3})"}) {
    EXPECT_EQ(
        After("device-cgroup", R"({"devices":[)" + std::string(lines) + R"(],"pids":{"limit":1}})",
              none, Scope::kUpdate),
        R"({"pids":{"limit":1}})")
        << "what the container may open was decided when it was created";
  }
}

}  // namespace
}  // namespace runclad::rules::limits_test
