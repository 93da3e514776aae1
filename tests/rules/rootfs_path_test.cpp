// rootfs-path and user-namespace.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "rule_test.hpp"

namespace runclad::rules::rootfs_path_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

enforce::Decision Refused(const char* rule, const std::string& document, const Facts& facts,
                          const policy::Parameters& parameters = {}) {
  return enforce::Decide(SpecOf(document), PolicyWith(rule, parameters, policy::Action::kRefuse),
                         facts, Scope::kContainer);
}

TEST(RootfsPath, OfTheHostIsRefused) {
  using Kind = RootFacts::Kind;
  for (const Kind kind : {Kind::kHostRoot, Kind::kLink, Kind::kOutside}) {
    Facts facts;
    facts.Get<RootFacts>() = {kind, "/", "is the host's"};
    EXPECT_THAT(
        enforce::RefusalSentence(Refused("rootfs-path", R"({"root":{"path":"/x"}})", facts)),
        HasSubstr("refused by rootfs-path: /root/path \"/x\" is the host's; "));
  }
  for (const Kind kind : {Kind::kOrdinary, Kind::kUnknown}) {
    Facts facts;
    facts.Get<RootFacts>() = {kind, "/x", ""};
    EXPECT_THAT(Refused("rootfs-path", R"({"root":{"path":"/x"}})", facts).findings, IsEmpty());
  }
}

TEST(RootfsPath, NamesTheRemedy) {
  using Kind = RootFacts::Kind;
  const auto said = [](Kind kind, std::vector<std::string> allow) {
    Facts facts;
    facts.Get<RootFacts>() = {kind, "/srv/b", "is another's", std::move(allow)};
    return CodesAndRemedies(Refused("rootfs-path", R"({"root":{"path":"/srv/a"}})", facts));
  };
  EXPECT_THAT(
      said(Kind::kHostRoot, {}),
      ElementsAre("host-root: none: the host's root filesystem is never a container's root"));
  EXPECT_THAT(said(Kind::kLink, {}),
              ElementsAre("link: ask: specify the directory itself: /srv/b"));
  EXPECT_THAT(said(Kind::kOutside, {"/srv/b", "/srv/lower"}),
              ElementsAre("outside: allow += /srv/b /srv/lower"));
  EXPECT_THAT(
      said(Kind::kOutside, {}),
      ElementsAre("outside: none: no entry in rootfs-path.allow could allow this directory"));
}

std::vector<std::string> Paths(const std::string& linux_member, bool required = false,
                               const Facts& facts = {}) {
  policy::Parameters parameters;
  parameters.Set("required", required);
  std::vector<std::string> paths;
  for (const auto& applied :
       Refused("user-namespace", R"({"linux":{)" + linux_member + "}}", facts, parameters)
           .findings) {
    paths.push_back(applied.finding.path);
  }
  return paths;
}

constexpr const char* kOwn = R"("namespaces":[{"type":"pid"},{"type":"user"}])";

TEST(UserNamespace, IsOptionalUnlessRequired) {
  EXPECT_THAT(Paths(R"("namespaces":[{"type":"pid"}])"), IsEmpty());
  EXPECT_THAT(Paths(R"("namespaces":[{"type":"pid"}])", true), ElementsAre("/linux/namespaces"));
  EXPECT_THAT(Paths(kOwn, true), IsEmpty());
}

TEST(UserNamespace, OfTheHostDoesNotCount) {
  const char* joined = R"("namespaces":[{"type":"user","path":"/proc/1/ns/user"}])";
  Facts facts;
  facts.Get<Namespaces>()["/proc/1/ns/user"] = {NamespaceFacts::Owner::kHost, {}};
  EXPECT_THAT(Paths(joined, false, facts), ElementsAre("/linux/namespaces/0/path"));
  EXPECT_THAT(Paths(joined, true, facts), ElementsAre("/linux/namespaces/0/path"));
  facts.Get<Namespaces>()["/proc/1/ns/user"] = {NamespaceFacts::Owner::kForeign, {}};
  EXPECT_THAT(Paths(joined, true, facts), IsEmpty());
}

TEST(UserNamespace, ThatMapsTheHostsRootIsRefused) {
  const auto mapped = [](const char* kind, const char* entries) {
    return std::string(kOwn) + ",\"" + kind + "\":[" + entries + "]";
  };
  const char* harmless = R"({"containerID":0,"hostID":100000,"size":65536})";
  EXPECT_THAT(Paths(mapped("uidMappings", harmless)), IsEmpty());
  EXPECT_THAT(Paths(mapped("uidMappings", R"({"containerID":5,"hostID":0,"size":1})")),
              ElementsAre("/linux/uidMappings/0/hostID"));
  EXPECT_THAT(Paths(mapped("gidMappings", R"({"containerID":0,"hostID":7,"size":1},{"size":9})")),
              ElementsAre("/linux/gidMappings/1/hostID"));
  EXPECT_THAT(Paths(mapped("uidMappings", R"({"containerID":5,"hostID":0,"size":0})")), IsEmpty());
}

TEST(UserNamespace, NamesTheRemedy) {
  policy::Parameters required;
  required.Set("required", true);
  const auto said = [&](const std::string& linux_member) {
    const std::string document = R"({"linux":{)" + linux_member + "}}";
    ExpectRemediesHelp("user-namespace", SpecOf(document), required);
    return CodesAndRemedies(Refused("user-namespace", document, {}, required));
  };
  EXPECT_THAT(said(R"("namespaces":[])"), ElementsAre("missing: required = false"));
  EXPECT_THAT(said(std::string(kOwn) + R"(,"uidMappings":[{"hostID":0,"size":1}])"),
              ElementsAre(HasSubstr("host-user: ask: map it to other ids")));
}

}  // namespace
}  // namespace runclad::rules::rootfs_path_test
