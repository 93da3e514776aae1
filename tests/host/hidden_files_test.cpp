// What an image's files, links and package databases make of a list of what is to be hidden.
#include "runclad/host/hidden_files.hpp"

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "../mount_namespace.hpp"
#include "test_paths.hpp"

namespace runclad::host::hidden_files_test {
namespace {

namespace fs = std::filesystem;
using runclad::testing::MakeDirectories;
using runclad::testing::WriteFile;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Strings = std::vector<std::string>;

class HiddenFiles : public ::testing::Test {
 protected:
  void SetUp() override { MakeDirectories(root_); }
  void TearDown() override { fs::remove_all(root_); }

  void File(const std::string& path, const std::string& text = "x\n") const {
    WriteFile(root_ + path, text);
  }
  void Link(const std::string& target, const std::string& path) const {
    MakeDirectories(fs::path(root_ + path).parent_path());
    fs::create_symlink(target, root_ + path);
  }
  void HardLink(const std::string& target, const std::string& path) const {
    fs::create_hard_link(root_ + target, root_ + path);
  }

  [[nodiscard]] HiddenFacts Gather(const Strings& paths, const Strings& programs = {},
                                   const Strings& packages = {}) const {
    const auto rootfs = sys::Rootfs::Open(root_);
    EXPECT_TRUE(rootfs);
    return *FindHidden({paths, programs, packages}, *rootfs).facts;
  }
  [[nodiscard]] static Strings Told(const HiddenFacts& facts) {
    Strings lines;
    for (const auto& kept : facts.kept) lines.push_back(kept.path + " " + kept.because);
    return lines;
  }

  const std::string root_ = ::testing::TempDir() + "hidden-" + std::to_string(::getpid());
};

TEST_F(HiddenFiles, SearchProgramDirectories) {
  Link("usr/bin", "/bin");
  File("/usr/bin/wget");
  File("/usr/bin/sh");
  File("/usr/local/sbin/wget");
  File("/opt/wget");
  const auto facts = Gather({}, {"wget", "absent", "../opt/wget"});
  EXPECT_THAT(facts.paths, ElementsAre("/usr/bin/wget", "/usr/local/sbin/wget"));
  EXPECT_THAT(Told(facts), IsEmpty());
}

TEST_F(HiddenFiles, KeepABusyboxAppletThatSharesTheFileOfTheShell) {
  File("/bin/busybox");
  for (const char* name : {"/bin/sh", "/bin/wget", "/bin/[", "/bin/nc"}) Link("busybox", name);
  Link("/bin/busybox", "/usr/bin/nc");
  const auto facts = Gather({"/bin/busybox"}, {"wget", "nc"});
  EXPECT_THAT(facts.paths, IsEmpty());
  EXPECT_THAT(Told(facts),
              ElementsAre("/bin/busybox is the same file as /bin/sh, which must not be hidden",
                          "/bin/nc is the same file as /bin/sh, which must not be hidden",
                          "/bin/wget is the same file as /bin/sh, which must not be hidden",
                          "/usr/bin/nc is the same file as /bin/sh, which must not be hidden"));
}

TEST_F(HiddenFiles, KeepALinkToAProgramOfAnotherName) {
  File("/usr/bin/mawk");
  Link("mawk", "/usr/bin/awk");
  EXPECT_THAT(
      Told(Gather({}, {"awk"})),
      ElementsAre("/usr/bin/awk is the same file as /usr/bin/mawk, which must not be hidden"));
  EXPECT_THAT(Gather({}, {"awk", "mawk"}).paths, ElementsAre("/usr/bin/mawk"));
}

TEST_F(HiddenFiles, HideAHardLinkAndReportItsOtherNames) {
  File("/bin/sh");
  HardLink("/bin/sh", "/bin/wget");
  const auto facts = Gather({}, {"wget"});
  EXPECT_THAT(facts.paths, ElementsAre("/bin/wget"));
  EXPECT_THAT(Told(facts), ElementsAre("/bin/sh is the same file as /bin/wget, which is hidden"));
}

TEST_F(HiddenFiles, ResolveAlternatives) {
  File("/usr/bin/nc.openbsd");
  Link("/usr/bin/nc.openbsd", "/etc/alternatives/nc");
  Link("/etc/alternatives/nc", "/usr/bin/nc");
  Link("/etc/alternatives/nc", "/usr/bin/netcat");
  EXPECT_THAT(
      Told(Gather({}, {"nc"})),
      ElementsAre("/usr/bin/nc is the same file as /usr/bin/netcat, which must not be hidden"));
  const auto facts = Gather({}, {"nc", "netcat"});
  EXPECT_THAT(facts.paths, ElementsAre("/usr/bin/nc.openbsd"));
  EXPECT_THAT(Told(facts), IsEmpty());
}

TEST_F(HiddenFiles, AcceptPatternsAndDirectories) {
  File("/etc/app/a.key");
  File("/etc/app/b.key");
  File("/etc/app/.hidden.key");
  File("/opt/1/tools/x");
  File("/opt/2/tools/x");
  File("/opt/2/other/x");
  Link("/opt/2", "/opt/3");
  const auto facts = Gather({"/etc/app/*.key", "/opt/*/tools", "/opt/2/other/x"});
  EXPECT_THAT(facts.paths, ElementsAre("/etc/app/a.key", "/etc/app/b.key", "/opt/1/tools",
                                       "/opt/2/other/x", "/opt/2/tools"));
}

TEST_F(HiddenFiles, LinksStayWithinTheImage) {
  Link("/../../../../../../etc", "/etc/app");  // dangling inside
  Link("/loop", "/loop");
  const auto facts = Gather({"/etc/app/passwd", "/loop", "/loop/*", "/"});
  EXPECT_THAT(Told(facts), ElementsAre("/ is the root directory"));
  for (const std::string& path : facts.paths) EXPECT_FALSE(path.starts_with(root_)) << path;
}

// A Kubernetes token, say, is mounted there later.
TEST_F(HiddenFiles, MaskAPathThatOnlyAMountProvides) {
  Link("/run", "/var/run");
  EXPECT_THAT(Gather({"/var/run/secrets/token"}).paths, ElementsAre("/run/secrets/token"));
}

TEST_F(HiddenFiles, ReadThePackagesOfDpkg) {
  File("/usr/bin/wget");
  File("/usr/lib/wget/x.so");
  File("/usr/share/doc/wget/copyright");
  File("/usr/bin/other");
  File("/var/lib/dpkg/info/wget.list",
       "/.\n/usr\n/usr/bin\n/usr/bin/wget\n/usr/lib/wget/x.so\n/usr/share/doc/wget/copyright\n"
       "/etc/gone\n");
  File("/var/lib/dpkg/info/libc6:amd64.list", "/usr/lib/libc.so.6\n");
  File("/usr/lib/libc.so.6");
  EXPECT_THAT(Gather({}, {}, {"wget", "absent"}).paths,
              ElementsAre("/usr/bin/wget", "/usr/lib/wget/x.so"));
  EXPECT_THAT(Gather({}, {}, {"libc6"}).paths, ElementsAre("/usr/lib/libc.so.6"));
  EXPECT_THAT(Gather({}, {}, {"../info/wget"}).paths, IsEmpty()) << "a name, no path";
}

TEST_F(HiddenFiles, ReadThePackagesOfApk) {
  File("/usr/bin/curl");
  File("/usr/bin/wget");
  File("/etc/wgetrc");
  File("/lib/apk/db/installed",
       "C:Q1\nP:curl\nV:8\nF:usr\nF:usr/bin\nR:curl\na:0:0:755\n\n"
       "P:wget\nF:etc\nR:wgetrc\nF:usr/bin\nR:wget\n\n");
  EXPECT_THAT(Gather({}, {}, {"wget"}).paths, ElementsAre("/etc/wgetrc", "/usr/bin/wget"));
}

TEST_F(HiddenFiles, ReadThePackagesOfRpm) {
  File("/opt/rpm-kit/bin/run");
  File("/opt/rpm-kit/bin/second");
  File("/opt/rpm-other/run");
  File("/usr/share/doc/rpm-kit/README");
  struct {
    const char* path;
    const char* fixture;
  } const rows[] = {
      {"/var/lib/rpm/rpmdb.sqlite", "rpmdb.sqlite"},
      {"/usr/lib/sysimage/rpm/rpmdb.sqlite", "rpmdb.sqlite"},
      {"/var/lib/rpm/Packages", "Packages"},
      {"/usr/lib/sysimage/rpm/Packages.db", "Packages.db"},
  };
  for (const auto& row : rows) {
    MakeDirectories(fs::path(root_ + row.path).parent_path());
    fs::copy_file(std::string(RUNCLAD_TEST_DATA) + "/data/rpm/" + row.fixture, root_ + row.path);
    const auto facts = Gather({}, {}, {"absent", "rpm-kit"});
    EXPECT_THAT(facts.paths, ElementsAre("/opt/rpm-kit/bin/run", "/opt/rpm-kit/bin/second"))
        << row.path;
    EXPECT_THAT(Told(facts), IsEmpty()) << row.path;
    fs::remove(root_ + row.path);
  }
}

TEST_F(HiddenFiles, ReadAnRpmDatabaseWithTwoNamesOnce) {
  File("/usr/lib/sysimage/rpm/Packages", "broken");
  Link("../../usr/lib/sysimage/rpm", "/var/lib/rpm");
  EXPECT_THAT(
      Told(Gather({}, {}, {"kit"})),
      ElementsAre("/usr/lib/sysimage/rpm/Packages is a package database that cannot be read: it is "
                  "damaged or in an unknown format"));
  EXPECT_THAT(Told(Gather({}, {"wget"})), IsEmpty()) << "nobody asks for packages";
}

TEST_F(HiddenFiles, ReportPendingChangesInAnRpmLog) {
  File("/opt/rpm-kit/bin/run");
  MakeDirectories(root_ + "/var/lib/rpm");
  fs::copy_file(std::string(RUNCLAD_TEST_DATA) + "/data/rpm/rpmdb.sqlite",
                root_ + "/var/lib/rpm/rpmdb.sqlite");
  File("/var/lib/rpm/rpmdb.sqlite-wal", "");
  EXPECT_THAT(Told(Gather({}, {}, {"rpm-kit"})), IsEmpty());
  File("/var/lib/rpm/rpmdb.sqlite-wal", "changes");
  const auto facts = Gather({}, {}, {"rpm-kit"});
  EXPECT_THAT(facts.paths, ElementsAre("/opt/rpm-kit/bin/run"));
  EXPECT_THAT(Told(facts),
              ElementsAre("/var/lib/rpm/rpmdb.sqlite-wal is a package database that cannot be "
                          "read: pending changes in SQLite's write-ahead log are not read"));
}

TEST_F(HiddenFiles, ReportAHostileDatabaseQuickly) {
  for (const char* directory : {"/var/lib/dpkg/info", "/var/lib/rpm", "/usr/lib/sysimage/rpm"}) {
    MakeDirectories(root_ + directory);
  }
  ASSERT_EQ(::mkfifo((root_ + "/var/lib/dpkg/info/wget.list").c_str(), 0600), 0);
  ASSERT_EQ(::mkfifo((root_ + "/var/lib/rpm/rpmdb.sqlite").c_str(), 0600), 0);
  Link("/etc/passwd", "/lib/apk/db/installed");  // the host's is not read
  Link("../../../../../../../../etc/passwd", "/usr/lib/sysimage/rpm/Packages");
  Link("Packages.db", "/usr/lib/sysimage/rpm/Packages.db");
  MakeDirectories(root_ + "/usr/lib/sysimage/rpm/rpmdb.sqlite");
  File("/var/lib/rpm/Packages", "");
  fs::resize_file(root_ + "/var/lib/rpm/Packages", (std::size_t{256} << 20) + 1);
  const auto facts = Gather({}, {}, {"wget"});
  EXPECT_THAT(facts.paths, IsEmpty());
  EXPECT_THAT(
      Told(facts),
      ElementsAre(
          "/var/lib/dpkg/info/wget.list is a package database that cannot be read: not a regular "
          "file",
          "/var/lib/rpm/rpmdb.sqlite is a package database that cannot be read: it is not a "
          "regular file",
          "/var/lib/rpm/Packages is a package database that cannot be read: it is larger than the "
          "268435456 "
          "bytes allowed",
          "/usr/lib/sysimage/rpm/rpmdb.sqlite is a package database that cannot be read: it is not "
          "a "
          "regular file",
          "/usr/lib/sysimage/rpm/Packages.db is a package database that cannot be read: it is not "
          "a "
          "regular "
          "file"));
  if (::geteuid() != 0) return;
  fs::remove(root_ + "/var/lib/rpm/rpmdb.sqlite");
  ASSERT_EQ(::mknod((root_ + "/var/lib/rpm/rpmdb.sqlite").c_str(), S_IFCHR | 0600, makedev(1, 5)),
            0);
  EXPECT_THAT(
      Told(Gather({}, {}, {"wget"})),
      Contains("/var/lib/rpm/rpmdb.sqlite is a package database that cannot be read: it is not a "
               "regular file"));
}

TEST_F(HiddenFiles, AreBounded) {
  for (int i = 0; i < 2100; ++i) File("/many/" + std::to_string(i));
  const auto facts = Gather({"/many/*"});
  EXPECT_EQ(facts.paths.size(), 2048U);
  EXPECT_THAT(Told(facts), ElementsAre("/ has more than 2048 files to hide"));
}

TEST_F(HiddenFiles, AreNotSearchedWithoutALists) {
  const auto facts = Gather({}, {}, {});
  EXPECT_THAT(facts.paths, IsEmpty());
  EXPECT_THAT(facts.kept, IsEmpty());
}

}  // namespace
}  // namespace runclad::host::hidden_files_test
