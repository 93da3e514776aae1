// runcladctl shield add and remove: which files are a shield, and what becomes of them.
#include <sys/stat.h>

#include <gmock/gmock.h>

#include "program.hpp"

namespace runclad::ctl::shield_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr const char* kAlg = R"({"id": "alg", "reason": "r", "deny": {"families": ["AF_ALG"]}})";

std::string FileText(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

constexpr const char* kTooManyRules = R"({"id": "x", "reason": "r", "deny": {"syscalls": [
    {"name": "setsockopt", "args": [{"index": 1, "value": 41, "op": "SCMP_CMP_EQ"},
                                    {"index": 2, "value": 64, "op": "SCMP_CMP_EQ"},
                                    {"index": 4, "value": 8, "op": "SCMP_CMP_EQ"}]}]}})";

class ShieldCommands : public ::testing::Test {
 protected:
  ShieldCommands() { directory_.Write("etc/policy.json", R"({"extends": "baseline"})"); }

  [[nodiscard]] std::string Path(const std::string& name) const {
    return directory_.path() + "/" + name;
  }
  [[nodiscard]] ProgramRun Shield(const std::string& verb,
                                  std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"shield", verb});
    arguments.insert(arguments.end(),
                     {"--config", Path("etc"), "--modprobe-directory", Path("modprobe.d")});
    return Runcladctl(arguments);
  }
  [[nodiscard]] bool IsUp(const std::string& id) const {
    return fs::exists(Path("etc/policy.d/zz-shield-" + id + ".json")) &&
           fs::exists(Path("etc/shields/" + id + ".json"));
  }
  static void Run(const std::string& command) {
    ASSERT_EQ(std::system((command + " >/dev/null 2>&1").c_str()), 0) << command;
  }
  void MakeKey(const std::string& name) const {
    Run("ssh-keygen -q -t ed25519 -N '' -C ops@example.org -f " + Path(name));
  }
  // The file's signature is beside it.
  void Sign(const std::string& file, const std::string& key, const std::string& name_space) const {
    fs::remove(Path(file + ".sig"));
    Run("ssh-keygen -Y sign -n " + name_space + " -f " + Path(key) + " " + Path(file));
  }
  void AllowToSign(const std::string& key) const {
    directory_.Write("etc/allowed_signers", "ops@example.org " + FileText(Path(key + ".pub")));
  }
  // A shield that anybody could have written.
  void WriteAnyones(const std::string& name, const std::string& text) const {
    directory_.Write(name, text);
    ASSERT_EQ(::chmod(Path(name).c_str(), 0666), 0);
  }

  TemporaryDirectory directory_;
};

TEST_F(ShieldCommands, ASignedFileNeedNotBeRoots) {
  MakeKey("key");
  AllowToSign("key");
  WriteAnyones("alg.json", kAlg);
  ProgramRun run = Shield("add", {Path("alg.json")});
  EXPECT_NE(run.status, 0);
  EXPECT_FALSE(IsUp("alg"));

  Sign("alg.json", "key", "runclad-shield");
  run = Shield("add", {Path("alg.json"), "--signature", Path("alg.json.sig")});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("the shield alg, signed by ops@example.org, is active"));
  EXPECT_TRUE(IsUp("alg"));
  EXPECT_EQ(Shield("remove", {"alg"}).status, 0);
  EXPECT_FALSE(IsUp("alg"));
}

TEST_F(ShieldCommands, AnotherSignatureDoesNotCount) {
  MakeKey("key");
  MakeKey("other");
  AllowToSign("key");
  WriteAnyones("alg.json", kAlg);
  const auto add = [&] {
    ProgramRun run = Shield("add", {Path("alg.json"), "--signature", Path("alg.json.sig")});
    EXPECT_NE(run.status, 0);
    EXPECT_FALSE(IsUp("alg"));
    return run.err;
  };
  EXPECT_THAT(add(), HasSubstr("alg.json.sig"));
  Sign("alg.json", "other", "runclad-shield");
  EXPECT_THAT(add(), HasSubstr("is signed by a key that"));
  Sign("alg.json", "key", "runclad-policy");
  EXPECT_THAT(add(), HasSubstr("has a signature that does not match"));
  Sign("alg.json", "key", "runclad-shield");
  WriteAnyones("alg.json", std::string(kAlg) + "\n");
  EXPECT_THAT(add(), HasSubstr("has a signature that does not match"));
  // Who may write the list of signers may write shields.
  Sign("alg.json", "key", "runclad-shield");
  ASSERT_EQ(::chmod(Path("etc/allowed_signers").c_str(), 0666), 0);
  EXPECT_THAT(add(), HasSubstr("could be changed by others than root"));
}

TEST_F(ShieldCommands, SignersAreNamedWithASignatureOnly) {
  const ProgramRun run = Shield("add", {"af-alg", "--signers", Path("etc/allowed_signers")});
  EXPECT_NE(run.status, 0);
  EXPECT_THAT(run.err, HasSubstr("--signature"));
}

TEST_F(ShieldCommands, WhatStatusCannotReadIsNotAdded) {
  std::string devices;
  for (int i = 0; i < 20'000; ++i) {
    devices += std::string(i == 0 ? "" : ",") + R"({"type":"c","major":)" +
               std::to_string(20 + i / 256) + R"(,"minor":)" + std::to_string(i % 256) + "}";
  }
  directory_.Write("hd.json", R"({"id":"hd","reason":"r","deny":{"devices":[)" + devices + "]}}");
  const ProgramRun run = Shield("add", {Path("hd.json")});
  EXPECT_NE(run.status, 0);
  EXPECT_THAT(run.err, HasSubstr("the limit is 1048576: split the shield"));
  EXPECT_FALSE(IsUp("hd"));
}

TEST_F(ShieldCommands, AShieldThatCannotBeReadHidesNoOther) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root sees the containers";
  directory_.Write("m.json", R"({"id": "m", "reason": "r", "deny": {"modules": ["af_alg"]}})");
  ASSERT_EQ(Shield("add", {Path("m.json")}).status, 0);
  directory_.Write("etc/shields/bad.json", "{");
  ProgramRun run = Shield("status", {});
  EXPECT_EQ(run.status, 1) << run.err;
  EXPECT_THAT(run.out, HasSubstr("module af_alg"));
  EXPECT_THAT(run.out, HasSubstr("etc/shields/bad.json"));
  run = Shield("status", {"--json"});
  EXPECT_THAT(run.out, HasSubstr("\"shield\": \"bad\""));
  EXPECT_THAT(run.out, HasSubstr("\"module\": \"af_alg\""));
}

TEST_F(ShieldCommands, TheWholePathIsRoots) {
  if (::geteuid() != 0) GTEST_SKIP() << "everything is ours";
  directory_.Write("open/below/alg.json", kAlg);
  ASSERT_EQ(::chmod(Path("open").c_str(), 0777), 0);
  fs::create_directory_symlink(Path("open/below"), Path("link"));
  directory_.Write("safe/alg.json", kAlg);
  fs::create_directory_symlink(Path("safe"), Path("open/link"));
  for (const char* name : {"open/below/alg.json", "link/alg.json", "open/link/alg.json"}) {
    const ProgramRun run = Shield("add", {Path(name)});
    EXPECT_NE(run.status, 0) << name;
    EXPECT_THAT(run.err, HasSubstr("could be changed by others than root")) << name;
    EXPECT_FALSE(IsUp("alg")) << name;
  }
  EXPECT_EQ(Shield("add", {Path("safe/alg.json")}).status, 0);
}

TEST_F(ShieldCommands, ModulesAreKeptFromModprobe) {
  directory_.Write("m.json", R"({"id": "m", "reason": "r", "deny": {"modules":
    ["af_alg", "algif-hash"]}})");
  ProgramRun run = Shield("add", {Path("m.json")});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_TRUE(IsUp("m"));
  const std::string file = Path("modprobe.d/runclad-shield-m.conf");
  EXPECT_EQ(FileText(file),
            "# Written by runcladctl shield add; runcladctl shield remove m removes it.\n"
            "install af_alg /bin/false\n"
            "install algif_hash /bin/false\n");
  EXPECT_EQ(Shield("remove", {"m"}).status, 0);
  EXPECT_TRUE(fs::is_empty(Path("modprobe.d")));

  // What somebody else changed is theirs.
  ASSERT_EQ(Shield("add", {Path("m.json")}).status, 0);
  std::ofstream(file, std::ios::app) << "install kvm /bin/false\n";
  run = Shield("remove", {"m"});
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.out, HasSubstr("is not as the shield wrote it, and stays"));
  EXPECT_TRUE(fs::exists(file));
  EXPECT_FALSE(IsUp("m"));

  // A later version of the shield without modules.
  ASSERT_EQ(Shield("add", {Path("m.json")}).status, 0);
  directory_.Write("m.json", R"({"id": "m", "reason": "r", "deny": {"families": ["AF_ALG"]}})");
  ASSERT_EQ(Shield("add", {Path("m.json")}).status, 0);
  EXPECT_FALSE(fs::exists(file));
}

// A new version that cannot be put up does not let the old one down.
TEST_F(ShieldCommands, TheOldVersionStaysIfTheNewOneFails) {
  directory_.Write("x.json", R"({"id": "x", "reason": "r", "deny": {"families": ["AF_ALG"],
    "modules": ["af_alg"]}})");
  ASSERT_EQ(Shield("add", {Path("x.json")}).status, 0);
  const auto files = [&] {
    std::string all;
    for (const char* name : {"etc/shields/x.json", "etc/policy.d/zz-shield-x.json",
                             "modprobe.d/runclad-shield-x.conf"}) {
      all += FileText(Path(name));
    }
    return all;
  };
  const std::string before = files();
  directory_.Write("x.json", kTooManyRules);
  const ProgramRun run = Shield("add", {Path("x.json")});
  EXPECT_NE(run.status, 0);
  EXPECT_THAT(run.err, HasSubstr("the shield stays as it was"));
  EXPECT_EQ(files(), before);
}

TEST_F(ShieldCommands, WhatNoFilterCanSayIsTakenBack) {
  directory_.Write("x.json", kTooManyRules);
  const ProgramRun run = Shield("add", {Path("x.json")});
  EXPECT_NE(run.status, 0);
  EXPECT_THAT(run.err, HasSubstr("takes more rules than a filter may have"));
  EXPECT_FALSE(fs::exists(Path("etc/policy.d/zz-shield-x.json")));
  EXPECT_FALSE(fs::exists(Path("etc/shields/x.json")));
}

}  // namespace
}  // namespace runclad::ctl::shield_test
