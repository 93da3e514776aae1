// Configuration files as they are found on hosts: cases/ENGINE/NAME.before with either NAME.after
// or NAME.refused (words of the error).
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "configure/engines.hpp"
#include "test_paths.hpp"

namespace runclad::configure::cases_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const Registration kRegistration = {"runclad", "/usr/local/sbin/runclad", true};

struct Case {
  std::string engine;
  fs::path before;

  [[nodiscard]] Format format() const { return engine == "docker" ? Format::kJson : Format::kToml; }
  [[nodiscard]] fs::path With(const char* extension) const {
    return fs::path(before).replace_extension(extension);
  }
};

std::string ContentOf(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  content << file.rdbuf();
  return content.str();
}

std::vector<Case> Cases() {
  std::vector<Case> cases;
  const fs::path folder = fs::path(RUNCLAD_SOURCE_DIR) / "tests/configure/cases";
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() != ".before") continue;
    cases.push_back({entry.path().parent_path().filename(), entry.path()});
  }
  std::ranges::sort(cases, {}, &Case::before);
  return cases;
}

// What the engine makes of the file is taken to be the file.
Result<std::vector<Setting>> SettingsFor(const std::string& engine, const Document& tree) {
  if (engine == "docker") return DockerSettings(kRegistration);
  if (engine == "containerd") return ContainerdSettings(kRegistration, tree, tree, 2);
  if (engine == "crio") return CrioSettings(kRegistration, tree);
  if (engine == "podman") return PodmanSettings(kRegistration, tree, true);
  return BuildkitSettings(kRegistration);
}

std::vector<Restore> RestoresFor(const std::string& engine, const Document& tree,
                                 const Document* original) {
  const std::string& name = kRegistration.name;
  if (engine == "docker") return DockerRestores(name, tree, original);
  if (engine == "containerd") return ContainerdRestores(name, tree, original, Document::object());
  if (engine == "crio") return CrioRestores(name, tree, original);
  if (engine == "podman") return PodmanRestores(name, tree, original);
  return BuildkitRestores(kRegistration.program, tree, original);
}

Result<std::string> Registered(const Case& test, const std::string& text) {
  const auto parsed = Parse(test.format(), text);
  if (!parsed) return parsed.error();
  const auto settings = SettingsFor(test.engine, parsed->tree);
  if (!settings) return settings.error();
  return Set(test.format(), text, kRegistration.name, *settings);
}

Document TreeOf(const Case& test, const std::string& text) {
  const auto parsed = Parse(test.format(), text);
  return parsed ? parsed->tree : Document("not parsed");
}

TEST(Cases, GiveTheExpectedFileOrError) {
  ASSERT_GT(Cases().size(), 40U);
  for (const Case& test : Cases()) {
    SCOPED_TRACE(test.before.string());
    const std::string before = ContentOf(test.before);
    const auto after = Registered(test, before);
    if (fs::exists(test.With(".refused"))) {
      std::string words = ContentOf(test.With(".refused"));
      while (words.ends_with('\n')) words.pop_back();
      ASSERT_FALSE(words.empty());
      EXPECT_FALSE(after) << *after;
      if (!after) {
        EXPECT_THAT(after.error().message, HasSubstr(words));
      }
      continue;
    }
    EXPECT_TRUE(after) << after.error().message;
    if (!after) continue;
    EXPECT_EQ(*after, ContentOf(test.With(".after")));
    const auto again = Registered(test, *after);
    EXPECT_TRUE(again && *again == *after) << "the second time changes it";
  }
}

// Where the original is not known any more, or others changed the file since.
TEST(Cases, CanBeUndone) {
  for (const Case& test : Cases()) {
    if (fs::exists(test.With(".refused"))) continue;
    SCOPED_TRACE(test.before.string());
    const std::string before = ContentOf(test.before);
    const Document original = TreeOf(test, before);
    const auto after = Registered(test, before);
    ASSERT_TRUE(after) << after.error().message;
    const Document tree = TreeOf(test, *after);
    for (const Document* known : {&original, static_cast<const Document*>(nullptr)}) {
      const auto undone =
          Unset(test.format(), *after, kRegistration.name, RestoresFor(test.engine, tree, known));
      EXPECT_TRUE(undone) << undone.error().message;
      if (!undone) continue;
      EXPECT_THAT(*undone, Not(HasSubstr("/usr/local/sbin/runclad")));
      EXPECT_THAT(*undone, Not(HasSubstr("runcladctl")));
      if (known == nullptr) continue;
      const fs::path expected = test.With(".undone");
      EXPECT_EQ(*undone, fs::exists(expected) ? ContentOf(expected) : before);
    }
  }
}

}  // namespace
}  // namespace runclad::configure::cases_test
