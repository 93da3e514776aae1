// The catalogue as a whole: every rule that was promised is there, says what it is for, and is
// tested in each of the ways that a rule has to be.
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

#include "runclad/rules/rule.hpp"

#include "test_paths.hpp"

namespace runclad::golden::catalog_test {
namespace {

namespace fs = std::filesystem;

// The rules of the catalogue's first edition. An id is written into policies and stays.
constexpr const char* kPromised[] = {
    "annotations",
    "capabilities",
    "cgroup-path",
    "cpu-limit",
    "device-cgroup",
    "devices",
    "environment",
    "hidden-paths",
    "hooks",
    "host-mounts",
    "host-namespaces",
    "image",
    "kernel-filesystems",
    "lsm-label",
    "masked-paths",
    "memory-limit",
    "mount-options",
    "mount-propagation",
    "no-new-privileges",
    "pids-limit",
    "privileged",
    "program",
    "read-only-mounts",
    "read-only-rootfs",
    "readonly-paths",
    "realtime",
    "rlimits",
    "rootfs-path",
    "seccomp",
    "sysctls",
    "unknown-fields",
    "user",
    "user-namespace",
    "working-directory",
};

std::string ReadFile(const fs::path& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// Everything in the files of `directory` whose names end so.
std::string TextOf(const std::string& directory, const std::string& ending) {
  std::string all;
  for (const auto& entry : fs::directory_iterator(RUNCLAD_TEST_DATA "/" + directory)) {
    if (entry.path().string().ends_with(ending)) all += ReadFile(entry.path()) + '\n';
  }
  return all;
}

// The words of the lines that `mark` a rule, and whole cells of tables.
std::set<std::string> Words(const std::string& text) {
  std::set<std::string> words;
  std::string word;
  for (const char c : text + " ") {
    const bool is_part = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    if (is_part) {
      word += c;
      continue;
    }
    if (!word.empty()) words.insert(word);
    word.clear();
  }
  return words;
}

// What follows `mark` on its lines.
std::string LinesWith(const std::string& text, const std::string& mark) {
  std::stringstream lines(text);
  std::string found;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t at = line.find(mark);
    if (at != std::string::npos) found += line.substr(at + mark.size()) + '\n';
  }
  return found;
}

// The verdict columns of both tables: what "+rule", "?rule" and "refused by rule" name. A leading
// sign is not a part of a word, but "-rule" is: it does not count as an example of the rule.
std::string Verdicts() {
  std::string verdicts;
  for (const char* table : {"verdicts.tsv", "changed.tsv"}) {
    std::stringstream lines(ReadFile(RUNCLAD_TEST_DATA "/golden/" + std::string(table)));
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("#")) verdicts += line.substr(line.find('\t') + 1) + '\n';
    }
  }
  return verdicts;
}

TEST(Catalog, HasEveryPlannedRule) {
  for (const char* id : kPromised) EXPECT_NE(rules::FindRule(id), nullptr) << id;
}

TEST(Catalog, DescribesEachRuleAndItsRemedy) {
  for (const rules::Rule* rule : rules::Catalog()) {
    EXPECT_GE(rule->title.size(), 10U) << rule->id();
    EXPECT_GE(rule->rationale.size(), 80U) << rule->id();
    EXPECT_TRUE(rule->rationale.ends_with('.') || rule->rationale.ends_with(".)")) << rule->id();
    EXPECT_GE(rule->way_out.size(), 15U) << rule->id();
    EXPECT_FALSE(rule->way_out.ends_with('.')) << rule->id() << ": it is a clause";
    EXPECT_FALSE(rule->paths.empty()) << rule->id();
    EXPECT_FALSE(rule->schema.actions.empty()) << rule->id();
    EXPECT_NE(rule->check.run, nullptr) << rule->id();
    for (const std::string_view path : rule->paths) EXPECT_FALSE(path.empty());
    for (const policy::ParameterSchema& parameter : rule->schema.parameters) {
      EXPECT_GE(parameter.description.size(), 15U) << rule->id() << "." << parameter.name;
    }
  }
}

TEST(Catalog, DescribesEachCode) {
  for (const rules::Rule* rule : rules::Catalog()) {
    std::set<std::string_view> ids;
    for (const rules::Code& code : rule->codes) {
      const std::string_view id = code.id;
      const std::string_view meaning = code.meaning;
      EXPECT_TRUE(ids.insert(id).second) << rule->id() << "/" << code.id << " appears twice";
      EXPECT_EQ(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-"),
                std::string_view::npos)
          << rule->id() << "/" << code.id;
      EXPECT_GE(meaning.size(), 15U) << rule->id() << "/" << code.id;
      EXPECT_FALSE(meaning.ends_with('.')) << rule->id() << "/" << code.id;
    }
  }
}

TEST(Catalog, EveryRuleHasAUnitTest) {
  const std::string tests = TextOf("rules", "_test.cpp");
  for (const rules::Rule* rule : rules::Catalog()) {
    EXPECT_NE(tests.find('"' + std::string(rule->id()) + '"'), std::string::npos)
        << "no table test names the rule " << rule->id();
  }
}

TEST(Catalog, EveryRuleHasAGoldenCase) {
  const std::set<std::string> named = Words(Verdicts());
  for (const rules::Rule* rule : rules::Catalog()) {
    EXPECT_TRUE(named.contains(std::string(rule->id())))
        << "no document of an engine shows the rule " << rule->id();
  }
}

// That the assertions pass is for tests/e2e/run.sh to see.
TEST(Catalog, EveryRuleHasAnEndToEndTest) {
  std::set<std::string> named = Words(LinesWith(TextOf("e2e", ".sh"), "covers "));
  // docker_refusals.sh names the rule in a table.
  const std::set<std::string> listed = Words(ReadFile(RUNCLAD_TEST_DATA "/e2e/docker_refusals.sh"));
  for (const char* id : {"host-mounts", "host-namespaces"}) {
    if (listed.contains(id)) named.insert(id);
  }
  for (const rules::Rule* rule : rules::Catalog()) {
    EXPECT_TRUE(named.contains(std::string(rule->id())))
        << "no topic in tests/e2e covers the rule " << rule->id();
  }
}

// What a code means is said where it is defined: a name that is compared
// elsewhere would go on to compile when it is misspelt.
TEST(Catalog, OnlyRulesNameCodes) {
  std::set<std::string> codes;
  for (const rules::Rule* rule : rules::Catalog()) {
    for (const rules::Code& code : rule->codes) {
      codes.insert('"' + std::string(rule->id()) + '/' + code.id + '"');
    }
  }
  const fs::path sources = fs::path(RUNCLAD_SOURCE_DIR) / "src";
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(sources)) {
    if (!entry.is_regular_file() || entry.path().string().starts_with((sources / "rules").string()))
      continue;
    std::istringstream lines(ReadFile(entry.path()));
    for (std::string line; std::getline(lines, line);) {
      if (line.find("//") != std::string::npos) line.resize(line.find("//"));
      for (const std::string& code : codes) {
        EXPECT_EQ(line.find(code), std::string::npos) << entry.path() << ": " << line;
      }
    }
  }
}

// A weaker action, or a waiver of it, gives up all that the rule stops.
TEST(Catalog, NoWayOutGivesUpAWholeRule) {
  for (const rules::Rule* rule : rules::Catalog()) {
    const std::string way_out(rule->way_out);
    EXPECT_EQ(way_out.find("set " + std::string(rule->id()) + " to"), std::string::npos) << way_out;
    EXPECT_EQ(way_out.find("of this rule"), std::string::npos) << way_out;
  }
}

}  // namespace
}  // namespace runclad::golden::catalog_test
