// Holds every #include of src/ and include/ against the table of layers (ARCHITECTURE.md).
#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "test_paths.hpp"

namespace runclad::layers_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using Names = std::array<std::string_view, 16>;

struct Layer {
  std::string_view name;
  Names may_use;  // other layers, or single headers of them
};

constexpr Layer kLayers[] = {
    {"base", {}},
    {"json", {"base"}},
    {"sys", {"base"}},
    {"privilege", {"base"}},
    {"oci", {"base", "json", "privilege"}},
    {"engine", {"base", "sys", "json", "oci"}},
    {"packages", {"base", "sys"}},
    {"host", {"base", "json", "sys", "oci", "engine", "packages"}},
    {"configure", {"base", "json", "sys"}},
    {"draft", {"base", "json", "sys", "privilege", "oci", "engine/identity.hpp"}},
    {"store", {"base", "json", "sys", "engine", "host"}},
    {"policy", {"base", "json", "sys", "privilege", "engine/identity.hpp", "engine/reference.hpp"}},
    {"rules",
     {"base", "json/value.hpp", "json/pointer.hpp", "privilege", "oci", "engine/identity.hpp",
      "engine/reference.hpp", "host/facts.hpp", "host/path_lists.hpp", "store/vulnerabilities.hpp",
      "store/state_directory.hpp", "policy/parameters.hpp", "policy/table.hpp"}},
    // What rules read is gathered beforehand, by a file of each rule's own.
    {"rules gather",
     {"base", "oci", "engine/identity.hpp", "host", "store", "sys/rootfs.hpp", "rules",
      "policy/parameters.hpp", "policy/table.hpp"}},
    {"enforce",
     {"base", "json", "sys", "privilege", "oci", "engine", "packages", "host", "store", "policy",
      "rules"}},
    {"look",
     {"base", "json", "sys", "privilege", "oci", "engine", "host", "store", "policy", "rules",
      "enforce"}},
    {"learn",
     {"base", "json", "sys", "privilege", "oci", "engine", "host", "store", "policy", "rules",
      "enforce", "look"}},
    {"doctor",
     {"base", "json", "sys", "privilege", "oci", "engine", "host", "configure", "store", "policy",
      "rules", "enforce"}},
    {"runtime",
     {"base", "json", "sys", "privilege", "oci", "engine", "host", "store", "policy", "rules",
      "enforce"}},
    {"ctl",
     {"base", "json", "sys", "privilege", "oci", "engine", "host", "configure", "store", "policy",
      "rules", "enforce", "look", "learn", "doctor", "draft"}},
    // Programs of the build that turn data files into tables.
    {"generate", {"base", "json"}},
};

// A header of another project, or the folder of its headers, and the layers that may include it.
struct Foreign {
  std::string_view prefix;
  Names layers;
};

constexpr Foreign kForeign[] = {
    {"nlohmann/json.hpp",
     {"json", "oci", "engine", "host", "configure", "store", "policy", "enforce", "look", "learn",
      "doctor", "draft", "ctl", "generate"}},
    {"toml++/", {"configure"}},
    {"yaml.h", {"draft"}},
    {"nlohmann/json_fwd.hpp", {"json"}},
    {"cap-ng.h", {"privilege"}},
    {"sha2.h", {"base"}},
    {"seccomp.h", {"privilege"}},
    {"spdlog/", {"ctl"}},
    {"fmt/", {"ctl"}},
    {"sqlite3.h", {"sys", "engine", "packages"}},
    {"CLI/", {"ctl"}},
};

// Headers whose user is still to be written: to be empty before the first release.
constexpr std::array<std::string_view, 0> kNotUsedYet = {};

bool Contains(std::span<const std::string_view> names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// "rules" of "src/rules/catalog.cpp" and of "include/runclad/rules/rule.hpp".
std::string_view LayerOf(std::string_view file) {
  for (const std::string_view folder : {"src/", "include/runclad/"}) {
    if (!file.starts_with(folder)) continue;
    file.remove_prefix(folder.size());
    return file.substr(0, file.find('/'));
  }
  return {};
}

// Why `file` may not include `header` (as it stands between the quotes); empty when it may.
std::string Violation(std::string_view file, std::string_view header) {
  std::string_view layer = LayerOf(file);
  if (layer == "rules" && file.ends_with("/gather.cpp")) layer = "rules gather";
  const auto* row = std::ranges::find(kLayers, layer, &Layer::name);
  if (row == std::end(kLayers)) return "the folder is no layer";
  constexpr std::string_view kOurs = "runclad/";
  if (header.starts_with(kOurs)) {
    header.remove_prefix(kOurs.size());
    const std::string_view used = header.substr(0, header.find('/'));
    if (used == layer || Contains(row->may_use, used) || Contains(row->may_use, header)) {
      return {};
    }
    return std::string(layer) + " may not use " + std::string(header);
  }
  for (const auto& [prefix, layers] : kForeign) {
    if (!header.starts_with(prefix)) continue;
    if (!Contains(layers, layer)) {
      return std::string(layer) + " may not use " + std::string(header);
    }
    // Two seconds of compile time for whoever includes it.
    if (header == "nlohmann/json.hpp" && file.starts_with("include/")) {
      return "json.hpp stays out of headers that layers share";
    }
  }
  if (header.find("..") != std::string_view::npos) return "a layer's own headers are its own";
  return {};
}

struct Include {
  std::string file;  // relative to the project
  std::size_t line;
  std::string header;
};

std::vector<Include> AllIncludes() {
  const fs::path project = RUNCLAD_SOURCE_DIR;
  std::vector<Include> includes;
  for (const char* folder : {"src", "include"}) {
    for (const auto& entry : fs::recursive_directory_iterator(project / folder)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".cpp" && extension != ".hpp" && extension != ".in") continue;
      std::ifstream stream(entry.path());
      std::size_t number = 0;
      for (std::string line; std::getline(stream, line);) {
        ++number;
        if (!line.starts_with("#include ")) continue;
        const std::size_t begin = line.find_first_of("<\"");
        const std::size_t end = line.find_last_of(">\"");
        includes.push_back({fs::relative(entry.path(), project).string(), number,
                            line.substr(begin + 1, end - begin - 1)});
      }
    }
  }
  return includes;
}

TEST(Layers, IncludesFollowTheTable) {
  const std::vector<Include> includes = AllIncludes();
  EXPECT_GT(includes.size(), 100U);
  for (const Include& include : includes) {
    EXPECT_THAT(Violation(include.file, include.header), IsEmpty())
        << include.file << ":" << include.line;
  }
}

// A misspelt id would be the setting of a rule that is off, and a misspelt parameter one that no
// rule reads: code takes both from the rules (catalog.hpp, parameters.hpp).
TEST(Layers, CodeNamesRulesByTheirTables) {
  const fs::path source = fs::path(RUNCLAD_SOURCE_DIR) / "src";
  std::string ids;
  for (const auto& entry : fs::directory_iterator(source / "rules")) {
    if (entry.is_directory()) ids += (ids.empty() ? "" : "|") + entry.path().filename().string();
  }
  const std::string parameters = "(action|allow|deny|exec-paths|noexec|writable)";
  const std::regex names(
      // As a member, a path or a key of a policy file.
      R"re(rule\("|rules\[(std::string\()?"|\["rules"\]\[(std::string\()?"|rules\.contains\(")re"
      R"re(|\.contains\("(seccomp|capabilities)"\)|"/?rules/[a-z]|"rules": \{"[a-z])re"
      "|\\{\"(" +
      ids + ")\", (\\{\\{)?\"" + parameters +
      "\"|k[A-Z][A-Za-z]*, \"(allow|deny|exec-paths|writable)\"");
  for (const char* line :
       {R"(file["rules"]["capabilities"]["allow"] = 1;)", R"(rules["seccomp"]["deny"] = denied;)",
        R"(const auto path = Document::json_pointer("/rules/seccomp/allow");)",
        R"(ListOf(finding, "rules", kRootfs, "writable");)",
        R"(if (record->process_policy.rules.contains("pids-limit")) {)",
        R"({"mount-options", {{"exec-paths", ListOf(grants)}}})",
        R"({"capabilities", "allow", kind},)",
        R"(<< R"("rules": {"device-cgroup": {"action": "off"}}")"}) {
    EXPECT_TRUE(std::regex_search(line, names)) << line;
  }
  for (const char* folder : {"ctl", "doctor", "enforce", "learn", "look", "runtime"}) {
    for (const auto& entry : fs::recursive_directory_iterator(source / folder)) {
      if (entry.path().extension() != ".cpp") continue;
      std::ifstream stream(entry.path());
      for (std::string line; std::getline(stream, line);) {
        if (line.find('"') == std::string::npos) continue;
        EXPECT_FALSE(std::regex_search(line, names)) << entry.path() << ": " << line;
      }
    }
  }
}

// Whether a parameter counts where its rule is off is said in its row: whoever reads it for another
// rule gets no more than the row says, and lint reads the same row.
TEST(Layers, OthersReadParametersAsTheirRowsSay) {
  const fs::path project = RUNCLAD_SOURCE_DIR;
  std::ifstream header(project / "include/runclad/rules/parameters.hpp");
  int functions = 0;
  for (std::string line; std::getline(header, line);) {
    if (!line.ends_with(");")) continue;
    ++functions;
    EXPECT_THAT(line, HasSubstr("(const policy::RuleSetting& "));
  }
  EXPECT_GE(functions, 10);
  for (const auto& entry : fs::recursive_directory_iterator(project / "src/rules")) {
    if (!entry.is_regular_file()) continue;
    std::ifstream stream(entry.path());
    for (std::string line; std::getline(stream, line);) {
      EXPECT_THAT(line, Not(HasSubstr("setting.parameters"))) << entry.path();
    }
  }
}

// Much faster than a regular expression.
bool MayRead(std::string_view line) {
  constexpr std::string_view kWords[] = {"find(",     "starts_with(", "ends_with(", "compare(",
                                         "contains(", "substr(",      "erase(",     "= \""};
  return std::ranges::any_of(
      kWords, [&](std::string_view word) { return line.find(word) != std::string_view::npos; });
}

// What was found is a code and values; a sentence that is compared breaks when its wording changes.
TEST(Layers, NoSentenceIsReadBack) {
  const std::regex reads(R"(message\.(find|rfind|starts_with|ends_with|compare|substr|erase)\()"
                         R"(|(find|rfind|starts_with|ends_with|compare)\("[^"]*[a-z] [a-z])"
                         R"(|[!=]= "[^"]*[a-z] [a-z])"
                         // A name of a sentence.
                         R"re(|(note|why|because|sentence|reason)_?(\(\))?(\.|->))re"
                         R"((find|rfind|starts_with|contains|compare)\()"
                         R"re(|(note|why|because|sentence|reason)_?(\(\))? [!=]= "[^"])re");
  EXPECT_TRUE(std::regex_search(R"(if (error.message.starts_with(prefix)))", reads));
  EXPECT_TRUE(std::regex_search(R"(why.find("is denied by") != kNone)", reads));
  EXPECT_TRUE(std::regex_search(R"(why == "is the host's")", reads));
  EXPECT_TRUE(std::regex_search(R"(return note.starts_with(subject);)", reads));
  EXPECT_TRUE(std::regex_search(R"(if (finding->why().contains(name)))", reads));
  EXPECT_TRUE(std::regex_search(R"(image.no_scan_because == "stale")", reads));
  EXPECT_FALSE(std::regex_search(R"(if (why == Reason::kImage || why.empty()))", reads));
  for (const char* folder : {"src/ctl", "src/doctor", "src/draft", "src/enforce", "src/host",
                             "src/look", "src/policy", "src/rules", "src/runtime", "src/store"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(RUNCLAD_SOURCE_DIR) / folder)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream stream(entry.path());
      for (std::string line; std::getline(stream, line);) {
        if (!MayRead(line)) continue;
        EXPECT_FALSE(std::regex_search(line, reads)) << entry.path() << ": " << line;
      }
    }
  }
}

// The comment at the beginning of a file's text, as one line; in a script it follows "#!".
std::string FirstComment(const std::string& extension, std::istream& text) {
  const std::string mark = extension == ".cpp" || extension == ".hpp" ? "// "
                           : extension == ".sh"                       ? "# "
                                                                      : "";
  std::string comment;
  std::string line;
  if (mark != "// ") std::getline(text, line);
  while (std::getline(text, line) && line.starts_with(mark)) {
    comment += line.substr(mark.size()) + " ";
    if (mark.empty() && line.ends_with("\"\"\"")) break;
  }
  return comment;
}

// A file of more than 400 lines says in its first line why it is one file: "Long: many cases.",
// or "In one file, since …".
TEST(Layers, LongFilesSayWhy) {
  constexpr int kMany = 400;
  const std::regex reason("Long: [a-z]|[Ii]n one file(,|:)");
  EXPECT_TRUE(std::regex_search("The rule image. Long: lists and pins. ", reason));
  EXPECT_TRUE(std::regex_search("A grammar. In one file, as a grammar is. ", reason));
  EXPECT_FALSE(std::regex_search("What a policy's parameters do to a filter. ", reason));
  int scripts = 0;
  for (const char* folder : {"include", "packaging", "src", "tests"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(RUNCLAD_SOURCE_DIR) / folder)) {
      const std::string extension = entry.path().extension();
      const bool is_script = extension == ".py" || extension == ".sh";
      const bool is_source = extension == ".cpp" || extension == ".hpp";
      if (!entry.is_regular_file() || !(is_script || is_source)) continue;
      scripts += is_script ? 1 : 0;
      std::ifstream stream(entry.path());
      const auto count = std::count(std::istreambuf_iterator<char>(stream), {}, '\n');
      if (count <= kMany) continue;
      stream.clear();
      stream.seekg(0);
      const std::string comment = FirstComment(extension, stream);
      EXPECT_TRUE(std::regex_search(comment, reason))
          << entry.path() << " has " << count << " lines, and begins with " << comment;
    }
  }
  EXPECT_GT(scripts, 100);
}

TEST(Layers, PublicHeadersAreUsedByAnotherLayer) {
  const std::vector<Include> includes = AllIncludes();
  const fs::path folder = fs::path(RUNCLAD_SOURCE_DIR) / "include";
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    const std::string header = fs::relative(entry.path(), folder).string();
    const std::string file = "include/" + header;
    const std::string_view layer = LayerOf(file);
    const bool is_used = std::any_of(includes.begin(), includes.end(), [&](const Include& include) {
      return include.header == header && LayerOf(include.file) != layer;
    });
    EXPECT_TRUE(is_used || Contains(kNotUsedYet, header))
        << header << " is used by its own layer only: move it to src/";
  }
}

TEST(Layers, TheTableDistinguishesAllowedFromForbidden) {
  struct {
    std::string_view file;
    std::string_view header;
    bool is_allowed;
  } const rows[] = {
      {"src/rules/user/rule.cpp", "runclad/rules/rule.hpp", true},
      {"src/rules/user/rule.cpp", "runclad/json/value.hpp", true},
      {"src/rules/user/rule.cpp", "runclad/json/reader.hpp", false},
      {"src/rules/user/rule.cpp", "runclad/engine/identity.hpp", true},
      {"src/rules/user/rule.cpp", "runclad/engine/docker.hpp", false},
      {"src/rules/user/rule.cpp", "runclad/policy/parameters.hpp", true},
      {"src/rules/user/rule.cpp", "runclad/policy/effective.hpp", false},
      {"src/rules/user/rule.cpp", "runclad/host/facts.hpp", true},
      {"src/rules/user/rule.cpp", "runclad/host/sources.hpp", false},
      {"src/rules/user/gather.cpp", "runclad/host/sources.hpp", true},
      {"src/rules/user/gather.cpp", "runclad/policy/effective.hpp", false},
      {"src/rules/user/gather.cpp", "runclad/enforce/facts.hpp", false},
      {"src/host/sources.cpp", "runclad/policy/parameters.hpp", false},
      {"src/host/sources.cpp", "runclad/packages/package_files.hpp", true},
      {"src/configure/toml.cpp", "toml++/toml.h", true},
      {"src/ctl/configure.cpp", "toml++/toml.h", false},
      {"src/runtime/main.cpp", "runclad/configure/configure.hpp", false},
      {"src/runtime/main.cpp", "runclad/look/container.hpp", false},
      {"src/ctl/ps.cpp", "runclad/look/container.hpp", true},
      {"src/store/records.cpp", "runclad/policy/effective.hpp", false},
      {"src/store/records.cpp", "runclad/host/runtime_state.hpp", true},
      {"src/packages/rpm_sqlite.cpp", "sqlite3.h", true},
      {"src/enforce/facts.cpp", "sqlite3.h", false},
      {"src/rules/user/rule.cpp", "runclad/sys/file.hpp", false},
      {"src/rules/user/rule.cpp", "runclad/enforce/decision.hpp", false},
      {"src/rules/user/rule.cpp", "nlohmann/json.hpp", false},
      {"src/rules/user/rule.cpp", "sys/stat.h", true},
      {"include/runclad/rules/facts.hpp", "runclad/sys/mounts.hpp", false},
      {"include/runclad/oci/spec.hpp", "nlohmann/json.hpp", false},
      {"src/oci/spec.cpp", "nlohmann/json.hpp", true},
      {"src/oci/spec.cpp", "schema.hpp", true},
      {"src/oci/spec.cpp", "../json/reader_detail.hpp", false},
      {"src/oci/spec.cpp", "runclad/sys/file.hpp", false},
      {"src/policy/load.cpp", "runclad/engine/identity.hpp", true},
      {"src/policy/load.cpp", "runclad/engine/docker.hpp", false},
      {"src/policy/load.cpp", "runclad/rules/rule.hpp", false},
      {"src/policy/load.cpp", "runclad/oci/spec.hpp", false},
      {"src/enforce/log.cpp", "spdlog/logger.h", false},
      {"src/ctl/learn_command.cpp", "spdlog/logger.h", true},
      {"src/runtime/main.cpp", "spdlog/logger.h", false},
      {"src/runtime/main.cpp", "CLI/CLI.hpp", false},
      {"src/ctl/main.cpp", "CLI/CLI.hpp", true},
      {"src/ctl/main.cpp", "runclad/rules/rule.hpp", true},
      {"src/runtime/main.cpp", "nlohmann/json.hpp", false},
      {"src/sys/file.cpp", "runclad/json/value.hpp", false},
      {"src/base/result.cpp", "runclad/sys/file.hpp", false},
      {"src/common/strings.cpp", "string", false},
  };
  for (const auto& row : rows) {
    EXPECT_EQ(Violation(row.file, row.header).empty(), row.is_allowed)
        << row.file << " including " << row.header;
  }
}

}  // namespace
}  // namespace runclad::layers_test
