// The rule host-mounts. Long: it has the most codes, each with its cases.
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/json/pointer.hpp"
#include "runclad/rules/rule.hpp"

#include "rule_test.hpp"

namespace runclad::rules::host_mounts_test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Access = SourceFacts::Access;

Facts KnownSources() {
  Facts facts;
  facts.Get<KernelFacts>().major = 6;
  facts.Get<KernelFacts>().minor = 1;
  facts.Get<Sources>() = {
      {"/srv/x", {Access::kAllowed, "/srv/x", "", false, 0, 0}},
      {"/own/hosts", {Access::kEngineOwn, "/own/hosts", "", false, 0, 0}},
      {"/", {Access::kHostRoot, "/", "is the host's root filesystem", false, 0, 0}},
      {"/srv/link", {Access::kHostRoot, "/", "is the host's root filesystem", false, 0, 0}},
      {"/etc", {Access::kDenied, "/etc", "is /etc", false, 0, 0}},
      {"/s", {Access::kRuntimeSocket, "/s", "is a container engine's API socket", false, 0, 0}},
      {"/gone", {Access::kUnknown, "", "cannot be identified: /gone does not exist", false, 0, 0}},
      {"/zone", {Access::kReadOnly, "/zone", "is below /zoneinfo", false, 0, 0}},
      {"/cgroup", {Access::kReadOnly, "/cgroup", "is /cgroup", true, 0, 0}},
  };
  return facts;
}

// What the rule finds for one mount: "path before → after: why".
std::vector<std::string> Check(const std::string& mount, const Facts& facts = KnownSources()) {
  auto spec =
      oci::Spec::Parse(R"({"mounts":[{"destination":"/proc","type":"proc"},)" + mount + "]}");
  EXPECT_TRUE(spec) << spec.error().message;
  if (!spec) return {};
  const policy::Parameters parameters;
  const Context context{parameters};
  std::vector<std::string> lines;
  for (const Finding& finding : FindRule("host-mounts")->check.run(*spec, context, facts)) {
    const json::Value before =
        finding.has_safe_form() ? json::Get(spec->document(), finding.path) : finding.before;
    lines.push_back(finding.path + " " + before.Dump() +
                    (finding.has_safe_form() ? " -> " + finding.after.Dump() : "") + ": " +
                    finding.why);
    if (finding.has_safe_form()) json::Set(spec->document(), finding.path, finding.after);
  }
  const Findings again = FindRule("host-mounts")->check.run(*spec, context, facts);
  for (const Finding& finding : again) EXPECT_FALSE(finding.has_safe_form()) << "not idempotent";
  return lines;
}

std::string Bind(const std::string& source, const std::string& options = R"("rbind")") {
  return R"({"destination":"/x","type":"bind","source":")" + source + R"(","options":[)" + options +
         "]}";
}

TEST(HostMounts, AllowsHarmlessAndEngineMounts) {
  EXPECT_THAT(Check(Bind("/srv/x")), IsEmpty());
  EXPECT_THAT(Check(Bind("/own/hosts")), IsEmpty());
}

TEST(HostMounts, RefusesDeniedSources) {
  EXPECT_THAT(Check(Bind("/")),
              ElementsAre(R"(/mounts/1/source "/": is the host's root filesystem)"));
  EXPECT_THAT(Check(Bind("/srv/link", R"("rbind","ro")")),
              ElementsAre(R"(/mounts/1/source "/srv/link": leads to /, which is the host's root )"
                          "filesystem"));
  EXPECT_THAT(Check(Bind("/etc")), ElementsAre(R"(/mounts/1/source "/etc": is /etc)"));
  EXPECT_THAT(Check(Bind("/s")),
              ElementsAre(R"(/mounts/1/source "/s": is a container engine's API socket)"));
  EXPECT_THAT(
      Check(Bind("/gone")),
      ElementsAre(R"(/mounts/1/source "/gone": cannot be identified: /gone does not exist)"));
  Facts facts = KnownSources();
  facts.Get<Sources>()["/etc"].list = SourceFacts::List::kDeny;
  EXPECT_THAT(Check(Bind("/etc"), facts),
              ElementsAre(R"(/mounts/1/source "/etc": is /etc, which is on the deny list)"));
  EXPECT_THAT(Check(Bind("/not/gathered")),
              ElementsAre(R"(/mounts/1/source "/not/gathered": was not examined)"));
}

TEST(HostMounts, RecognisesABindByTypeOrOption) {
  const std::string refused = R"(/mounts/1/source "/etc": is /etc)";
  for (const char* mount : {
           R"({"destination":"/x","type":"bind","source":"/etc"})",
           R"({"destination":"/x","type":"none","source":"/etc","options":["bind"]})",
           R"({"destination":"/x","type":"tmpfs","source":"/etc","options":["rbind"]})",
           R"({"destination":"/x","source":"/etc","options":["ro","rbind"]})",
           R"({"destination":"/x","type":"overlay","source":"/etc","options":["bind"]})",
       }) {
    EXPECT_THAT(Check(mount), ElementsAre(refused)) << mount;
  }
}

TEST(HostMounts, MakesReadOnlySourcesReadOnly) {
  struct Case {
    const char* source;
    const char* options;
    const char* after;  // null: nothing to do
  };
  for (const Case& test : std::vector<Case>{
           {"/zone", R"("rbind")", R"(["rbind","ro","rprivate"])"},
           {"/zone", R"("rbind","rw","rprivate")", R"(["rbind","rprivate","ro"])"},
           {"/zone", R"("ro","rw","bind")", R"(["ro","bind","private"])"},
           {"/zone", R"("bind","ro","rrw")", R"(["bind","ro","private"])"},
           {"/zone", R"("rbind","ro","rprivate")", nullptr},
           {"/cgroup", R"("rbind")", R"(["rbind","ro","rro","rprivate"])"},
           {"/cgroup", R"("rbind","ro","rslave")", R"(["rbind","ro","rro","rprivate"])"},
           {"/cgroup", R"("rbind","rro","ro","rprivate")", nullptr},
       }) {
    const auto found = Check(Bind(test.source, test.options));
    if (test.after == nullptr) {
      EXPECT_THAT(found, IsEmpty()) << test.options;
      continue;
    }
    ASSERT_EQ(found.size(), 1U) << test.options;
    EXPECT_THAT(found.front(), ::testing::HasSubstr(std::string(" -> ") + test.after + ": "));
  }
}

// They would be writable, and nothing would judge them.
TEST(HostMounts, AReadOnlyBindDoesNotReceiveLaterMounts) {
  struct Case {
    const char* options;
    const char* after;  // null: nothing to do
    bool is_default = false;
  };
  for (const char* source : {"/srv/x", "/zone"}) {
    for (const Case& test : std::vector<Case>{
             {R"("rbind","ro","rslave")", R"(["rbind","ro","rprivate"])"},
             {R"("rbind","rshared","ro")", R"(["rbind","ro","rprivate"])"},
             {R"("bind","ro","slave")", R"(["bind","ro","private"])"},
             {R"("bind","ro","rslave")", R"(["bind","ro","private"])"},
             {R"("rbind","ro","private")", R"(["rbind","ro","rprivate"])", true},
             // Runtimes make the host's mounts slaves first.
             {R"("rbind","ro")", R"(["rbind","ro","rprivate"])", true},
             {R"("bind","ro")", R"(["bind","ro","private"])", true},
             {R"("rbind","ro","rprivate")", nullptr},
             {R"("bind","ro","private")", nullptr},
             {R"("rbind","ro","runbindable")", nullptr},
         }) {
      const std::string mount = R"({"mounts":[)" + Bind(source, test.options) + "]}";
      const Facts facts = KnownSources();
      const policy::Parameters parameters;
      const Findings findings =
          FindRule("host-mounts")->check.run(SpecOf(mount), {parameters}, facts);
      ASSERT_EQ(findings.size(), test.after == nullptr ? 0U : 1U) << mount;
      if (findings.empty()) continue;
      EXPECT_EQ(CodeAndRemedy(findings[0]),
                "later-mounts: ask: mount it again after the host has mounted something there");
      EXPECT_EQ(findings[0].after.Dump(), test.after) << mount;
      EXPECT_EQ(findings[0].is_default, test.is_default) << mount;
    }
  }
  EXPECT_THAT(Check(Bind("/srv/x", R"("rbind","rslave")")), IsEmpty()) << "asked for, and writable";
  EXPECT_THAT(Check(Bind("/own/hosts", R"("rbind","ro","rslave")")), IsEmpty());
}

TEST(HostMounts, LeavesSubmountsOutIfTheKernelCannotMakeThemReadOnly) {
  Facts facts = KnownSources();
  facts.Get<KernelFacts>().major = 5;
  facts.Get<KernelFacts>().minor = 11;
  EXPECT_THAT(
      Check(Bind("/cgroup"), facts),
      ElementsAre(R"(/mounts/1/options ["rbind"] -> ["bind","ro","private"]: /cgroup is /cgroup)"));
}

TEST(HostMounts, AllowsOnlyPrivateFileSystemTypes) {
  for (const char* type : {"proc", "sysfs", "tmpfs", "devpts", "mqueue", "cgroup", "cgroup2"}) {
    EXPECT_THAT(
        Check(std::string(R"({"destination":"/x","source":"/etc","type":")") + type + R"("})"),
        IsEmpty())
        << type;
  }
  for (const std::string type : {"ext4", "devtmpfs", "debugfs", "nfs", "none", "Overlay"}) {
    EXPECT_THAT(
        Check(R"({"destination":"/x","source":"/dev/sda1","type":")" + type + R"("})"),
        ElementsAre(
            R"(/mounts/1/type ")" + type +
            R"(": is a filesystem type that could expose a disk or the kernel of the host)"));
  }
  EXPECT_THAT(
      Check(R"({"destination":"/x","source":"/dev/sda1"})"),
      ElementsAre(
          R"(/mounts/1/type "": is a filesystem type that could expose a disk or the kernel of the host)"));
}

std::string Overlay(const std::string& options) {
  return R"({"destination":"/x","type":"overlay","source":"overlay","options":[)" + options + "]}";
}

TEST(HostMounts, JudgesOverlayLayersAsSources) {
  EXPECT_THAT(Check(Overlay(R"("lowerdir=/srv/x:/zone","upperdir=/srv/x","workdir=/srv/x")")),
              IsEmpty());
  EXPECT_THAT(Check(Overlay(R"("lowerdir=/srv/x:/")")),
              ElementsAre(R"(/mounts/1/options ["lowerdir=/srv/x:/"]: name /, which is the host's )"
                          "root filesystem"));
  EXPECT_THAT(Check(Overlay(R"("lowerdir=/srv/x","upperdir=/zone,workdir=/srv/x")")),
              ElementsAre(::testing::HasSubstr("name /zone, which is below /zoneinfo")));
  EXPECT_THAT(Check(Overlay(R"("ro,lowerdir=/etc")")),
              ElementsAre(::testing::HasSubstr("name /etc, which is /etc")));
}

TEST(HostMounts, RefusesAnUpperDirectoryThatOthersCanReplace) {
  Facts facts = KnownSources();
  facts.Get<Sources>().at("/srv/x").replaceable_because =
      "could be replaced by user 1000, who owns /srv";
  const std::string why =
      "name /srv/x, which could be replaced by user 1000, who owns /srv before it is mounted";
  EXPECT_THAT(Check(Overlay(R"("lowerdir=/srv/x")"), facts), IsEmpty()) << "is bound first";
  EXPECT_THAT(Check(Overlay(R"("lowerdir=/zone","upperdir=/srv/x")"), facts),
              ElementsAre(::testing::HasSubstr(why)));
  EXPECT_THAT(Check(Overlay(R"("lowerdir=/zone","workdir=/srv/x")"), facts),
              ElementsAre(::testing::HasSubstr(why)));
  EXPECT_THAT(Check(Bind("/srv/x"), facts), IsEmpty()) << "is compared at start";
}

TEST(HostMounts, RemedyGrantsOnlyTheRequest) {
  Facts facts = KnownSources();
  facts.Get<Sources>().at("/etc").allow = "/etc";
  const auto remedy = [&](const std::string& mount) {
    const auto spec = oci::Spec::Parse(R"({"mounts":[)" + mount + "]}");
    const policy::Parameters parameters;
    const Findings findings = FindRule("host-mounts")->check.run(*spec, {parameters}, facts);
    return findings.size() == 1 ? findings[0].remedy : Remedy();
  };
  using Strings = std::vector<std::string>;
  const auto is = [](const Remedy& given, std::string_view parameter, const Strings& added) {
    return given.kind == Remedy::Kind::kSetting && given.settings.size() == 1 &&
           given.settings[0].parameter == parameter &&
           given.settings[0].value == policy::Parameters::Value(added);
  };
  EXPECT_TRUE(is(remedy(Bind("/etc")), "allow", {"/etc"}));
  EXPECT_TRUE(is(remedy(Bind("/etc", R"("rbind","ro")")), "allow-read-only", {"/etc"}));
  EXPECT_TRUE(is(remedy(Overlay(R"("lowerdir=/etc")")), "allow-read-only", {"/etc"}));
  EXPECT_EQ(remedy(Bind("/zone")).kind, Remedy::Kind::kNone) << "the engine's";
  facts.Get<Sources>().at("/zone").exact = "/zone";
  EXPECT_TRUE(is(remedy(Bind("/zone")), "allow", {"/zone"})) << "made read-only";
  facts.Get<Sources>().at("/etc").is_credential = true;
  EXPECT_EQ(remedy(Bind("/etc", R"("rbind","ro")")).kind, Remedy::Kind::kNone)
      << "allow-read-only does not win over credentials";
  EXPECT_EQ(remedy(Bind("/")).kind, Remedy::Kind::kNone);
  EXPECT_EQ(remedy(Bind("/s")).kind, Remedy::Kind::kNone);
  EXPECT_EQ(remedy(R"({"destination":"/x","type":"ext4","source":"/dev/sda"})").kind,
            Remedy::Kind::kEngine);
}

TEST(HostMounts, AWaiverMatchesExactlyOneMount) {
  Facts facts = KnownSources();
  for (const char* path : {"/", "/etc", "/s", "/zone"}) facts.Get<Sources>().at(path).exact = path;
  facts.Get<Sources>().at("/srv/link").exact = "/";  // leads there
  facts.Get<Sources>().at("/s").is_file = true;
  facts.Get<Sources>()["/a b"] = {Access::kDenied, "/a b", "is denied", false, 0, 0};
  facts.Get<Sources>().at("/a b").exact = "/a b";
  const auto found = [&](const std::string& mount, std::vector<std::string> exactly) {
    const auto spec = oci::Spec::Parse(R"({"mounts":[)" + mount + "]}");
    policy::Parameters parameters;
    parameters.Set("exactly", std::move(exactly));
    std::string text;
    for (const Finding& finding : FindRule("host-mounts")->check.run(*spec, {parameters}, facts)) {
      text += std::string(finding.code->id) + ' ' +
              (finding.has_safe_form() ? finding.after.Dump() : "refused") + ' ' +
              (finding.remedy.kind == Remedy::Kind::kWaiver
                   ? std::get<std::vector<std::string>>(finding.remedy.settings[0].value)[0]
                   : "");
    }
    return text;
  };
  const std::string read_only = R"("rbind","ro")";
  // What each is refused with, and that this lets it in.
  EXPECT_EQ(found(Bind("/etc", read_only), {}), "denied refused bind /etc ro");
  EXPECT_EQ(found(Bind("/", read_only), {}), "host-root refused bind / ro");
  EXPECT_EQ(found(Bind("/s"), {}), "runtime-socket refused bind /s rw");
  EXPECT_EQ(found(Bind("/s"), {"bind /s rw"}), R"(later-mounts ["rbind","rprivate"] )");
  EXPECT_EQ(found(Bind("/etc", R"("bind","ro","private")"), {"bind /etc ro"}), "");
  EXPECT_EQ(found(Bind("/srv/link", R"("bind","ro","private")"), {"bind / ro"}), "") << "as /";
  // Not what is mounted below it.
  EXPECT_EQ(found(Bind("/", read_only), {"bind / ro"}), R"(named ["bind","ro","private"] )");
  EXPECT_EQ(found(Bind("/", R"("rbind","rslave")"), {"bind / rw"}), R"(named ["bind","private"] )");
  // Nothing else: another mode, another source, an unknown one, a name with a blank.
  EXPECT_EQ(found(Bind("/etc"), {"bind /etc ro"}), "denied refused bind /etc rw");
  EXPECT_EQ(found(Bind("/etc", read_only), {"bind /etc rw"}), "denied refused bind /etc ro");
  EXPECT_EQ(found(Bind("/etc", R"("rbind","ro","rw")"), {"bind /etc ro"}),
            "denied refused bind /etc rw");
  EXPECT_EQ(found(Bind("/s"), {"bind / rw", "bind /etc rw"}), "runtime-socket refused bind /s rw");
  EXPECT_EQ(found(Bind("/gone"), {"bind /gone rw"}), "unknown refused ");
  EXPECT_EQ(found(Bind("/a b"), {"bind /a b rw"}), "denied refused ");
  EXPECT_EQ(found(Overlay(R"("lowerdir=/etc")"), {"bind /etc ro", "bind /etc rw"}),
            "denied refused ");
  // Where the policy lets it be read, a waiver lets it be written.
  EXPECT_EQ(found(Bind("/zone", R"("bind","private")"), {"bind /zone rw"}), "");
}

TEST(HostMounts, AWaiverMatchesANetworkFileSystemByItsOptions) {
  const auto found = [](const std::string& options, const std::string& exactly) {
    const auto spec = oci::Spec::Parse(
        R"({"mounts":[{"destination":"/x","type":"nfs4","source":":/export","options":)" + options +
        "}]}");
    policy::Parameters parameters;
    parameters.Set("exactly", std::vector<std::string>{exactly});
    std::vector<std::string> texts;
    for (const Finding& finding :
         FindRule("host-mounts")->check.run(*spec, {parameters}, Facts())) {
      texts.push_back(finding.remedy.kind == Remedy::Kind::kWaiver
                          ? std::get<std::vector<std::string>>(finding.remedy.settings[0].value)[0]
                          : finding.remedy.because);
    }
    return texts;
  };
  const std::string entry = "nfs4 :/export addr=10.0.0.5,vers=4.2";
  EXPECT_THAT(found(R"(["addr=10.0.0.5","vers=4.2"])", ""), ElementsAre(entry));
  EXPECT_THAT(found(R"(["addr=10.0.0.5","vers=4.2"])", entry), IsEmpty());
  EXPECT_THAT(found(R"(["addr=10.0.0.6","vers=4.2"])", entry),
              ElementsAre("nfs4 :/export addr=10.0.0.6,vers=4.2"))
      << "another server";
  EXPECT_THAT(found("[]", entry), ElementsAre("nfs4 :/export defaults"));
  const std::string on_the_host = "mount it on the host, and bind a directory in it";
  EXPECT_THAT(found(R"(["a,b"])", entry), ElementsAre(on_the_host));
  for (const char* secret : {"password=x", "pass=x", "password2=x", "secret=x", "PASS=x"}) {
    EXPECT_THAT(found(R"(["vers=3",")" + std::string(secret) + "\"]", entry),
                ElementsAre(on_the_host))
        << "no policy needs the password";
  }
}

TEST(HostMounts, RefusesAmbiguousOverlayOptions) {
  for (const char* options : {R"("lowerdir=/srv/x\\:/etc")", R"("lowerdir=etc")",
                              R"("x=\\","lowerdir=/srv/x")", R"("upperdir=../etc")"}) {
    EXPECT_THAT(Check(Overlay(options)),
                ElementsAre(::testing::HasSubstr("in a way that can be read differently")))
        << options;
  }
}

TEST(HostMounts, RefusesEveryRemount) {
  for (const char* mount :
       {R"({"destination":"/sys/fs/cgroup","source":"/srv/x","options":["bind","remount","rw"]})",
        R"({"destination":"/x","type":"tmpfs","source":"tmpfs","options":["remount"]})"}) {
    const auto findings = Check(mount);
    ASSERT_EQ(findings.size(), 1U) << mount;
    EXPECT_THAT(findings[0], ::testing::HasSubstr("changes the options of a mount")) << mount;
  }
}

// A bind of /srv/x with `more` members, in a spec with `linux`.
Findings OfIdMapped(const std::string& more, const std::string& linux,
                    const char* id_maps = "own") {
  const auto spec =
      oci::Spec::Parse(R"({"mounts":[{"destination":"/x","type":"bind","source":"/srv/x",)" + more +
                       R"(}],"linux":{)" + linux + "}}");
  EXPECT_TRUE(spec) << spec.error().message;
  policy::Parameters parameters;
  parameters.Set("id-maps", std::string(id_maps));
  const Facts facts = KnownSources();
  return FindRule("host-mounts")->check.run(*spec, {parameters}, facts);
}

TEST(HostMounts, RefusesAnIdmappedMountUnlessItIsTheIdentity) {
  const std::string none;
  const std::string own = R"("namespaces":[{"type":"user"}],"uidMappings":)"
                          R"([{"containerID":0,"hostID":100000,"size":65536}])";
  const std::string joined = R"("namespaces":[{"type":"user","path":"/proc/7/ns/user"}],)"
                             R"("uidMappings":[{"containerID":0,"hostID":100000,"size":65536}])";
  const std::string unused = R"("uidMappings":[{"containerID":0,"hostID":100000,"size":65536}])";
  const std::string same = R"("uidMappings":[{"containerID":0,"hostID":100000,"size":65536}])";
  const std::string to_a_user = R"("uidMappings":[{"containerID":0,"hostID":1000,"size":1}])";
  const std::string groups = R"("gidMappings":[{"containerID":0,"hostID":100000,"size":65536}])";
  const struct {
    const char* name;
    std::string members;
    std::string linux;
    const char* refused;  // the pointer; empty: nothing is
  } cases[] = {
      {"none", R"("options":["bind","idmapped"])", none, ""},
      {"empty", R"("uidMappings":[],"gidMappings":[])", none, ""},
      {"root's files are a user's", to_a_user, none, "/mounts/0/uidMappings"},
      {"the same in a user namespace", to_a_user, own, "/mounts/0/uidMappings"},
      {"its own, as pods of Kubernetes have it", same, own, ""},
      {"its own, in the pod's", same, joined, ""},
      {"of a user namespace that there is not", same, unused, "/mounts/0/uidMappings"},
      {"groups", groups, own, "/mounts/0/gidMappings"},
      {"runc's option", R"("options":["bind","idmap"])", own, ""},
      {"runc's recursive option", R"("options":["rbind","ridmap"])", joined, ""},
      {"runc's option without a user namespace", R"("options":["idmap"])", none,
       "/mounts/0/options"},
      {"crun's option", R"("options":["bind","idmap=uids=0-1000-1;gids=0-1000-1"])", own,
       "/mounts/0/options"},
      {"crun's recursive option", R"("options":["bind","ridmap=uids=@0-1000-1"])", none,
       "/mounts/0/options"},
  };
  for (const auto& [name, members, linux, refused] : cases) {
    const Findings findings = OfIdMapped(members, linux);
    ASSERT_EQ(findings.size(), *refused == '\0' ? 0U : 1U) << name;
    if (!findings.empty()) {
      EXPECT_EQ(findings[0].path, refused) << name;
      EXPECT_FALSE(findings[0].has_safe_form()) << name;
      EXPECT_FALSE(findings[0].before.is_null()) << name;
    }
    EXPECT_THAT(OfIdMapped(members, linux, "any"), IsEmpty()) << name;
  }
  EXPECT_EQ(OfIdMapped(to_a_user + "," + groups, none).size(), 2U);
}

}  // namespace
}  // namespace runclad::rules::host_mounts_test
