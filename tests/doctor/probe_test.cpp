#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "doctor/probe_answer.hpp"
#include "doctor/probe_image.hpp"

namespace runclad::doctor::probe_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Probe, ItsAnswerIsReadFromAmongOtherLines) {
  const auto answer = ReadProbeAnswer(
      "time=\"x\" level=warning\n"
      R"({"CapBnd":"0000000000000400","CapEff":"0","NoNewPrivs":"1","Seccomp":"2","probe":1,)"
      R"("readable":["/proc/kcore"],"shared":["net"],"succeeded":["mount"],"writable":["/"]})"
      "\n");
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->bounding, 0x400U);
  EXPECT_TRUE(answer->has_no_new_privileges);
  EXPECT_EQ(answer->seccomp, 2);
  EXPECT_THAT(answer->readable, ElementsAre("/proc/kcore"));
  EXPECT_THAT(answer->shared, ElementsAre("net"));
  EXPECT_THAT(answer->succeeded, ElementsAre("mount"));
  EXPECT_THAT(answer->writable, ElementsAre("/"));
}

TEST(Probe, AnythingElseIsNotAnAnswer) {
  EXPECT_FALSE(ReadProbeAnswer(""));
  EXPECT_FALSE(ReadProbeAnswer("exec format error"));
  EXPECT_FALSE(ReadProbeAnswer("{\"x\":1}"));
  EXPECT_FALSE(ReadProbeAnswer("{\"CapBnd\""));
}

TEST(Probe, TheLastLineOfDockersClientIsNotTheCause) {
  EXPECT_EQ(LastLineOf("docker: Error: x.\n\nRun 'docker run --help' for more information\n"),
            "docker: Error: x.");
  EXPECT_EQ(LastLineOf("docker: Error: x.\nSee 'docker run --help'.\n"), "docker: Error: x.");
  EXPECT_EQ(LastLineOf("Run 'docker run --help'"), "Run 'docker run --help'");
  EXPECT_EQ(LastLineOf(""), "");
}

TEST(Probe, AMemberOfTheArchiveHasAHeaderThatAddsUp) {
  const std::string member = TarMember("probe", "abc", 0755);
  ASSERT_EQ(member.size(), 1024U);
  EXPECT_EQ(member.substr(0, 6), std::string("probe\0", 6));
  EXPECT_EQ(member.substr(100, 7), "0000755");
  EXPECT_EQ(member.substr(124, 11), "00000000003");
  EXPECT_EQ(member.substr(257, 5), "ustar");
  EXPECT_EQ(member.substr(512, 3), "abc");
  unsigned sum = 0;
  for (std::size_t i = 0; i < 512; ++i) {
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(member[i]);
  }
  EXPECT_EQ(std::stoul(member.substr(148, 6), nullptr, 8), sum);
}

TEST(Probe, TheImageNamesItsLayerByDigest) {
  const std::string archive = ProbeArchive("program");
  EXPECT_EQ(archive.size() % 512, 0U);
  EXPECT_THAT(archive, HasSubstr("\"diff_ids\":[\"sha256:"));
  EXPECT_THAT(archive, HasSubstr(std::string(kProbeImage)));
}

}  // namespace
}  // namespace runclad::doctor::probe_test
