#include "runclad/oci/update_resources.hpp"

#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/json/writer.hpp"
#include "runclad/oci/spec.hpp"

namespace runclad::oci::update_resources_test {
namespace {

using ::testing::HasSubstr;
using Strings = std::vector<std::string>;

CommandLine Line(Strings flags) {
  flags.insert(flags.begin(), "update");
  flags.emplace_back("c1");
  auto line = ParseCommandLine(flags);
  EXPECT_TRUE(line) << line.error().message;
  return *std::move(line);
}

std::string JsonOf(const Strings& flags) {
  const auto resources = ResourcesFromFlags(Line(flags));
  EXPECT_TRUE(resources) << resources.error().message;
  const auto spec = Spec::FromResources(*resources);
  EXPECT_TRUE(spec) << spec.error().message;
  return spec ? spec->WriteResources() : std::string();
}

TEST(UpdateFlags, BecomeTheSameResourcesAsInRunc) {
  EXPECT_EQ(JsonOf({}), "{}");
  EXPECT_EQ(JsonOf({"--pids-limit", "-1"}), R"({"pids":{"limit":-1}})");
  EXPECT_EQ(JsonOf({"--pids-limit=5", "--memory="}), R"({"pids":{"limit":5}})");
  EXPECT_EQ(JsonOf({"--cpu-period=1", "--cpu-quota=-1", "--cpu-share=3", "--cpu-burst=4",
                    "--cpu-rt-period=5", "--cpu-rt-runtime=6", "--cpuset-cpus=0-1",
                    "--cpuset-mems=0", "--cpu-idle=1", "--blkio-weight=10"}),
            R"({"blockIO":{"weight":10},"cpu":{"burst":4,"cpus":"0-1","idle":1,"mems":"0",)"
            R"("period":1,"quota":-1,"realtimePeriod":5,"realtimeRuntime":6,"shares":3}})");
  EXPECT_EQ(JsonOf({"--memory=1", "--memory-swap=-1", "--memory-reservation=2", "--kernel-memory=3",
                    "--kernel-memory-tcp=4"}),
            R"({"memory":{"kernel":3,"kernelTCP":4,"limit":1,"reservation":2,"swap":-1}})");
}

TEST(UpdateFlags, CountSizesInPowersOf1024) {
  const std::pair<const char*, const char*> cases[] = {
      {"0", "0"},
      {"64", "64"},
      {"64b", "64"},
      {"1k", "1024"},
      {"1K", "1024"},
      {"1kb", "1024"},
      {"1KiB", "1024"},
      {"64m", "67108864"},
      {"3G", "3221225472"},
      {"1t", "1099511627776"},
      {"1pib", "1125899906842624"},
  };
  for (const auto& [text, bytes] : cases) {
    EXPECT_EQ(JsonOf({"--memory", text}), R"({"memory":{"limit":)" + std::string(bytes) + "}}")
        << text;
  }
}

TEST(UpdateFlags, MustBeWholeNumbers) {
  for (const Strings& flags :
       {Strings{"--memory=1.5g"}, Strings{"--memory=-5"}, Strings{"--memory=x"},
        Strings{"--memory=1e"}, Strings{"--memory=1kk"}, Strings{"--memory=1 k"},
        Strings{"--memory=99999999999999999999"}, Strings{"--memory=9007199254740993k"},
        Strings{"--cpu-quota=1_000"}, Strings{"--cpu-quota=0x10"}, Strings{"--cpu-period=x"}}) {
    const auto resources = ResourcesFromFlags(Line(flags));
    ASSERT_FALSE(resources) << flags[0];
    EXPECT_THAT(resources.error().message, HasSubstr("must be a whole number")) << flags[0];
  }
  const auto negative = ResourcesFromFlags(Line({"--cpu-period=-1"}));
  ASSERT_TRUE(negative);
  EXPECT_FALSE(Spec::FromResources(*negative)) << "a period is unsigned";
}

TEST(UpdateFlags, AreRemovedAfterConversion) {
  CommandLine line = Line({"--memory=1", "--pids-limit=2", "--l3-cache-schema=x"});
  DropResourceFlags(line);
  EXPECT_THAT(line.Canonical(),
              ::testing::ElementsAre("update", "--l3-cache-schema=x", "--", "c1"));
}

TEST(UpdateFlags, AreKeptIfAnOlderRuntimeDoesNotKnowThem) {
  CommandLine line = Line({"--cpu-idle=1", "--cpu-burst=2", "--cpu-share=3"});
  EXPECT_EQ(ResourcesFromFlags(line)->Dump(), R"({"cpu":{"burst":2,"idle":1,"shares":3}})");
  DropResourceFlags(line);
  EXPECT_THAT(line.Canonical(),
              ::testing::ElementsAre("update", "--cpu-idle=1", "--cpu-burst=2", "--", "c1"));
}

TEST(UpdateFlags, OfCachesAreConvertedToSpecMembers) {
  const std::pair<Strings, const char*> cases[] = {
      {{"--l3-cache-schema=L3:0=f", "--mem-bw-schema=MB:0=20"},
       R"({"intelRdt":{"l3CacheSchema":"L3:0=f","memBwSchema":"MB:0=20"},"resources":{}})"},
      {{"--mem-bw-schema=MB:0=20"}, R"({"intelRdt":{"memBwSchema":"MB:0=20"},"resources":{}})"},
      {{"--l3-cache-schema="}, R"({"resources":{}})"},
      {{}, R"({"resources":{}})"},
  };
  for (const auto& [flags, expected] : cases) {
    auto spec = Spec::ParseResources("{}");
    ASSERT_TRUE(spec);
    AddCacheSchemas(Line(flags), *spec);
    EXPECT_EQ(json::Write(spec->document().at("linux")), expected);
    EXPECT_EQ(spec->WriteResources(), "{}") << "what --resources cannot say";
  }
}

TEST(Resources, AreParsedAsStrictlyAsASpec) {
  EXPECT_EQ(Spec::ParseResources(R"({"pids":{"limit":1},"later":2,"cpu":null})")->WriteResources(),
            R"({"later":2,"pids":{"limit":1}})");
  for (const char* text :
       {"", "null", "[]", "1", R"({"Pids":{"limit":1}})",
        R"({"pids":{"limit":1},"pids":{"limit":2}})",
        R"({"pids":{"limit":1}}{"pids":{"limit":-1}})", R"({"pids":{"limit":1}}},"process":{})",
        R"({"pids":{"limit":"1"}})", R"({"pids":{"Limit":1}})", R"({"pids":{"limit":1.5}})"}) {
    EXPECT_FALSE(Spec::ParseResources(text)) << text;
  }
}

}  // namespace
}  // namespace runclad::oci::update_resources_test
