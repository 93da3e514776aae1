#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "runclad/enforce/log.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/rules/catalog.hpp"

namespace runclad::enforce::log_line_test {
namespace {

// What JSON makes of a text: a control character is written in six bytes.
constexpr std::size_t kMostWritten = 6 * kMaxTextBytes + 100;

const std::string kLong(100'000, '\x01');

void ForEachText(const json::Document& value, const std::function<void(const std::string&)>& see) {
  if (value.is_string()) return see(value.get<std::string>());
  if (!value.is_structured()) return;
  for (const auto& [name, member] : value.items()) {
    see(name);
    ForEachText(member, see);
  }
}

Decision Refused(std::vector<Applied> findings) {
  return {Outcome::kRefused, std::move(findings), *oci::Spec::Parse("{}")};
}

Applied Finding(const std::string& text) {
  Applied applied{.rule = &rules::kAnnotations, .finding = {}};
  applied.finding.path = "/annotations/" + text;
  applied.finding.why = text;
  applied.finding.before = json::Value(text);
  applied.finding.after = json::Value(json::Document{{text, json::Document{text, 1}}});
  applied.finding.code = &rules::kAnnotations.codes.front();
  applied.finding.remedy.kind = rules::Remedy::Kind::kSetting;
  applied.finding.remedy.settings = {{"", "allow", std::vector<std::string>{text}}};
  return applied;
}

std::string LineWith(const std::string& text, const Decision& decision) {
  policy::Effective policy;
  policy.break_glass = text;
  policy.fell_back_because = text;
  policy.profile = text;
  engine::Identity identity;
  identity.container_name = text;
  identity.pod_namespace = text;
  identity.unknown_because = text;
  const std::string findings = FindingsText(decision.findings);
  return LogLine({.verb = text,
                  .container = text,
                  .bundle = text,
                  .identity = identity,
                  .policy = &policy,
                  .decision = &decision,
                  .findings = findings,
                  .error = {}});
}

TEST(LogLine, EachOfItsTextsIsBounded) {
  const Decision decision = Refused({Finding(kLong)});
  const std::string line = LineWith(kLong, decision);
  const auto read = json::Read(line);
  ASSERT_TRUE(read);
  int marked = 0;
  ForEachText(*read, [&](const std::string& text) {
    EXPECT_LE(text.size(), kMaxTextBytes + 60) << text.substr(0, 20);
    if (text.find(" bytes left out)") != std::string::npos) ++marked;
  });
  EXPECT_EQ(marked, 12);
  const json::Document& finding = (*read)["findings"][0];
  EXPECT_EQ(finding["after"]["omitted"], "more than 100 values");
  EXPECT_FALSE(finding.contains("remedy"));
  EXPECT_FALSE(read->contains("shortened"));
}

TEST(LogLine, AnErrorIsBounded) {
  EXPECT_LT(LogLine({.verb = "create",
                     .container = "c",
                     .bundle = "/b",
                     .identity = {},
                     .findings = {},
                     .error = kLong})
                .size(),
            kMostWritten + 500);
}

// The first finding of each rule is always listed.
TEST(LogLine, IsShortIfItsFindingsAreTooLong) {
  std::string findings = "[";
  for (int i = 0; i < 200; ++i) {
    findings +=
        (i == 0 ? R"({"action":"refused","code":"r)" : R"(,{"action":"refused","code":"r)") +
        std::to_string(i) + R"(/c","path":"","rule":"r","why":")" + std::string(4000, 'w') +
        R"("})";
  }
  findings += "]";
  const Decision decision = Refused({});
  const policy::Effective policy;
  const std::string line = LogLine({.verb = "create",
                                    .container = "c1",
                                    .bundle = "/b",
                                    .identity = {},
                                    .policy = &policy,
                                    .decision = &decision,
                                    .findings = findings,
                                    .error = {}});
  EXPECT_LT(line.size(), std::size_t{512} << 10);
  const auto read = json::Read(line);
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)["findings"].size(), 200U);
  EXPECT_TRUE(read->contains("shortened"));
}

// Many image names, say, which are short each.
TEST(LogLine, IsShortIfItWouldBeTooLong) {
  Decision decision = Refused({});
  for (int i = 0; i < 300; ++i) decision.findings.push_back(Finding("a" + std::to_string(i)));
  decision.findings.back().disposition = Disposition::kRefused;
  policy::Effective policy;
  engine::Identity identity;
  identity.manifest_digests.assign(10'000, std::string(71, 'd'));
  const std::string findings = FindingsText(decision.findings);
  const std::string line = LogLine({.verb = "create",
                                    .container = "c1",
                                    .bundle = "/b",
                                    .identity = identity,
                                    .policy = &policy,
                                    .decision = &decision,
                                    .findings = findings,
                                    .error = {}});
  EXPECT_LT(line.size(), 2000U);
  const auto read = json::Read(line);
  ASSERT_TRUE(read);
  EXPECT_EQ((*read)["container"], "c1");
  EXPECT_EQ((*read)["outcome"], "refused");
  EXPECT_TRUE((*read)["shortened"].get<std::string>().starts_with("the line would have had"));
  ASSERT_EQ((*read)["findings"].size(), 2U);
  EXPECT_EQ((*read)["findings"][0]["why"], "299 findings that a short line does not list");
  EXPECT_EQ((*read)["findings"][1]["action"], "refused");
  // A line that is short already keeps its counts.
  const auto again = json::Read(ShortLine(line, "another reason"));
  ASSERT_TRUE(again);
  EXPECT_EQ((*again)["findings"], (*read)["findings"]);
}

TEST(RefusalSentence, SaysWhyBehindALongPath) {
  Decision decision = Refused({Finding("/" + std::string(1 << 20, 'x'))});
  decision.findings[0].disposition = Disposition::kRefused;
  decision.findings[0].finding.why = "is not allowed";
  const std::string sentence = RefusalSentence(decision);
  EXPECT_LT(sentence.size(), 16'000U);
  EXPECT_NE(sentence.find("is not allowed"), std::string::npos);
}

}  // namespace
}  // namespace runclad::enforce::log_line_test
