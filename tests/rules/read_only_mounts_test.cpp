#include <string>
#include <string_view>
#include <vector>

#include "rule_test.hpp"

namespace runclad::rules::read_only_mounts_test {
namespace {

constexpr std::string_view kId = "read-only-mounts";

Facts KnownSources(int major = 6) {
  Facts facts;
  facts.Get<KernelFacts>().major = major;
  const auto add = [&](const std::string& source, std::string resolved, std::string because,
                       bool has_submounts) {
    SourceFacts& entry = facts.Get<Sources>()[source];
    entry.access = SourceFacts::Access::kAllowed;
    entry.resolved = std::move(resolved);
    entry.read_only_because = std::move(because);
    entry.has_submounts = has_submounts;
  };
  add("/srv/free", "/srv/free", "", true);
  add("/srv/shared", "/srv/shared", "is /srv/shared", false);
  add("/srv/link", "/srv/shared/x", "is below /srv/shared", false);
  add("/srv", "/srv", "is an ancestor of /srv/shared", true);
  return facts;
}

struct Case {
  std::string type;
  std::string source;
  std::string options;   // as JSON
  std::string expected;  // likewise; empty: nothing to do
  std::string why;
};

TEST(ReadOnlyMounts, IncludeListedSourcesAndTheCgroupTree) {
  const Case cases[] = {
      {"bind", "/srv/free", R"(["rbind"])", "", ""},
      {"bind", "/srv/unknown", R"(["rbind"])", "", ""},
      {"tmpfs", "/srv/shared", R"([])", "", ""},
      {"bind", "/srv/shared", R"(["bind"])", R"(["bind","ro","private"])",
       "/srv/shared is /srv/shared"},
      {"bind", "/srv/shared", R"(["bind","ro","private"])", "", ""},
      {"bind", "/srv/shared", R"(["ro","bind","rw"])", R"(["ro","bind","private"])",
       "/srv/shared is /srv/shared"},
      {"bind", "/srv/shared", R"(["rbind","ro","rrw"])", R"(["rbind","ro","rro","rprivate"])",
       "/srv/shared is /srv/shared"},
      {"bind", "/srv/shared", R"(["bind","rprivate"])", R"(["bind","rprivate","ro","rro"])",
       "/srv/shared is /srv/shared"},
      {"bind", "/srv/link", R"(["rbind","rslave"])", R"(["rbind","ro","rro","rprivate"])",
       "/srv/link leads to /srv/shared/x, which is below /srv/shared"},
      {"bind", "/srv", R"(["rbind"])", R"(["rbind","ro","rro","rprivate"])",
       "/srv is an ancestor of /srv/shared"},
      {"cgroup", "cgroup", R"(["nosuid","rw"])", R"(["nosuid","ro"])",
       "is the cgroup tree, which the host owns"},
      {"cgroup2", "cgroup", R"(["ro"])", "", ""},
  };
  for (const Case& entry : cases) {
    const std::string document = R"({"mounts":[{"destination":"/x","type":")" + entry.type +
                                 R"(","source":")" + entry.source + R"(","options":)" +
                                 entry.options + "}]}";
    const auto first = DecideBy(kId, document, {}, KnownSources());
    const std::string what = entry.source + " " + entry.options;
    ASSERT_EQ(first.findings.size(), entry.expected.empty() ? 0U : 1U) << what;
    if (entry.expected.empty()) continue;
    EXPECT_EQ(first.findings[0].finding.path, "/mounts/0/options") << what;
    EXPECT_EQ(first.findings[0].finding.after.Dump(), entry.expected) << what;
    EXPECT_EQ(first.findings[0].finding.why, entry.why) << what;
    EXPECT_TRUE(DecideBy(kId, first.spec.Write(), {}, KnownSources()).findings.empty()) << what;
  }
}

TEST(ReadOnlyMounts, AWaiverRemovesTheCoveringEntry) {
  policy::Parameters parameters;
  parameters.Set("paths", std::vector<std::string>{"/srv/shared", "/opt"});
  const auto remedy = [&](const std::string& type, const std::string& source) {
    const auto decision = DecideBy(
        kId,
        R"({"mounts":[{"destination":"/x","type":")" + type + R"(","source":")" + source + "\"}]}",
        parameters, KnownSources());
    return decision.findings.size() == 1 ? decision.findings[0].finding.remedy : Remedy();
  };
  for (const char* source : {"/srv/shared", "/srv/link", "/srv"}) {
    const Remedy taken = remedy("bind", source);
    ASSERT_EQ(taken.kind, Remedy::Kind::kWaiver) << source;
    EXPECT_EQ(taken.settings.at(0).value,
              policy::Parameters::Value(std::vector<std::string>{"/srv/shared"}));
  }
  EXPECT_EQ(remedy("cgroup", "cgroup").kind, Remedy::Kind::kNone);
}

TEST(ReadOnlyMounts, OmitSubmountsThatAnOldKernelCannotMakeReadOnly) {
  const auto decision = [](const std::string& source) {
    return DecideBy(kId,
                    R"({"mounts":[{"destination":"/x","type":"bind","source":")" + source +
                        R"(","options":["rbind"]}]})",
                    {}, KnownSources(4))
        .spec.mounts()[0]
        .options;
  };
  for (const char* source : {"/srv", "/srv/shared"}) {
    EXPECT_EQ(decision(source), (std::vector<std::string>{"bind", "ro", "private"})) << source;
  }
}

}  // namespace
}  // namespace runclad::rules::read_only_mounts_test
