#include <string>
#include <string_view>
#include <vector>

#include "rule_test.hpp"
#include "rules/hidden-paths/facts.hpp"

namespace runclad::rules::hidden_paths_test {
namespace {

using hidden_paths::HiddenFiles;

constexpr std::string_view kId = "hidden-paths";

std::vector<std::string> Masked(const enforce::Decision& decision) {
  return decision.spec.masked_paths();
}

TEST(HiddenPaths, AreAddedToMaskedPaths) {
  Facts facts;
  facts.Put(HiddenFiles{{.paths = {"/usr/bin/nc.openbsd", "/usr/bin/wget"}, .kept = {}}});
  const auto decision = DecideBy(kId, R"({"linux":{"maskedPaths":["/proc/kcore"]}})", {}, facts);
  EXPECT_EQ(Masked(decision),
            (std::vector<std::string>{"/proc/kcore", "/usr/bin/nc.openbsd", "/usr/bin/wget"}));
  ASSERT_EQ(decision.findings.size(), 1U);
  EXPECT_EQ(decision.findings[0].finding.path, "/linux/maskedPaths");
  EXPECT_EQ(decision.findings[0].finding.why, "leaves /usr/bin/nc.openbsd and 1 more usable");
  EXPECT_EQ(CodesAndRemedies(decision), std::vector<std::string>{"usable"});
  EXPECT_TRUE(DecideBy(kId, decision.spec.Write(), {}, facts).findings.empty()) << "idempotent";
}

TEST(HiddenPaths, AreMaskedIfNothingElseIs) {
  Facts facts;
  facts.Put(HiddenFiles{{.paths = {"/usr/bin/wget"}, .kept = {}}});
  const auto decision = DecideBy(kId, "{}", {}, facts);
  EXPECT_EQ(Masked(decision), std::vector<std::string>{"/usr/bin/wget"});
  EXPECT_EQ(decision.findings[0].finding.why, "leaves /usr/bin/wget usable");
}

TEST(HiddenPaths, ReportWhatIsNotHidden) {
  Facts facts;
  facts.Put(HiddenFiles{
      {.paths = {},
       .kept = {{"/bin/wget", "is the same file as /bin/sh, which must not be hidden"}}}});
  const auto decision = DecideBy(kId, "{}", {}, facts);
  EXPECT_TRUE(Masked(decision).empty());
  EXPECT_EQ(decision.outcome, enforce::Outcome::kUnchanged);
  ASSERT_EQ(decision.findings.size(), 1U);
  EXPECT_EQ(decision.findings[0].disposition, enforce::Disposition::kWarned);
  EXPECT_EQ(CodesAndRemedies(decision), std::vector<std::string>{"kept"});
  EXPECT_EQ(decision.findings[0].finding.before.Dump(), "\"/bin/wget\"");
  EXPECT_EQ(decision.findings[0].finding.why,
            "stays usable: it is the same file as /bin/sh, which must not be hidden");
}

TEST(HiddenPaths, AreEmptyByDefault) {
  EXPECT_TRUE(DecideBy(kId, R"({"linux":{"maskedPaths":["/proc/kcore"]}})", {}).findings.empty());
}

}  // namespace
}  // namespace runclad::rules::hidden_paths_test
