// Every document of the corpus goes through check, and what comes out is a fixed point.
#include <algorithm>

#include <gmock/gmock.h>

#include "program.hpp"
#include "test_paths.hpp"

namespace runclad::ctl {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

std::vector<std::string> Documents() {
  std::vector<std::string> paths;
  for (const auto& entry : fs::recursive_directory_iterator(RUNCLAD_TEST_DATA "/data/corpus")) {
    if (entry.path().extension() == ".json") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

// What stops a container is off, so that every document gets as far as the rules that rewrite.
std::string WithoutRefusals() {
  json rules = json::object();
  for (const auto& rule : Runcladctl({"rules", "--json"}).json()) {
    const std::string id = rule["id"];
    const bool refuses = id.starts_with("host-") || id == "cgroup-path";
    if (refuses) rules[id]["action"] = "warn";
  }
  return json{{"rules", rules}}.dump();
}

TEST(Corpus, IsThere) { EXPECT_EQ(Documents().size(), 175U); }

class CorpusUnder : public ::testing::TestWithParam<std::string> {};

TEST_P(CorpusUnder, EveryDocumentIsJudgedAndWhatComesOutChangesNoMore) {
  const TemporaryDirectory directory;
  directory.Write("etc/policy.json", GetParam() == "no-refusals"
                                         ? WithoutRefusals()
                                         : json{{"extends", GetParam()}}.dump());
  int rewritten = 0;
  int processes = 0;
  for (const std::string& path : Documents()) {
    const bool is_process = path.ends_with(".process.json");
    std::vector<std::string> arguments = {"check", "--json", "--config", directory.path() + "/etc"};
    if (is_process) arguments.emplace_back("--process");
    processes += is_process ? 1 : 0;
    arguments.push_back(path);
    const ProgramRun first = Runcladctl(arguments);
    EXPECT_TRUE(first.status >= 0 && first.status <= 2) << path << ": " << first.err;
    if (first.status != 1) continue;
    ++rewritten;
    arguments.back() =
        directory.Write("again.json", first.json()[is_process ? "process" : "config"].dump());
    const ProgramRun second = Runcladctl(arguments);
    EXPECT_EQ(second.status, 0) << path << " changes again: " << second.out << second.err;
  }
  // What the corpus' engines bound is not on this host and is refused, since it cannot be
  // identified; without refusals nearly everything is rewritten, and exec's processes always are.
  EXPECT_GT(rewritten, GetParam() == "no-refusals" ? 160 : processes - 1);
  EXPECT_GT(processes, 10);
}

INSTANTIATE_TEST_SUITE_P(Policies, CorpusUnder,
                         ::testing::Values("restricted", "baseline", "build", "no-refusals"));

}  // namespace
}  // namespace runclad::ctl
