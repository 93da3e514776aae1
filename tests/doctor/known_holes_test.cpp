#include "doctor/known_holes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doctor/version_text.hpp"

namespace runclad::doctor::known_holes_test {
namespace {

using ::testing::ElementsAre;

std::vector<std::string_view> HolesOf(std::string_view kind, std::string_view version) {
  std::vector<std::string_view> holes;
  for (const KnownHole& hole : KnownHoles()) {
    if (hole.kind == kind && HasHole(version, hole)) holes.push_back(hole.cve);
  }
  return holes;
}

TEST(KnownHoles, DependOnTheBranch) {
  EXPECT_THAT(HolesOf("runc", "1.1.11"),
              ElementsAre("CVE-2024-21626", "CVE-2024-45310", "CVE-2025-31133", "CVE-2025-52565",
                          "CVE-2025-52881", "CVE-2026-41579"));
  EXPECT_THAT(HolesOf("runc", "1.1.15"),
              ElementsAre("CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881", "CVE-2026-41579"));
  EXPECT_THAT(HolesOf("runc", "1.2.0-rc.2"),
              ElementsAre("CVE-2024-45310", "CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881",
                          "CVE-2026-41579"));
  EXPECT_THAT(HolesOf("runc", "1.2.8"), ElementsAre("CVE-2026-41579"));
  EXPECT_THAT(HolesOf("runc", "1.3.6"), ElementsAre());
  EXPECT_THAT(HolesOf("runc", "1.4.0-rc.2"),
              ElementsAre("CVE-2025-31133", "CVE-2025-52565", "CVE-2025-52881", "CVE-2026-41579"));
  EXPECT_THAT(HolesOf("runc", "1.4.0-rc.3"), ElementsAre("CVE-2026-41579"));
  EXPECT_THAT(HolesOf("runc", "1.5.0-rc.2"), ElementsAre("CVE-2026-41579"));
  EXPECT_THAT(HolesOf("runc", "1.5.0"), ElementsAre());
  EXPECT_THAT(HolesOf("runc", "1.6.0"), ElementsAre());
  EXPECT_THAT(HolesOf("crun", "1.8.1"),
              ElementsAre("CVE-2025-24965", "CVE-2026-30892", "CVE-2026-47766"));
  EXPECT_THAT(HolesOf("crun", "1.27"), ElementsAre("CVE-2026-47766"));
  EXPECT_THAT(HolesOf("crun", "1.28"), ElementsAre());
  EXPECT_THAT(HolesOf("youki", "0.5.6"), ElementsAre("CVE-2025-62161", "CVE-2025-62596"));
  EXPECT_THAT(HolesOf("youki", "0.5.7"), ElementsAre());
}

TEST(KnownHoles, VersionsAreReadFromWhatTheProgramsPrint) {
  const struct {
    std::string_view text;
    std::string kind;
    std::string version;
  } rows[] = {
      {"runc version 1.1.5+ds1\ncommit: 1.1.5+ds1-1+deb12u1\n", "runc", "1.1.5"},
      {"runc version 1.4.0-rc.2\n", "runc", "1.4.0-rc.2"},
      {"runc version 1.1.12-0ubuntu2~22.04.1\n", "runc", "1.1.12"},
      {"crun version 1.8.1\ncommit: f8a\n", "crun", "1.8.1"},
      {"youki version 0.5.4\n", "youki", "0.5.4"},
      {"youki version: 0.3.3\n", "youki", "0.3.3"},
      {"something else\n", "something", ""},
  };
  for (const auto& row : rows) {
    LowerRuntimeFacts facts;
    ReadVersion(row.text, facts);
    EXPECT_EQ(facts.kind, row.kind) << row.text;
    EXPECT_EQ(facts.version, row.version) << row.text;
  }
}

TEST(KnownHoles, AChangelogNamesWhatWasFixed) {
  EXPECT_THAT(CvesIn("runc (1.1.5+ds1-1+deb12u1)\n  * Fix CVE-2024-21626, and CVE-2023-25809.\n"),
              ElementsAre("CVE-2023-25809", "CVE-2024-21626"));
}

}  // namespace
}  // namespace runclad::doctor::known_holes_test
