// Programs in a root filesystem of the test's.
#include "host/program.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace runclad::host::program_test {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using Strings = std::vector<std::string>;

class ProgramFactsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = "/tmp/runclad-program.XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  void TearDown() override { fs::remove_all(root_); }

  void File(const std::string& path, const std::string& text, mode_t mode = 0755) const {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
    ::chmod((root_ + path).c_str(), mode);
  }
  void Link(const std::string& path, const std::string& target) const {
    fs::create_directories(fs::path(root_ + path).parent_path());
    fs::create_symlink(target, root_ + path);
  }
  [[nodiscard]] std::optional<ProgramFacts> Gather(
      const Strings& arguments, const Strings& environment = {"PATH=/usr/bin:/bin"},
      const std::string& mount = "/data") const {
    const json::Document document = {
        {"process", {{"args", arguments}, {"cwd", "/work"}, {"env", environment}}},
        {"mounts", {{{"destination", mount}, {"type", "tmpfs"}}}}};
    const auto spec = oci::Spec::Parse(document.dump());
    EXPECT_TRUE(spec);
    const auto rootfs = sys::Rootfs::Open(root_);
    EXPECT_TRUE(rootfs);
    return *FindProgram(*spec, &*rootfs, {});
  }
  [[nodiscard]] std::string Resolved(const Strings& arguments) const {
    const auto facts = Gather(arguments);
    return facts ? facts->resolved : "none";
  }

  std::string root_;
};

TEST_F(ProgramFactsTest, SearchPath) {
  File("/bin/tool", "x");
  EXPECT_EQ(Resolved({"tool"}), "/bin/tool");
  File("/usr/bin/tool", "x", 0644);  // not to be executed
  EXPECT_EQ(Resolved({"tool"}), "/bin/tool");
  fs::create_directories(root_ + "/usr/bin/dir");
  File("/bin/dir", "x");
  EXPECT_EQ(Resolved({"dir"}), "/bin/dir");
  EXPECT_EQ(Resolved({"missing"}), "");
  EXPECT_EQ(Gather({"tool"}, {"PATHS=/bin"})->resolved, "/bin/tool");
  EXPECT_EQ(Gather({"tool"}, {"PATH=:bin:/bin"})->resolved, "/bin/tool");
  EXPECT_EQ(Gather({"tool"}, {"PATH="})->resolved, "");
}

TEST_F(ProgramFactsTest, LinksStayWithinTheImage) {
  File("/bin/busybox", "x");
  Link("/bin/sh", "/bin/busybox");
  Link("/work/up", "../../../../../bin/busybox");
  Link("/bin/loop", "loop");
  EXPECT_EQ(Resolved({"sh"}), "/bin/busybox");
  EXPECT_EQ(Resolved({"./up"}), "/bin/busybox");
  EXPECT_EQ(Resolved({"/work/up"}), "/bin/busybox");
  EXPECT_EQ(Resolved({"loop"}), "");
}

TEST_F(ProgramFactsTest, FollowTheInterpretersOfScripts) {
  File("/bin/sh", "x");
  Link("/bin/link", "sh");
  File("/start", "#! /bin/link -e\nsshd\n");
  EXPECT_THAT(Gather({"/start"})->interpreters, ElementsAre("/bin/sh"));
  File("/second", "#!/start");
  EXPECT_THAT(Gather({"/second"})->interpreters, ElementsAre("/start", "/bin/sh"));
  File("/self", "#!/self\n");
  EXPECT_LE(Gather({"/self"})->interpreters.size(), 6U);
  File("/empty", "#!\n");
  EXPECT_TRUE(Gather({"/empty"})->interpreters.empty());
}

TEST_F(ProgramFactsTest, AreUnknownBelowAMount) {
  File("/app/server", "#!/bin/sh\n");
  File("/bin/sh", "x");
  EXPECT_EQ(Gather({"/app/server"})->resolved, "/app/server");
  for (const std::string mount : {"/app", "/app/server", "/bin"}) {
    EXPECT_EQ(Gather({"/app/server"}, {}, mount)->resolved, "") << mount;
    EXPECT_EQ(Gather({"/app/server"}, {}, mount)->on_mount,
              mount == "/bin" ? "/bin/sh" : "/app/server");
  }
  Link("/bin/tool", "/data/tool");
  EXPECT_EQ(Gather({"/bin/tool"})->on_mount, "/data/tool");
  EXPECT_EQ(Gather({"/app/server"})->on_mount, "");
  EXPECT_EQ(Gather({"/app/server"}, {}, "/ap")->resolved, "/app/server");
  // The directory that comes first could hold another one.
  EXPECT_EQ(Gather({"sh"}, {"PATH=/usr/bin:/bin"}, "/usr/bin")->resolved, "");
}

TEST_F(ProgramFactsTest, HandleALongPath) {
  File("/bin/tool", "#!/bin/sh\n");
  std::string path = "PATH=";
  for (int i = 0; i < 1000; ++i) path += "/none/" + std::to_string(i) + ':';
  EXPECT_EQ(Gather({"tool"}, {path + "/bin"})->resolved, "/bin/tool");
  const std::string too_long = '/' + std::string(5000, 'a');  // no directory has such a name
  EXPECT_EQ(Gather({"tool"}, {"PATH=" + too_long + ":/bin"})->resolved, "/bin/tool");
}

TEST_F(ProgramFactsTest, NeverBlockOnAFifo) {
  fs::create_directories(root_ + "/bin");
  ASSERT_EQ(::mkfifo((root_ + "/bin/fifo").c_str(), 0755), 0);
  EXPECT_EQ(Resolved({"fifo"}), "");
  EXPECT_EQ(Resolved({"/bin/fifo"}), "/bin/fifo");
}

TEST_F(ProgramFactsTest, ClassifyTheFile) {
  fs::create_directories(root_ + "/bin");
  fs::copy_file("/proc/self/exe", root_ + "/bin/elf");
  ASSERT_EQ(::chmod((root_ + "/bin/elf").c_str(), 06755), 0);
  const auto facts = Gather({"elf"});
  EXPECT_TRUE(facts->sets_user);
  EXPECT_TRUE(facts->sets_group);
  EXPECT_EQ(facts->file_capabilities, 0U);
#if defined(__x86_64__)
  EXPECT_EQ(facts->architecture, "amd64");
#endif
  // A script's bits do nothing.
  File("/bin/script", "#!/bin/none\n", 06755);
  EXPECT_FALSE(Gather({"script"})->sets_user);
}

TEST_F(ProgramFactsTest, AreNotGatheredIfNoRuleReadsThem) {
  EXPECT_FALSE(Gather({}));
  EXPECT_FALSE(Gather({""}));
}

}  // namespace
}  // namespace runclad::host::program_test
