// The manual page of the policy, against the catalogue.
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "program.hpp"
#include "test_paths.hpp"

namespace runclad::ctl::manual_test {
namespace {

using Parameters = std::map<std::string, std::vector<std::string>>;  // by rule

// Of the section that lists the rules: ".It Ic rule", and below it ".Cm parameter ,".
Parameters InManual() {
  std::ifstream page(RUNCLAD_SOURCE_DIR "/packaging/man/runclad-policy.5");
  Parameters parameters;
  std::string rule;
  bool is_there = false;
  for (std::string line; std::getline(page, line);) {
    std::istringstream words(line);
    std::string macro;
    std::string word;
    words >> macro >> word;
    if (macro == ".Ss") is_there = line == ".Ss Rules and their parameters";
    if (!is_there) continue;
    if (macro == ".It") {
      words >> rule;
      parameters[rule];
    } else if (macro == ".Cm") {
      parameters[rule].push_back(word);
    }
  }
  return parameters;
}

TEST(Manual, ListsExactlyTheRulesAndParameters) {
  Parameters expected;
  const auto catalogue = Runcladctl({"rules", "--json"}).json();
  for (const auto& rule : catalogue) {
    auto& names = expected[rule["id"]];
    for (const auto& parameter : rule["parameters"]) names.push_back(parameter["name"]);
  }
  ASSERT_GT(expected.size(), 30U);
  EXPECT_EQ(InManual(), expected);
}

std::string ContentOfManual(const std::string& name) {
  std::ifstream file(RUNCLAD_SOURCE_DIR "/" + name);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

// packaging/generate.sh writes them.
TEST(Manual, RulePagesAreCurrent) {
  EXPECT_EQ(ContentOfManual("packaging/man/runclad-rules.7"), Runcladctl({"rules", "--man"}).out);
  std::set<std::string> pages = {"README.md"};
  const std::string index = ContentOfManual("packaging/doc/rules/README.md");
  for (const auto& rule : Runcladctl({"rules", "--json"}).json()) {
    const std::string id = rule["id"];
    EXPECT_EQ(ContentOfManual("packaging/doc/rules/" + id + ".md"),
              Runcladctl({"explain", "--markdown", id}).out)
        << id;
    EXPECT_THAT(index, ::testing::HasSubstr("[" + id + "](" + id + ".md)"));
    pages.insert(id + ".md");
  }
  std::set<std::string> present;
  for (const auto& entry :
       std::filesystem::directory_iterator(RUNCLAD_SOURCE_DIR "/packaging/doc/rules")) {
    present.insert(entry.path().filename());
  }
  EXPECT_EQ(present, pages);
}

TEST(Manual, ChecksOfDoctorAreCurrent) {
  std::string rows;
  for (const auto& check : Runcladctl({"doctor", "--list", "--json"}).json()) {
    rows += "| `" + std::string(check["id"]) + "` | " + std::string(check["expected"]) + " |\n";
  }
  EXPECT_THAT(ContentOfManual("packaging/doc/checks.md"),
              ::testing::EndsWith("|---|---|\n" + rows));
}

// "rule.parameter", as sentences and documents write it.
TEST(Manual, DocumentsNameOnlyExistingParameters) {
  std::map<std::string, std::set<std::string>> known;
  for (const auto& [rule, names] : InManual()) known[rule] = {names.begin(), names.end()};
  for (const char* name : {"README.md", "SECURITY.md", "packaging/man/runclad.8",
                           "packaging/man/runcladctl.8", "packaging/man/runclad-policy.5"}) {
    std::ifstream file(RUNCLAD_SOURCE_DIR "/" + std::string(name));
    std::stringstream read;
    read << file.rdbuf();
    const std::string text = read.str();
    ASSERT_FALSE(text.empty()) << name;
    const auto is_of_name = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    };
    for (const auto& [rule, names] : known) {
      const std::string prefix = rule + ".";
      for (std::size_t at = text.find(prefix); at != std::string::npos;
           at = text.find(prefix, at + 1)) {
        const std::size_t begin = at + prefix.size();
        std::size_t end = begin;
        while (end < text.size() && is_of_name(text[end])) ++end;
        const bool is_whole = at == 0 || (!is_of_name(text[at - 1]) && text[at - 1] != '/');
        const std::string parameter = text.substr(begin, end - begin);
        if (!is_whole || parameter.empty() || parameter == "action" || parameter == "json")
          continue;
        EXPECT_TRUE(names.contains(parameter)) << name << " names " << rule << "." << parameter;
      }
    }
  }
}

}  // namespace
}  // namespace runclad::ctl::manual_test
