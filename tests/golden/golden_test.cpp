// Every document of the corpus against the verdict that a person gave it: verdicts.tsv, case by
// case. The documents are real engines', and so is everything that decides: the facts are gathered
// from the host that they were made on, built again (host.hpp).
#include <set>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "corpus.hpp"
#include "mount_namespace.hpp"

namespace runclad::golden::golden_test {
namespace {

std::string Told(const enforce::Decision& decision, const std::set<std::string>& usual) {
  std::set<std::string> fixed;
  std::set<std::string> warned;
  for (const enforce::Applied& applied : decision.findings) {
    const std::string id(applied.rule->id());
    if (applied.disposition == enforce::Disposition::kRefused) return "refused by " + id;
    (applied.disposition == enforce::Disposition::kFixed ? fixed : warned).insert(id);
  }
  std::string told = "usual";
  for (const std::string& id : fixed) {
    if (!usual.contains(id)) told += " +" + id;
  }
  for (const std::string& id : usual) {
    if (!id.starts_with('?') && !fixed.contains(id)) told += " -" + id;
  }
  for (const std::string& id : warned) {
    if (!usual.contains("?" + id)) told += " ?" + id;
  }
  for (const std::string& id : usual) {
    if (id.starts_with('?') && !warned.contains(id.substr(1))) told += " -" + id;
  }
  return told;
}

TEST(GoldenTable, CoversTheCorpus) {
  const Table table = ReadTable();
  std::set<std::string> rows(table.open.begin(), table.open.end());
  for (const Row& row : table.rows) EXPECT_TRUE(rows.insert(row.document).second);
  EXPECT_EQ(rows, Documents());
}

class Golden : public ::testing::Test {
 protected:
  static std::string Verdict(const enforce::Decision& decision, const std::string& document,
                             const std::string& profile) {
    static const Table table = ReadTable();
    std::string kind = FolderOf(document);
    if (document.ends_with(".process")) kind = "exec";
    if (document.starts_with("containerd-cri/sandbox_")) kind = "sandbox";
    if (kind == "containerd21" && document.ends_with("-pod")) kind = "sandbox21";
    if (kind == "k3s") kind = document.ends_with("/sandbox") ? "sandbox" : "containerd-cri";
    const auto usual = table.usual.find(kind + " " + profile);
    return Told(decision, usual == table.usual.end() ? std::set<std::string>() : usual->second);
  }
};

TEST_F(Golden, EveryDocumentGetsTheExpectedVerdict) {
  testing::InPrivateMounts([] {
    const std::pair<std::string, policy::Effective> policies[] = {
        {"restricted", PolicyOf("restricted")}, {"baseline", PolicyOf("baseline")}};
    Corpus corpus;
    for (const Row& row : ReadTable().rows) {
      for (const auto& [profile, policy] : policies) {
        const enforce::Decision decision = corpus.Judge({row.document}, policy);
        EXPECT_EQ(Verdict(decision, row.document, profile),
                  profile == "restricted" ? row.restricted : row.baseline)
            << row.document << " under " << profile << ": " << enforce::RefusalSentence(decision);
      }
    }
  });
}

// What a rule reads is asked for that rule, whatever the others are set to.
TEST_F(Golden, EveryRuleFindsTheSameWithTheOthersOff) {
  testing::InPrivateMounts([] {
    Corpus corpus;
    const policy::Effective policy = PolicyOf("restricted");
    for (const Row& row : ReadTable().rows) {
      if (row.document.ends_with(".process")) continue;
      corpus.ExpectNoRuleNeedsAnother(row.document, policy);
    }
  });
}

TEST_F(Golden, EveryVariantGetsTheExpectedVerdict) {
  testing::InPrivateMounts([] {
    Corpus corpus;
    for (const ChangedRow& row : ReadChanged()) {
      for (const std::string profile : {"restricted", "baseline"}) {
        const enforce::Decision decision =
            corpus.Judge({row.document, row.patch, row.has_apparmor ? &AddAppArmor : nullptr},
                         PolicyOf(profile, row.rules));
        EXPECT_EQ(Verdict(decision, row.document, profile),
                  profile == "restricted" ? row.restricted : row.baseline)
            << row.name << " under " << profile << ": " << enforce::RefusalSentence(decision);
      }
    }
  });
}

}  // namespace
}  // namespace runclad::golden::golden_test
