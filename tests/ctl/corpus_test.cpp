// Every document of the corpus goes through check, and what comes out is a fixed point.
#include <algorithm>

#include <gmock/gmock.h>

#include "runclad/base/sanitizers.hpp"

#include "program.hpp"
#include "test_paths.hpp"

namespace runclad::ctl::corpus_test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// An optimized program judges each document under every policy. The sanitizers' takes twenty times
// as long: there, the policies share the documents among them.
#if defined(NDEBUG) && !defined(RUNCLAD_UNDER_ASAN)
constexpr std::size_t kShares = 1;
#else
constexpr std::size_t kShares = 4;
#endif
const std::vector<std::string> kPolicies = {"restricted", "baseline", "build", "no-refusals"};

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

TEST(Corpus, IsPresent) { EXPECT_EQ(Documents().size(), 323U); }

class CorpusUnder : public ::testing::TestWithParam<std::string> {};

TEST_P(CorpusUnder, EveryDocumentHasAStableResult) {
  const TemporaryDirectory directory;
  directory.Write("etc/policy.json", GetParam() == "no-refusals"
                                         ? WithoutRefusals()
                                         : json{{"extends", GetParam()}}.dump());
  const std::vector<std::string> documents = Documents();
  const auto place = std::find(kPolicies.begin(), kPolicies.end(), GetParam());
  std::size_t rewritten = 0;
  std::size_t processes = 0;
  for (std::size_t i = (place - kPolicies.begin()) % kShares; i < documents.size(); i += kShares) {
    const std::string& path = documents[i];
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
  EXPECT_GE(rewritten, GetParam() == "no-refusals" ? 161 / kShares : processes);
  EXPECT_GT(processes, 10 / kShares);
}

INSTANTIATE_TEST_SUITE_P(Policies, CorpusUnder, ::testing::ValuesIn(kPolicies));

}  // namespace
}  // namespace runclad::ctl::corpus_test
