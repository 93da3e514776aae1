// runcladctl policy show, test and pin, identify, check --image.
#include <sys/stat.h>

#include <gmock/gmock.h>

#include "runclad/enforce/record.hpp"

#include "program.hpp"

namespace runclad::ctl::policy_test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const std::string kConfig = "sha256:" + std::string(64, 'c');
const std::string kManifest = "sha256:" + std::string(64, 'd');

class PolicyCommands : public ::testing::Test {
 protected:
  [[nodiscard]] ProgramRun Run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--config", directory_.path()});
    return Runcladctl(arguments);
  }
  // The file of the repository nginx.
  void Nginx(const std::string& text) const {
    directory_.Write("images/docker.io/library/nginx.json", text);
  }
  TemporaryDirectory directory_;
};

TEST_F(PolicyCommands, ShowNamesFileAndLineOfEachValue) {
  directory_.Write("policy.json", "{\n\"extends\": \"baseline\",\n\"mode\": \"audit\"}");
  Nginx("{\"rules\": {\n\"capabilities\": {\n\"allow\": [\"CHOWN\"]}}}");
  const ProgramRun run = Run({"policy", "show", "--image", "nginx", "--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  const json policy = run.json();
  EXPECT_EQ(policy["profile"], "baseline");
  EXPECT_EQ(policy["image"]["names"], json({"docker.io/library/nginx:latest"}));
  EXPECT_EQ(policy["image"]["files"], json({"images/docker.io/library/nginx.json"}));
  EXPECT_EQ(policy["image"]["trust"], "tag");
  EXPECT_EQ(policy["values"]["mode"], json({{"value", "audit"}, {"origin", "policy.json:3"}}));
  EXPECT_EQ(policy["values"]["capabilities/allow"],
            json({{"value", {"CAP_CHOWN"}}, {"origin", "images/docker.io/library/nginx.json:3"}}));
  EXPECT_EQ(policy["values"]["capabilities/action"],
            json({{"value", "fix"}, {"origin", "profile baseline"}}));
  EXPECT_EQ(policy["values"]["rootless"], json({{"value", "refuse"}, {"origin", "compiled in"}}));
}

TEST_F(PolicyCommands, ShowReportsReducedValuesAndVoidWaivers) {
  Nginx(R"({"rules": {"capabilities": {"allow": ["CHOWN", "SYS_ADMIN"]}},
"waivers": [
{"rule": "host-namespaces", "allow": ["network"], "reason": "exporter"}]})");
  const ProgramRun run = Run({"policy", "show", "--image", "nginx:1.27"});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("cut: images/docker.io/library/nginx.json:1: capabilities/allow "
                                 "CAP_SYS_ADMIN is beyond Docker's default"));
  EXPECT_THAT(
      run.out,
      HasSubstr("void waiver: images/docker.io/library/nginx.json:3: "
                "host-namespaces, exporter (the host's trust setting does not cover waivers"));
  const json policy = Run({"policy", "show", "--image", "nginx@" + kManifest, "--json"}).json();
  EXPECT_TRUE(policy["cut"].empty());
  EXPECT_EQ(policy["values"]["host-namespaces/allow"]["value"], json({"network"}));
  EXPECT_EQ(policy["values"]["host-namespaces/allow"]["origin"],
            "profile restricted, waiver images/docker.io/library/nginx.json:3");
}

TEST_F(PolicyCommands, ShowRejectsAnInvalidImage) {
  const ProgramRun run = Run({"policy", "show", "--image", "../../etc/passwd"});
  EXPECT_EQ(run.status, 3);
  EXPECT_THAT(run.err, HasSubstr("\"../../etc/passwd\" is not an image reference"));
  EXPECT_EQ(Run({"policy", "show", "--digest", "sha256:12"}).status, 3);
}

TEST_F(PolicyCommands, CheckAppliesTheFileOfAnImage) {
  const std::string config = directory_.Write(
      "config.json",
      R"({"ociVersion": "1.0.2", "process": {"user": {"uid": 0, "gid": 0}, "cwd": "/",
          "capabilities": {"bounding": ["CAP_CHOWN", "CAP_KILL"]}}})");
  Nginx(R"({"rules": {"capabilities": {"allow": ["CHOWN"]}}})");
  const auto bounding = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"check", config, "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const json findings = Run(arguments).json()["findings"];
    for (const json& finding : findings) {
      if (finding["path"] == "/process/capabilities/bounding") return finding["after"];
    }
    return json();
  };
  EXPECT_EQ(bounding({"--image", "nginx"}), json({"CAP_CHOWN"}));
  EXPECT_EQ(bounding({"--image", "redis"}), json::array());
}

TEST_F(PolicyCommands, CasesPassOrReportTheDifference) {
  Nginx(R"({"rules": {"capabilities": {"allow": ["CHOWN"]}}})");
  const std::string request = R"("request": {"process": {"capabilities":
      {"bounding": ["CAP_CHOWN", "CAP_KILL"], "effective": null, "permitted": null}}})";
  const std::string cases =
      directory_.Write("cases.json", R"({"cases": [ // what we promise to the web team
      {"name": "keeps", "image": "nginx:1", )" +
                                         request + R"(,
       "expect": {"outcome": "rewritten", "config": {"/process/capabilities/bounding": ["CAP_CHOWN"]}}},
      {"name": "host", "request": {"linux": {"namespaces": null}},
       "expect": {"outcome": "refused"}},
      {"name": "wrong", )" + request + R"(,
       "expect": {"outcome": "unchanged", "rules": ["seccomp"],
                  "config": {"/process/capabilities/bounding": ["CAP_CHOWN"]}}}]})");
  const ProgramRun run = Run({"policy", "test", cases});
  EXPECT_EQ(run.status, 1) << run.err;
  EXPECT_THAT(run.out, HasSubstr("ok - keeps\nok - host\nnot ok - wrong\n"));
  EXPECT_THAT(run.out, HasSubstr("is rewritten, expected unchanged"));
  EXPECT_THAT(run.out, HasSubstr("has findings of capabilities,"));
  EXPECT_THAT(run.out, HasSubstr("/process/capabilities/bounding is [], expected [\"CAP_CHOWN\"]"));
  EXPECT_THAT(run.out, HasSubstr("2 passed, 1 failed\n"));
}

TEST_F(PolicyCommands, CasesMustExpectSomething) {
  struct Wrong {
    std::string text;
    const char* fault;
  };
  const Wrong wrong[] = {
      {"{}", "needs \"cases\", a list of at least one"},
      {R"({"cases": []})", "needs \"cases\", a list of at least one"},
      {R"({"cases": [{}]})", "needs an \"expect\""},
      {R"({"cases": [{"expect": {}}]})",
       "\"outcome\" is unchanged, rewritten or refused, not \"\""},
      {R"({"cases": [{"expect": {"outcome": "refused"}}]})", "either a \"spec\" or a \"request\""},
      {R"({"cases": [{"exepct": {}}]})", "unknown key \"exepct\"; did you mean \"expect\"?"},
      {R"({"cases": [{"name": "n", "expect": {"outcome": "refused", "rules": ["x"]},
           "request": {}}]})",
       "case \"n\": there is no rule \"x\""},
      {R"({"cases": [{}], "hots": {}})", "unknown key \"hots\"; did you mean \"host\"?"},
      {R"({"cases": [{}], "host": {"kernel": "new"}})", "is a version such as 6.1, not \"new\""},
      {R"({"cases": [{}], "host": {"lsm": "tomoyo"}})", "is apparmor or selinux, not \"tomoyo\""},
      {R"({"cases": [{}], "date": "tomorrow"})", "is a day such as 2027-03-31"},
      {R"({"cases": [{"spec": "absent.json", "expect": {"outcome": "refused"}}]})",
       "absent.json cannot be read"},
  };
  for (const auto& [text, fault] : wrong) {
    const ProgramRun run = Run({"policy", "test", directory_.Write("cases.json", text)});
    EXPECT_EQ(run.status, 3) << text;
    EXPECT_THAT(run.err, HasSubstr(fault)) << text;
  }
}

TEST_F(PolicyCommands, CasesOfSeveralFilesProduceJUnit) {
  const std::string good = directory_.Write(
      "cases/good.json",
      R"({"cases": [{"name": "a < b", "request": {}, "expect": {"outcome": "rewritten"}}]})");
  const std::string bad = directory_.Write(
      "cases/bad.json",
      R"({"cases": [{"name": "x", "request": {}, "expect": {"outcome": "refused"}}]})");
  const std::string junit = directory_.path() + "/results.xml";
  const ProgramRun run = Run({"policy", "test", good, bad, "--junit", junit});
  EXPECT_EQ(run.status, 1) << run.err;
  EXPECT_EQ(run.out, "# " + good + "\nok - a < b\n# " + bad +
                         "\nnot ok - x\n    is rewritten, expected refused\n1 passed, 1 failed\n");
  std::ifstream file(junit);
  const std::string xml(std::istreambuf_iterator<char>(file), {});
  EXPECT_THAT(xml, HasSubstr("<testsuites tests=\"2\" failures=\"1\">"));
  EXPECT_THAT(xml, HasSubstr("name=\"a &lt; b\"/>"));
  EXPECT_THAT(xml, HasSubstr("<failure message=\"is rewritten, expected refused\">"));
}

// Whoever owns the checkout, whatever this machine has and whatever day it is.
TEST_F(PolicyCommands, CasesDoNotDependOnTheHost) {
  directory_.Write("policy.json", R"({"extends": "restricted",
      "rules": {"host-mounts": {"allow": ["/opt/nowhere"]}, "lsm-label": {"action": "refuse"}},
      "waivers": [{"rule": "host-namespaces", "allow": ["uts"], "reason": "a test",
                   "expires": "2020-01-31"}]})");
  ::chmod((directory_.path() + "/policy.json").c_str(), 0666);
  const auto mount = [](const char* source) {
    return R"({"name": ")" + std::string(source) + R"(", "request": {"mounts": [
      {"destination": "/x", "source": ")" +
           source + R"(", "options": ["bind", "nosuid", "nodev",
       "noexec", "ro"]}]}, "expect": {"outcome": )";
  };
  const std::string no_uts = R"({"request": {"linux": {"namespaces": [{"type": "pid"},
      {"type": "network"}, {"type": "ipc"}, {"type": "mount"}]}}, "expect": {"outcome": )";
  const std::string cases = directory_.Write(
      "cases/paper.json", R"({"host": {"kernel": "5.10", "architecture": "arm64"}, "cases": [)" +
                              mount("/opt/nowhere") + R"("rewritten"}},)" + mount("/opt/other") +
                              R"("refused"}},)" + mount("/run/docker.sock") + R"("refused"}},)" +
                              mount("/") + R"("refused"}},)" + no_uts + R"("refused"}}]})");
  const ProgramRun run = Run({"policy", "test", cases});
  EXPECT_EQ(run.status, 0) << run.out << run.err;
  const std::string dated = directory_.Write(
      "cases/dated.json", R"({"date": "2020-01-31", "cases": [)" + no_uts + R"("rewritten"}}]})");
  const ProgramRun of_day = Run({"policy", "test", dated});
  EXPECT_EQ(of_day.status, 0) << of_day.out << of_day.err;
}

TEST_F(PolicyCommands, CasesUseTheImageFilesOfTheGivenDirectory) {
  const std::string shared = directory_.path() + "/share";
  directory_.Write("share/images/docker.io/library/nginx.json",
                   R"({"rules": {"capabilities": {"allow": ["CHOWN"]}}})");
  const std::string cases = directory_.Write(
      "cases/shared.json", R"({"cases": [{"image": "nginx:1", "request": {"process": {
      "capabilities": {"bounding": ["CAP_CHOWN"]}}}, "expect": {"outcome": "rewritten",
      "config": {"/process/capabilities/bounding": ["CAP_CHOWN"]}}}]})");
  EXPECT_EQ(Run({"policy", "test", cases}).status, 1);
  const ProgramRun run = Run({"policy", "test", cases, "--shared", shared});
  EXPECT_EQ(run.status, 0) << run.out << run.err;
}

// With a record of a container that exists on no host, under a root of its own.
class OfARecord : public PolicyCommands {
 protected:
  OfARecord() {
    root_ = directory_.path() + "/root";
    std::filesystem::create_directories(root_);
    enforce::Record record;
    record.id = id_;
    record.bundle = "/nowhere";
    record.identity.engine = engine::Engine::kDocker;
    record.identity.config_digest = kConfig;
    record.identity.manifest_digests = {kManifest};
    record.identity.asked_for = *engine::ParseReference("nginx:1.27");
    record.identity.names = {{*record.identity.asked_for, engine::Tier::kTag}};
    record.promise.has_mounts = true;
    record.promise.capabilities[3] = 1U << 0 | 1U << 7;  // CAP_CHOWN, CAP_SETUID
    const auto records = store::Records::Open(root_, /*create=*/true);
    if (records) static_cast<void>(enforce::WriteRecord(*records, record));
  }
  ~OfARecord() override {
    const auto records = store::Records::Open(root_, /*create=*/false);
    if (records) records->Remove(id_);
  }
  OfARecord(const OfARecord&) = delete;
  OfARecord& operator=(const OfARecord&) = delete;
  OfARecord(OfARecord&&) = delete;
  OfARecord& operator=(OfARecord&&) = delete;

  std::string root_;
  std::string id_ = "runcladctl-pinned-" + std::to_string(::getpid());
};

TEST_F(OfARecord, IdentifyReportsTheImage) {
  if (::geteuid() != 0) GTEST_SKIP() << "records are root's";
  const ProgramRun run = Runcladctl({"identify", id_, "--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(run.json()["config"], kConfig);
  EXPECT_EQ(run.json()["manifests"], json({kManifest}));
  EXPECT_EQ(run.json()["askedFor"], "docker.io/library/nginx:1.27");
  EXPECT_THAT(Runcladctl({"identify", id_}).out,
              HasSubstr("docker.io/library/nginx:1.27 (tag, requested)"));
  EXPECT_THAT(Runcladctl({"identify", "no-such-container"}).err,
              HasSubstr("runclad has no record of a running container \"no-such-container\""));
}

TEST_F(OfARecord, PinWritesAFileThatApplies) {
  if (::geteuid() != 0) GTEST_SKIP() << "records are root's";
  const ProgramRun run = Run({"policy", "pin", "nginx", "--from-container", id_});
  ASSERT_EQ(run.status, 0) << run.err;
  const std::string path = directory_.path() + "/images/docker.io/library/nginx.json";
  std::ifstream written(path);
  const json file = json::parse(written);
  EXPECT_EQ(file["digests"], json({kConfig, kManifest}));
  EXPECT_EQ(file["rules"]["capabilities"]["allow"], json({"CAP_CHOWN", "CAP_SETUID"}));
  const json policy = Run({"policy", "show", "--container", id_, "--json"}).json();
  EXPECT_EQ(policy["image"]["pin"], kConfig);
  EXPECT_EQ(policy["image"]["trust"], "digest");

  const ProgramRun again = Run({"policy", "pin", "nginx", "--from-container", id_});
  EXPECT_EQ(again.status, 3);
  EXPECT_THAT(again.err, HasSubstr("already exists and was not changed"));
  EXPECT_THAT(Run({"policy", "pin", "--add", "--from-container", id_}).out,
              HasSubstr("nginx.json: pins " + kConfig + " already"));
  EXPECT_THAT(Run({"policy", "pin", "redis", "--from-container", id_}).err,
              HasSubstr("is made of docker.io/library/nginx:1.27, not of docker.io/library/redis"));
}

}  // namespace
}  // namespace runclad::ctl::policy_test
