// Which of a host's directories may only be read: by what they are, not by what they are called.
#include "host/read_only_sources.hpp"

#include <sys/mount.h>
#include <unistd.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "runclad/host/sources.hpp"
#include "runclad/rules/parameters.hpp"
#include "runclad/rules/rule.hpp"

#include "../mount_namespace.hpp"

namespace runclad::host::read_only_sources_test {
namespace {

using namespace runclad::testing;  // NOLINT(google-build-using-namespace): mounts, files
using Strings = std::vector<std::string>;

std::string Why(const std::string& source, const Strings& paths) {
  const auto table = sys::MountTable::Read();
  const auto located = sys::Locate(source);
  EXPECT_TRUE(table && located) << source;
  return ReadOnlySources(paths, *table).Why(*located);
}

TEST(ReadOnlySources, AreListedPathsTheirContentsAndTheirAncestors) {
  InPrivateMounts([] {
    MakeDirectories("/srv/shared/a");
    MakeDirectories("/srv/shared2");
    MakeDirectories("/srv/homes/x/mail");
    std::filesystem::create_symlink("/srv/shared", "/srv/link");
    const Strings listed = {"/srv/link/", "/srv/homes/*/mail", "/srv/absent"};
    const std::map<std::string, std::string> expected = {
        {"/srv/shared", "is /srv/link/"},
        {"/srv/link", "is /srv/link/"},
        {"/srv/shared/a", "is below /srv/link/"},
        {"/srv", "is an ancestor of /srv/link/"},
        {"/srv/homes", "is an ancestor of /srv/homes/*/mail"},
        {"/srv/homes/x/mail", "is /srv/homes/*/mail"},
        {"/", "is the host's root filesystem"},
        {"/srv/shared2", ""},
    };
    for (const auto& [source, why] : expected) EXPECT_EQ(Why(source, listed), why) << source;
    EXPECT_EQ(Why("/srv", {}), "");
    EXPECT_EQ(Why("/", {}), "");
    EXPECT_EQ(Why("/srv/shared2", {"/"}), "is below /");
  });
}

TEST(ReadOnlySources, AreRecognisedUnderEveryName) {
  InPrivateMounts([] {
    WriteFile("/srv/shared/file");
    WriteFile("/srv/other/x");
    BindMount("/srv/shared", "/srv/alias");
    BindMount("/srv/shared", "/srv/holder/inside");
    ASSERT_EQ(::link("/srv/shared/file", "/srv/other/copy"), 0);
    const Strings setting = {"/srv/shared", "/srv/shared/file"};
    EXPECT_EQ(Why("/srv/alias", setting),
              "is what the host has at /srv/shared, which is /srv/shared");
    EXPECT_EQ(Why("/srv/holder", setting),
              "has /srv/holder/inside mounted below it, which is what the host has at /srv/shared, "
              "which is /srv/shared");
    EXPECT_EQ(Why("/srv/other/copy", setting), "is the same file as /srv/shared/file");
    EXPECT_EQ(Why("/srv/other", setting), "");
  });
}

TEST(ReadOnlySources, AreReportedEvenIfHostMountsIsOff) {
  InPrivateMounts([] {
    MakeDirectories("/srv/shared");
    const auto spec = oci::Spec::Parse(
        R"({"mounts":[{"destination":"/a","type":"bind","source":"/srv/shared","options":["bind"]},)"
        R"({"destination":"/b","type":"bind","source":"/srv/absent","options":["bind"]}]})");
    engine::OwnFiles nothing;
    std::map<std::string, SourceFacts> sources;
    const Strings listed = {"/srv/shared"};
    GatherSources(*spec, {}, listed, "/srv/bundle", nothing, sources);
    EXPECT_EQ(sources["/srv/shared"].read_only_because, "is /srv/shared");
    // What will stand there nobody knows.
    EXPECT_NE(sources["/srv/absent"].read_only_because, "");
  });
}

}  // namespace
}  // namespace runclad::host::read_only_sources_test
