// runcladctl why: from records and from the log. Long: expected texts are whole.
#include <gmock/gmock.h>

#include "runclad/enforce/record.hpp"

#include "program.hpp"

namespace runclad::ctl::why_test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

json CapabilitiesFinding() {
  return {{"rule", "capabilities"},
          {"path", "/process/capabilities/bounding"},
          {"action", "fixed"},
          {"why", "holds CAP_CHOWN, not on the allowlist"},
          {"before", {"CAP_CHOWN", "CAP_NET_BIND_SERVICE"}},
          {"after", {"CAP_NET_BIND_SERVICE"}},
          {"code", "capabilities/unlisted"},
          {"remedy", {{"rules", {{"capabilities", {{"allow", {"CAP_CHOWN"}}}}}}}}};
}

json WritableFinding(const std::string& action) {
  return {{"rule", "read-only-rootfs"},
          {"path", "/root/readonly"},
          {"action", action},
          {"why", "lets the container change its programs"},
          {"code", "read-only-rootfs/writable-root"},
          {"after", true}};
}

std::string LogLine(const std::string& container, const json& findings,
                    const std::string& verb = "create", const std::string& mode = "enforce") {
  return json{{"container", container},
              {"findings", findings},
              {"mode", mode},
              {"outcome", "rewritten"},
              {"profile", "restricted"},
              {"time", "2026-11-20T10:00:00.000000Z"},
              {"verb", verb}}
             .dump() +
         '\n';
}

// Ids that no container of this host has, and no other test that runs beside this one.
const std::string kId = "runcladctl-logged-" + std::to_string(::getpid()) + "-";
const std::string kRecorded = "runcladctl-recorded-" + std::to_string(::getpid());

class WhyFromLog : public ::testing::Test {
 protected:
  [[nodiscard]] ProgramRun Why(const std::string& container, const std::string& log,
                               std::vector<std::string> more = {}) const {
    const std::string path = directory_.Write("log.jsonl", log);
    std::vector<std::string> arguments = {"why", container,  "--log",
                                          path,  "--config", directory_.path()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Runcladctl(arguments);
  }
  TemporaryDirectory directory_;
};

// As an engine's image has it in its log line.
json WithImage(const std::string& line, const std::string& repository = "docker.io/library/web") {
  json entry = json::parse(line);
  entry["name"] = "web1";
  entry["image"] = {{"engine", "docker"},
                    {"config", "sha256:" + std::string(64, 'a')},
                    {"askedFor", repository + ":1"},
                    {"names", {{{"name", repository + ":1"}, {"trust", "tag"}}}}};
  return entry;
}

// What `restricted` does to a container of root's that asks for a capability and has a volume.
json Hardened() {
  json capabilities = CapabilitiesFinding();
  capabilities["before"] = {"CAP_CHOWN", "CAP_NET_ADMIN", "CAP_NET_BIND_SERVICE"};
  capabilities["remedy"]["rules"]["capabilities"]["allow"] = {"CAP_CHOWN", "CAP_NET_ADMIN"};
  json effective = capabilities;
  effective["path"] = "/process/capabilities/effective";
  effective.erase("remedy");
  json root = WritableFinding("fixed");
  root["remedy"] = {{"trial", {{"read-only-rootfs", {{"writable", {"/etc", "/var"}}}}}}};
  const json tmpfs = {{"rule", "read-only-rootfs"},
                      {"path", "/mounts/1"},
                      {"action", "fixed"},
                      {"why", "keeps /tmp writable on a tmpfs, where no program runs"},
                      {"code", "read-only-rootfs/tmpfs-without-programs"},
                      {"after", {{"destination", "/tmp"}, {"type", "tmpfs"}}},
                      {"remedy", {{"rules", {{"mount-options", {{"exec-paths", {"/tmp"}}}}}}}}};
  const json volume = {{"rule", "mount-options"},
                       {"path", "/mounts/3/options"},
                       {"action", "fixed"},
                       {"why", "of /data lack noexec"},
                       {"code", "mount-options/programs"},
                       {"remedy", {{"rules", {{"mount-options", {{"exec-paths", {"/data"}}}}}}}}};
  const json calls = {{"rule", "seccomp"},
                      {"path", "/linux/seccomp"},
                      {"action", "fixed"},
                      {"why", "allows more"},
                      {"code", "seccomp/syscalls"},
                      {"remedy", {{"rules", {{"seccomp", {{"allow", {"keyctl"}}}}}}}}};
  const json mask = {{"rule", "masked-paths"},
                     {"path", "/linux/maskedPaths"},
                     {"action", "fixed"},
                     {"why", "lacks /proc/keys"},
                     {"code", "masked-paths/unmasked"}};
  return {capabilities, effective, root, tmpfs, volume, calls, mask};
}

TEST_F(WhyFromLog, ReportsWhatCanFailAndOffersOneTrialSet) {
  const ProgramRun run = Why("web1", WithImage(LogLine(kId, Hardened())).dump() + "\n");
  EXPECT_EQ(run.status, 0) << run.err;
  const std::string expected =
      "container " + kId + " (named web1, profile restricted, 2026-11-20T10:00:00.000000Z, from " +
      "the log " + directory_.path() +
      "/log.jsonl): rewritten\n"
      "7 fixed\n"
      "\n"
      "What can make its program fail, by the error that it gets\n"
      "  Operation not permitted (EPERM)\n"
      "      requested and removed: CAP_NET_ADMIN\n"
      "      of the engine's default, removed: CAP_CHOWN\n"
      "      system calls that the engine allowed and runclad does not: keyctl; name the one that "
      "fails in\n"
      "      seccomp.allow\n"
      "  Read-only file system (EROFS)\n"
      "      the image's files, except /tmp, which are empty but for the image's content at each "
      "start\n"
      "      `docker cp` into one of these directories exits 0, and the file is not in the "
      "container: mount\n"
      "      a volume there\n"
      "  Permission denied (EACCES), when a program is started\n"
      "      programs, scripts that are started by name and libraries in /tmp, /data\n"
      "  If it fails like this, save this trial set as\n"
      "  " +
      directory_.path() + "/images/docker.io/library/web.json.";
  EXPECT_EQ(run.out.substr(0, expected.size()), expected) << run.out;
  EXPECT_THAT(run.out,
              HasSubstr("    {\n"
                        "      \"digests\": [\"sha256:" +
                        std::string(64, 'a') +
                        "\"],\n"
                        "      \"rules\": {\n"
                        "        \"capabilities\": { \"allow\": [\"CAP_NET_BIND_SERVICE\", "
                        "\"CAP_CHOWN\", \"CAP_NET_ADMIN\"] },\n"
                        "        \"mount-options\": { \"exec-paths\": [\"/etc\", \"/var\", "
                        "\"/tmp\", \"/data\"] },\n"
                        "        \"read-only-rootfs\": { \"writable\": [\"/etc\", "
                        "\"/var\"] }\n"
                        "      }\n"
                        "    }\n"));
  EXPECT_THAT(run.out, HasSubstr("\n1 other finding (masked-paths 1): --all shows it\n"));
  EXPECT_THAT(run.out, Not(HasSubstr("/linux/maskedPaths")));
  EXPECT_THAT(Why("web1", WithImage(LogLine(kId, Hardened())).dump() + "\n", {"--all"}).out,
              HasSubstr("/linux/maskedPaths"));
}

// What a program notices of the host's directories, devices and limits, and of hidden files: each
// by its error, with its lines under --all.
TEST_F(WhyFromLog, NamesTheErrorOfWhatTheTrialSetDoesNotGiveBack) {
  const json mount = {{"rule", "host-mounts"},
                      {"path", "/mounts/3/options"},
                      {"action", "fixed"},
                      {"why", "/srv/keys is below /srv"},
                      {"code", "host-mounts/read-only"},
                      {"remedy", {{"rules", {{"host-mounts", {{"allow", {"/srv/keys"}}}}}}}}};
  const json hidden = {{"rule", "hidden-paths"},
                       {"path", "/linux/maskedPaths"},
                       {"action", "fixed"},
                       {"why", "leaves /bin/wget and 1 more usable"},
                       {"code", "hidden-paths/usable"}};
  const json device = {{"rule", "device-cgroup"},
                       {"path", "/linux/resources/devices"},
                       {"action", "fixed"},
                       {"why", "lets the container open c 10:229"},
                       {"code", "device-cgroup/opens"},
                       {"remedy", {{"rules", {{"device-cgroup", {{"allow", {"c 10:229"}}}}}}}}};
  const json limit = {{"rule", "rlimits"},
                      {"path", "/process/rlimits/0/hard"},
                      {"action", "fixed"},
                      {"why", "is a RLIMIT_NOFILE above rlimits.nofile"},
                      {"code", "rlimits/above-maximum"},
                      {"before", 2097152},
                      {"after", 1048576},
                      {"remedy", {{"rules", {{"rlimits", {{"nofile", 2097152}}}}}}}};
  const std::string log = WithImage(LogLine(kId, {mount, hidden, device, limit})).dump() + "\n";
  const std::string text = Why(kId, log).out;
  EXPECT_THAT(
      text,
      HasSubstr(
          "\nWhat can make its program fail, by the error that it gets\n"
          "  Read-only file system (EROFS)\n"
          "      /mounts/3/options /srv/keys is below /srv\n"
          "  No such file or directory (ENOENT), or Permission denied (EACCES), for a hidden "
          "file\n"
          "      /linux/maskedPaths leaves /bin/wget and 1 more usable\n"
          "  Operation not permitted (EPERM), when a device is opened\n"
          "      /linux/resources/devices lets the container open c 10:229\n"
          "  A lower limit or priority (EAGAIN, EMFILE, ENOMEM, EPERM), or killed for lack of "
          "memory\n"
          "      /process/rlimits/0/hard 2097152 became 1048576\n"
          "  Directories and devices of the host, limits and hidden files are not part of a "
          "trial set:"));
  EXPECT_THAT(text, Not(HasSubstr("other finding")));
  EXPECT_THAT(text, Not(HasSubstr("save this trial set")));
  const json file = Why(kId, log, {"--all", "--json"}).json()["image"]["content"];
  EXPECT_EQ(file["rules"]["rlimits"], json({{"nofile", 2097152}}));
  EXPECT_EQ(file["rules"]["device-cgroup"], json({{"allow", {"c 10:229"}}}));
  EXPECT_TRUE(file["rules"]["host-mounts"].contains("allow"));
  EXPECT_THAT(Why(kId, log, {"--all"}).out, HasSubstr("remove it from hidden-paths.programs"));
}

// Everything was asked for: nobody needs it, and what one needs has to be named.
TEST_F(WhyFromLog, DoesNotOfferEveryCapability) {
  json finding = CapabilitiesFinding();
  finding["path"] = "/process/capabilities/effective";
  finding["before"] = {"CAP_CHOWN",      "CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_SYS_MODULE",
                       "CAP_SYS_RAWIO",  "CAP_SYS_BOOT",  "CAP_SYS_NICE",  "CAP_SYS_TIME",
                       "CAP_SYS_PTRACE", "CAP_SYSLOG",    "CAP_BPF",       "CAP_PERFMON",
                       "CAP_LEASE",      "CAP_IPC_LOCK"};
  const std::string log = WithImage(LogLine(kId, json::array({finding}))).dump() + "\n";
  EXPECT_EQ(Why(kId, log, {"--json"}).json()["trial"]["content"]["rules"]["capabilities"]["allow"],
            json({"CAP_NET_BIND_SERVICE", "CAP_CHOWN"}));
  EXPECT_THAT(Why(kId, log).out, HasSubstr("every capability was requested: name those"));
}

// A user without privileges has none of the bounding set, and no program raises them.
TEST_F(WhyFromLog, OffersNoCapabilityThatTheUserCannotHave) {
  const std::string log =
      WithImage(LogLine(kId, json::array({CapabilitiesFinding()}))).dump() + "\n";
  EXPECT_FALSE(Why(kId, log, {"--json"}).json().contains("trial"));
}

TEST_F(WhyFromLog, JsonHasLinesThatThePolicyAccepts) {
  const ProgramRun run = Why(kId, WithImage(LogLine(kId, Hardened())).dump() + "\n", {"--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  const json story = run.json();
  EXPECT_EQ(story["container"], kId);
  EXPECT_EQ(story["name"], "web1");
  EXPECT_EQ(story["findings"], Hardened());
  EXPECT_EQ(story["allow"], json({{"rules", json::object()}})) << "nothing was refused";
  EXPECT_EQ(story["trial"]["file"], "images/docker.io/library/web.json");
  std::filesystem::create_directories(directory_.path() + "/images/docker.io/library");
  directory_.Write("images/docker.io/library/web.json", story["trial"]["content"].dump());
  std::filesystem::remove(directory_.path() + "/log.jsonl");
  if (::geteuid() != 0) GTEST_SKIP() << "a policy is root's";
  const ProgramRun lint = Runcladctl({"policy", "lint", directory_.path()});
  EXPECT_EQ(lint.status, 0) << lint.out;
}

// An image without a name has a file by its digest, and of several names none is enough.
TEST_F(WhyFromLog, NamesADigestFileIfNoNameIsTrusted) {
  json entry = WithImage(LogLine(kId, Hardened()));
  entry["image"].erase("askedFor");
  entry["image"]["names"].push_back({{"name", "example.org/other:1"}, {"trust", "tag"}});
  const json trial = Why(kId, entry.dump() + "\n", {"--json"}).json()["trial"];
  EXPECT_EQ(trial["file"], "digests/sha256/" + std::string(64, 'a') + ".json");
  EXPECT_FALSE(trial["content"].contains("digests"));
}

TEST_F(WhyFromLog, WarnsOfAGrantThatEqualsRoot) {
  const json socket = {
      {"rule", "host-mounts"},
      {"path", "/mounts/7/source"},
      {"action", "refused"},
      {"why", "is a container engine's API socket"},
      {"before", "/run/docker.sock"},
      {"code", "host-mounts/runtime-socket"},
      {"remedy", {{"waiver", {{"host-mounts", {{"exactly", {"bind /run/docker.sock ro"}}}}}}}}};
  const std::string text =
      Why(kId, WithImage(LogLine(kId, json::array({socket}))).dump() + "\n").out;
  EXPECT_THAT(text, HasSubstr("Careful: /mounts/7/source \"/run/docker.sock\" equals root on the "
                              "host for anyone"));
  EXPECT_THAT(text,
              HasSubstr("        { \"exactly\": [\"bind /run/docker.sock ro\"], \"expires\""));
}

// Who tries out what a program needs would otherwise save it with the rest.
TEST_F(WhyFromLog, TheTrialSetHasNoGrantThatEqualsRoot) {
  json findings = Hardened();
  findings.push_back(
      {{"rule", "host-mounts"},
       {"path", "/mounts/7/source"},
       {"action", "refused"},
       {"why", "is a container engine's API socket"},
       {"before", "/run/docker.sock"},
       {"code", "host-mounts/runtime-socket"},
       {"remedy", {{"waiver", {{"host-mounts", {{"exactly", {"bind /run/docker.sock ro"}}}}}}}}});
  const json story = Why(kId, WithImage(LogLine(kId, findings)).dump() + "\n", {"--json"}).json();
  ASSERT_TRUE(story["image"]["content"].contains("waivers")) << story["image"];
  ASSERT_TRUE(story["trial"]["content"]["rules"].contains("capabilities")) << story["trial"];
  EXPECT_FALSE(story["trial"]["content"].contains("waivers")) << story["trial"];
}

TEST_F(WhyFromLog, WarnsOfCapabilitiesThatEqualRoot) {
  json finding = CapabilitiesFinding();
  finding["path"] = "/process/capabilities/effective";
  finding["before"] = {"CAP_CHOWN", "CAP_SYS_MODULE", "CAP_SYS_PTRACE"};
  EXPECT_THAT(Why(kId, WithImage(LogLine(kId, json::array({finding}))).dump() + "\n").out,
              HasSubstr("Careful: CAP_SYS_MODULE equals root on the host for anyone"));
}

// A pinned name and another image: whatever else it lost, nothing is offered to it.
TEST_F(WhyFromLog, OffersNothingForARefusedImage) {
  json findings = Hardened();
  findings.push_back({{"rule", "image"},
                      {"action", "refused"},
                      {"path", "image"},
                      {"why", "is not the image that the name is pinned to"},
                      {"before", "docker.io/library/web"},
                      {"code", "image/pinned"},
                      {"remedy", {{"engine", "pull the intended image"}}}});
  const std::string log = WithImage(LogLine(kId, findings)).dump() + "\n";
  const json story = Why(kId, log, {"--json"}).json();
  EXPECT_FALSE(story.contains("image") && story["image"].contains("content")) << story;
  EXPECT_FALSE(story.contains("trial")) << story;
  EXPECT_THAT(Why(kId, log).out, Not(HasSubstr("save this")));
}

// Of a name only the last container counts; of an id each one.
TEST_F(WhyFromLog, FindsContainersByNameAndTheLastOne) {
  const auto line = [&](const std::string& id, const std::string& name) {
    json entry = json::parse(LogLine(id, json::array({CapabilitiesFinding()})));
    entry["name"] = name;
    return entry.dump() + "\n";
  };
  const std::string log =
      line(kId + "a", "web") + line(kId + "b", "web") + line(kId + "c", "other");
  EXPECT_THAT(Why("web", log).out, HasSubstr("container " + kId + "b (named web, "));
  EXPECT_EQ(Why("we", log).status, 3) << "no beginning of a name";
  const std::string path = directory_.Write("log.jsonl", log);
  EXPECT_THAT(Runcladctl({"why", "--last", "--log", path, "--config", directory_.path()}).out,
              HasSubstr("container " + kId + "c "));
  EXPECT_EQ(Runcladctl({"why", "--log", path, "--config", directory_.path()}).err,
            "runcladctl: why needs either a container or --last\n");
}

TEST_F(WhyFromLog, ReadsLogsThatWereRotatedAndCompressed) {
  directory_.Write("log.jsonl.1", LogLine(kId + "old", json::array({CapabilitiesFinding()})));
  const std::string older =
      directory_.Write("log.jsonl.2", LogLine(kId + "older", json::array({CapabilitiesFinding()})));
  ASSERT_EQ(std::system(("gzip -f " + older).c_str()), 0);
  const auto now = std::filesystem::file_time_type::clock::now();
  std::filesystem::last_write_time(older + ".gz", now - std::chrono::hours(1));
  EXPECT_THAT(Why(kId + "old", "").out, HasSubstr("container " + kId + "old "));
  const ProgramRun run = Why(kId + "older", "");
  EXPECT_THAT(run.out, HasSubstr("from the log " + older + ".gz)")) << run.err;
  directory_.Write("log.jsonl.2.gz", "not compressed");
  EXPECT_THAT(Why(kId + "older", "").err, HasSubstr("cannot be read with gzip: it failed"));
}

json Finding(const std::string& rule, const std::string& path, const json& before,
             const std::string& why, const std::string& action) {
  return {{"rule", rule}, {"path", path}, {"action", action}, {"why", why}, {"before", before}};
}

// The same with what lets it pass.
json Finding(const std::string& rule, const json& remedy, const std::string& action = "refused") {
  json finding = Finding(rule, "/any/path", "any value", "any words", action);
  finding["code"] = rule + "/any";
  finding["remedy"] = remedy;
  return finding;
}

json Setting(const std::string& rule, const json& parameters) {
  return Finding(rule, {{"rules", {{rule, parameters}}}});
}

json Waiver(const std::string& rule, const json& parameters) {
  return Finding(rule, {{"waiver", {{rule, parameters}}}});
}

// Without the placeholders, which are there.
json WaiversOf(const json& allow) {
  json waivers = allow.value("waivers", json::array());
  for (json& waiver : waivers) {
    EXPECT_FALSE(waiver["reason"].get<std::string>().empty());
    EXPECT_EQ(waiver["expires"].get<std::string>().size(), 10U);
    waiver.erase("reason");
    waiver.erase("expires");
  }
  return waivers;
}

TEST_F(WhyFromLog, MergesTheRemediesOfTheFindings) {
  const json findings = {
      Setting("hooks", {{"allow", {"/usr/bin/tool"}}}),
      Finding("hooks", {{"none", "it can be modified by users other than root"}}),
      Setting("host-namespaces", {{"allow", {"network"}}}),
      Waiver("host-namespaces", {{"allow", {"pid"}}}),
      Waiver("image", {{"deny", {"docker.io/library/nginx"}}}),
      Waiver("host-mounts", {{"exactly", {"bind /var/log ro"}}}),
      Waiver("host-mounts", {{"exactly", {"bind / ro"}}}),
      Finding("devices", {{"engine", "run it without"}}),
      Finding("annotations", {{"rules", {{"annotations", {{"keep", {"warned"}}}}}}}, "warned"),
      Setting("rootfs-path", {{"allow", {"/srv/images/a"}}}),
      Setting("annotations", {{"keep", {"run.oci.a/b~c"}}}),
      Setting("cgroup-path", {{"parents", {"/tenants/a"}}}),
      Setting("pids-limit", {{"maximum", 9000}}),
      Setting("pids-limit", {{"maximum", 8000}}),
      Setting("realtime", {{"oom-minimum", -5}}),
      Setting("realtime", {{"oom-minimum", -500}}),
      Setting("user", {{"umask", 18}}),
      Setting("user", {{"umask", 2}}),
      Setting("host-mounts", {{"id-maps", "any"}}),
      Setting("host-mounts", {{"id-maps", "own"}}),
      Setting("later-rule", {{"allow", {"a"}}}),
      Setting("hooks", {{"later-parameter", 7}}),
  };
  const std::string log = LogLine(kId, findings);
  const ProgramRun run = Why(kId, log, {"--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  const json allow = run.json()["allow"];
  EXPECT_EQ(allow["rules"], json({{"hooks", {{"allow", {"/usr/bin/tool"}}}},
                                  {"host-namespaces", {{"allow", {"network"}}}},
                                  {"rootfs-path", {{"allow", {"/srv/images/a"}}}},
                                  {"annotations", {{"keep", {"run.oci.a/b~c"}}}},
                                  {"cgroup-path", {{"parents", {"/tenants/a"}}}},
                                  {"pids-limit", {{"maximum", 9000}}},
                                  {"realtime", {{"oom-minimum", -500}}},
                                  {"user", {{"umask", "0002"}}},
                                  {"host-mounts", {{"id-maps", "any"}}}}));
  EXPECT_EQ(WaiversOf(allow),
            json({{{"rule", "host-mounts"}, {"exactly", {"bind /var/log ro", "bind / ro"}}},
                  {{"rule", "host-namespaces"}, {"allow", {"pid"}}},
                  {{"rule", "image"}, {"deny", {"docker.io/library/nginx"}}}}));
  EXPECT_EQ(Runcladctl({"policy", "lint", directory_.Write("allowed.json", allow.dump())}).status,
            0);
  const std::string text = Why(kId, log).out;
  EXPECT_THAT(text, HasSubstr("\n  No setting of the policy allows this:\n"));
  EXPECT_THAT(text, HasSubstr("\n  devices: run it without\n"));
  EXPECT_THAT(
      text,
      HasSubstr("  hooks: no setting allows it: it can be modified by users other than root\n"));
  EXPECT_THAT(text, HasSubstr("      \"waivers\": [\n        { \"exactly\": [\"bind "));
}

// What is pasted over a list must hold what the list has.
TEST_F(WhyFromLog, PrintsWholeLists) {
  const std::string log =
      LogLine(kId, json::array({Setting("host-mounts", {{"data-directories", {"/exports"}}})}));
  EXPECT_EQ(Why(kId, log, {"--json"}).json()["allow"]["rules"]["host-mounts"]["data-directories"],
            json({"/data", "/media", "/mnt", "/srv", "/exports"}));
}

TEST_F(WhyFromLog, OffersAFileOfTheImageWithItsDigest) {
  if (::geteuid() != 0) GTEST_SKIP() << "a policy is root's";
  const std::string digest = "sha256:" + std::string(64, 'a');
  json entry =
      json::parse(LogLine(kId, json::array({Setting("sysctls", {{"allow", {"net.core.somaxconn"}}}),
                                            Waiver("program", {{"deny", {"sshd"}}})})));
  entry["image"] = {{"engine", "docker"},
                    {"config", digest},
                    {"askedFor", "docker.io/library/bastion:1"},
                    {"names", {{{"name", "docker.io/library/bastion:1"}, {"trust", "tag"}}}}};
  directory_.Write("policy.json", "{}");
  std::filesystem::create_directories(directory_.path() + "/images/docker.io/library");
  directory_.Write(
      "images/docker.io/library/bastion.json",
      R"({"digests": [")" + digest + R"("], "rules": {"sysctls": {"allow": ["kernel.msgmax"]}}})");
  const ProgramRun run = Why(kId, entry.dump() + "\n", {"--json"});
  ASSERT_EQ(run.status, 0) << run.err;
  const json image = run.json()["image"];
  EXPECT_EQ(image["file"], "images/docker.io/library/bastion.json");
  EXPECT_EQ(image["content"]["digests"], json({digest}));
  EXPECT_EQ(image["content"]["rules"]["sysctls"]["allow"],
            json({"kernel.msgmax", "net.core.somaxconn"}))
      << "with what the image's file has";
  EXPECT_EQ(WaiversOf(image["content"]), json({{{"rule", "program"}, {"deny", {"sshd"}}}}));
  directory_.Write("images/docker.io/library/bastion.json", image["content"].dump());
  const ProgramRun lint = Runcladctl({"policy", "lint", directory_.path()});
  EXPECT_EQ(lint.status, 0) << lint.out;
  const std::string text = Why(kId, entry.dump() + "\n").out;
  EXPECT_THAT(text, HasSubstr("for this image alone, save this in place of\n  " +
                              directory_.path() + "/images/docker.io/library/bastion.json:\n"));
  EXPECT_THAT(text, HasSubstr("\"digests\": [\"" + digest + "\"],\n"));
  EXPECT_THAT(text, HasSubstr("\n  To allow it for every image: --all shows the lines"));
  EXPECT_THAT(Why(kId, entry.dump() + "\n", {"--all"}).out,
              HasSubstr("\n  To allow it for every image, put this into policy.json:\n"
                        "    {\n"
                        "      \"rules\": {\n"
                        "        \"sysctls\": { \"allow\": [\"net.core.somaxconn\"] }\n"
                        "      },\n"));
}

// Not everything that is denied equals root: it depends on the source and the mode.
TEST_F(WhyFromLog, SaysWhichDeniedSourceEqualsRoot) {
  const auto text = [&](const std::string& entry) {
    json finding = Waiver("host-mounts", {{"exactly", {entry}}});
    finding["code"] = "host-mounts/denied";
    return Why(kId, WithImage(LogLine(kId, json::array({finding}))).dump() + "\n").out;
  };
  for (const char* entry :
       {"bind /etc/foo ro", "bind /usr/share/zoneinfo ro", "bind /var/log ro"}) {
    EXPECT_THAT(text(entry), Not(HasSubstr("Careful"))) << entry;
  }
  for (const char* entry :
       {"bind /etc/cron.d rw", "bind /run/containerd ro", "bind / ro", "bind /srv/docker.sock ro",
        "bind /etc/kubernetes/pki ro", "bind /opt/cni/bin rw", "bind /var/spool/cron rw",
        "bind /var/run/docker ro", "bind /var/lib/kubelet rw", "bind /dev rw"}) {
    EXPECT_THAT(text(entry), HasSubstr("Careful: ")) << entry;
  }
}

TEST_F(WhyFromLog, NamesTheFileOfThePodsNamespace) {
  json finding = Waiver("host-namespaces", {{"allow", {"pid"}}});
  finding["remedy"]["pod"] = "shop";
  const std::string log = WithImage(LogLine(kId, json::array({finding}))).dump() + "\n";
  EXPECT_THAT(Why(kId, log).out,
              HasSubstr("\n  For every pod of its namespace, the same waiver may "
                        "be in pods/shop.json.\n"));
}

// Records of before, without codes: the finding, and no line.
TEST_F(WhyFromLog, ReadsRecordsWithoutRemedies) {
  json old = Finding("host-mounts", "/mounts/7/source", "/etc",
                     "is /etc, which is on the deny list", "refused");
  old["allow"] = "/etc";
  const std::string log = LogLine(kId, json::array({old}));
  const ProgramRun run = Why(kId, log, {"--json"});
  EXPECT_EQ(run.json()["allow"], json({{"rules", json::object()}}));
  const std::string text = Why(kId, log).out;
  EXPECT_THAT(text, HasSubstr("is /etc, which is on the deny list"));
  EXPECT_THAT(text,
              HasSubstr("1 finding was recorded by a version of runclad that did not record"));
  EXPECT_THAT(text, Not(HasSubstr("To allow it")));
}

TEST_F(WhyFromLog, OffersNoWeakerActionOfARuleWhoseFindingsHaveCodes) {
  json plain = Finding("cpu-limit", nullptr);
  plain.erase("remedy");
  json of_an_older_version = plain;
  of_an_older_version.erase("code");
  for (const json& finding : {plain, of_an_older_version}) {
    const ProgramRun run = Why(kId, LogLine(kId, json::array({finding})), {"--json"});
    EXPECT_EQ(run.json()["allow"]["rules"], json::object());
  }
}

TEST_F(WhyFromLog, OffersMatchingIdMaps) {
  json finding = Finding("host-mounts", "/mounts/3/options", {"bind", "idmap=uids=0-1000-1"},
                         "any words", "refused");
  finding["remedy"] = {{"rules", {{"host-mounts", {{"id-maps", "any"}}}}}};
  const json findings = json::array({finding});
  EXPECT_EQ(Why(kId, LogLine(kId, findings), {"--json"}).json()["allow"]["rules"],
            json({{"host-mounts", {{"id-maps", "any"}}}}));
}

TEST_F(WhyFromLog, OffersNoNumberIfNoneWasRequested) {
  const json findings = json::array(
      {Finding("pids-limit", "/linux/resources/pids/limit", nullptr, "lets it create", "fixed")});
  const ProgramRun run = Why(kId, LogLine(kId, findings), {"--json"});
  EXPECT_EQ(run.json()["allow"]["rules"], json::object());
  EXPECT_THAT(Why(kId, LogLine(kId, findings)).out,
              HasSubstr("recorded by a version of runclad that did not record"));
}

TEST_F(WhyFromLog, KeepsWhatTheHostAllows) {
  directory_.Write("policy.json", R"({"rules": {"capabilities": {"allow": ["KILL"]}}})");
  json refused = CapabilitiesFinding();
  refused["action"] = "refused";
  const ProgramRun run = Why(kId, LogLine(kId, json::array({refused})), {"--json"});
  EXPECT_EQ(run.json()["allow"]["rules"]["capabilities"]["allow"], json({"CAP_KILL", "CAP_CHOWN"}));
}

// Both are files for the same place.
TEST_F(WhyFromLog, SaysWhichOfTwoFilesGoesFirst) {
  json findings = Hardened();
  const json mount = {{"rules", {{"host-mounts", {{"allow", {"/data"}}}}}}};
  const std::string fixed = WithImage(LogLine(kId, findings)).dump() + "\n";
  EXPECT_THAT(Why(kId, fixed).out, Not(HasSubstr("Save the file above first")));
  findings.push_back(Finding("host-mounts", mount));
  const ProgramRun run = Why(kId, WithImage(LogLine(kId, findings)).dump() + "\n");
  EXPECT_THAT(run.out, HasSubstr("Save the file above first"));
  EXPECT_THAT(run.out, HasSubstr("It allows the same"));
}

TEST_F(WhyFromLog, AcceptsAUniqueIdPrefix) {
  const std::string log = LogLine(kId + "aa", json::array({CapabilitiesFinding()})) +
                          LogLine(kId + "ab", json::array({CapabilitiesFinding()}));
  EXPECT_THAT(Why(kId + "aa", log).out, HasSubstr("container " + kId + "aa "));
  const ProgramRun ambiguous = Why(kId + "a", log);
  EXPECT_EQ(ambiguous.status, 3);
  EXPECT_EQ(ambiguous.err, "runcladctl: the ids of 2 containers begin with \"" + kId +
                               "a\": " + kId + "aa, " + kId + "ab\n");
}

TEST_F(WhyFromLog, AnExactIdIsNotAPrefix) {
  const std::string log = LogLine(kId, json::array()) + LogLine(kId + "a", json::array());
  EXPECT_THAT(Why(kId, log).out, HasSubstr("container " + kId + " "));
}

TEST_F(WhyFromLog, ReportsTheLastCreateAndNoExec) {
  const std::string log = LogLine(kId, json::array({WritableFinding("fixed")})) +
                          LogLine(kId, json::array({CapabilitiesFinding()})) +
                          "not JSON \"container\":\"" + kId + "\"\n" +
                          LogLine(kId, json::array({WritableFinding("fixed")}), "exec");
  const ProgramRun run = Why(kId, log, {"--all"});
  EXPECT_THAT(run.out, HasSubstr("capabilities"));
  EXPECT_THAT(run.out, Not(HasSubstr("read-only-rootfs")));
}

// The sentence says what would help: a directory below /etc/runclad.
TEST_F(WhyFromLog, SaysThatNoRuleRefusesAFlag) {
  const std::string refusal =
      "refused: the policy directory /x (--runclad-config) is not accepted; "
      "use a directory below /etc/runclad";
  const json line = {{"container", kId + "flag"}, {"error", refusal},
                     {"mode", "enforce"},         {"outcome", "refused"},
                     {"profile", "restricted"},   {"time", "2026-11-20T10:00:00.000000Z"},
                     {"verb", "create"}};
  const ProgramRun run = Why(kId + "flag", line.dump() + '\n');
  EXPECT_EQ(run.status, 0);
  EXPECT_THAT(run.out, HasSubstr("use a directory below"));
  EXPECT_THAT(run.out, HasSubstr("No setting of a rule would change this"));
  EXPECT_THAT(run.out, Not(HasSubstr("nothing to change")));
}

TEST_F(WhyFromLog, SaysThatAuditChangedNothing) {
  const ProgramRun run =
      Why(kId, LogLine(kId, json::array({CapabilitiesFinding()}), "create", "audit"));
  EXPECT_THAT(run.out, HasSubstr("mode was audit: this was logged, and nothing was changed"));
}

// A line as runclad 0.1 wrote it: without "schemaVersion", and with the outcomes of enforce.
TEST_F(WhyFromLog, UnderstandsAuditLinesOfAnEarlierVersion) {
  json line = json::parse(LogLine(kId, json::array({CapabilitiesFinding()}), "create", "audit"));
  EXPECT_EQ(Why(kId, line.dump() + "\n", {"--json"}).json()["outcome"], "would-rewrite");
  line["outcome"] = "refused";
  EXPECT_EQ(Why(kId, line.dump() + "\n", {"--json"}).json()["outcome"], "would-refuse");
  line["schemaVersion"] = 1;
  line["outcome"] = "would-refuse";
  EXPECT_EQ(Why(kId, line.dump() + "\n", {"--json"}).json()["outcome"], "would-refuse");
}

TEST_F(WhyFromLog, SaysThatALargeValueWasNotKept) {
  const json omitted = {{"omitted", "more than 100 values"}};
  const ProgramRun run = Why(kId,
                             LogLine(kId, json::array({{{"rule", "seccomp"},
                                                        {"path", "/linux/seccomp"},
                                                        {"action", "fixed"},
                                                        {"why", "allows more"},
                                                        {"before", omitted},
                                                        {"after", omitted}}})),
                             {"--all"});
  EXPECT_THAT(run.out, HasSubstr("\n        - (more than 100 values, not kept)\n"
                                 "        + (more than 100 values, not kept)\n"));
}

TEST_F(WhyFromLog, SaysThatNothingIsKnown) {
  const ProgramRun run = Why(kId, "");
  EXPECT_EQ(run.status, 3);
  EXPECT_EQ(run.err, "runcladctl: no container whose id begins with \"" + kId +
                         "\", or whose name it is, has a record or is in the log " +
                         directory_.path() + "/log.jsonl\n");
}

TEST_F(WhyFromLog, SaysWhereElseALogMayBe) {
  directory_.Write("policy.json", R"({"log": {"target": "journald"}})");
  const ProgramRun run = Runcladctl({"why", kId, "--config", directory_.path()});
  EXPECT_EQ(run.status, 3);
  EXPECT_EQ(run.err, "runcladctl: container \"" + kId +
                         "\" has no record, and runcladctl cannot search journald, which the log "
                         "is written to; save what journalctl -t runclad finds, and name the file "
                         "with --log\n");
}

class WhyFromRecord : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "records are root's";
  }
  void TearDown() override {
    for (const TemporaryDirectory* root : {&root_, &other_root_}) {
      struct stat status {};
      if (::stat(root->path().c_str(), &status) != 0) continue;
      std::filesystem::remove_all(std::string(store::kRecordsDirectory) + "/" +
                                  std::to_string(status.st_dev) + "-" +
                                  std::to_string(status.st_ino));
    }
  }
  static void Record(const std::string& id, const TemporaryDirectory& root) {
    const auto records = store::Records::Open(root.path(), /*create=*/true);
    ASSERT_TRUE(records) << records.error().message;
    enforce::Record record;
    record.id = id;
    record.bundle = "/bundle";
    record.identity.container_name = "name-of-" + id;
    record.process_policy.profile = "baseline";
    record.findings = runclad::json::Value(json::array({CapabilitiesFinding()}));
    ASSERT_TRUE(enforce::WriteRecord(*records, record));
  }
  TemporaryDirectory root_;
  TemporaryDirectory other_root_;
  TemporaryDirectory policy_;
};

TEST_F(WhyFromRecord, ReportsWhatWasDone) {
  Record(kRecorded, root_);
  const ProgramRun run = Runcladctl({"why", kRecorded.substr(0, kRecorded.size() - 1), "--config",
                                     policy_.path(), "--root", root_.path(), "--all"});
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("container " + kRecorded + " (named name-of-" + kRecorded +
                                 ", profile baseline, from its record)\n"));
  EXPECT_THAT(run.out, HasSubstr("\n        - CAP_CHOWN\n"));
}

TEST_F(WhyFromRecord, FindsARecordByName) {
  Record(kRecorded, root_);
  EXPECT_THAT(Runcladctl({"why", "name-of-" + kRecorded, "--config", policy_.path()}).out,
              HasSubstr("container " + kRecorded + " (named name-of-" + kRecorded + ", "));
}

TEST_F(WhyFromRecord, FindsARecordUnderAnyRoot) {
  Record(kRecorded, root_);
  EXPECT_EQ(Runcladctl({"why", kRecorded, "--config", policy_.path()}).status, 0);
}

TEST_F(WhyFromRecord, AsksForTheRootWhenTwoHaveTheId) {
  Record(kRecorded, root_);
  Record(kRecorded, other_root_);
  const ProgramRun run = Runcladctl({"why", kRecorded, "--config", policy_.path()});
  EXPECT_EQ(run.status, 3);
  EXPECT_EQ(run.err, "runcladctl: several runtimes have a container \"" + kRecorded +
                         "\", with the bundles /bundle, /bundle; choose one with --root\n");
}

TEST_F(WhyFromRecord, SearchesOnlyTheNamedRoot) {
  Record(kRecorded, root_);
  const std::string log = policy_.Write("log.jsonl", "");
  EXPECT_EQ(Runcladctl({"why", kRecorded, "--config", policy_.path(), "--log", log, "--root",
                        policy_.path()})
                .status,
            3);
}

// learn --suggest: what the log has of an image, where nobody watched.
TEST_F(WhyFromLog, SuggestsForAllContainersOfAnImage) {
  const std::string log =
      WithImage(LogLine(kId + "1", json::array({CapabilitiesFinding()}))).dump() + "\n" +
      WithImage(LogLine(kId + "2", Hardened())).dump() + "\n" +
      WithImage(LogLine(kId + "3", Hardened()), "docker.io/library/db").dump() + "\n" +
      LogLine(kId + "4", Hardened());
  const std::string path = directory_.Write("log.jsonl", log);
  const auto suggest = [&](const std::string& image) {
    return Runcladctl({"learn", "--suggest", "--log", path, "--config", directory_.path(), image});
  };
  const ProgramRun run = suggest("web:2");
  EXPECT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("image web:2: 2 containers in the log (2 rewritten), the last one "
                                 "at 2026-11-20T10:00:00.000000Z\n"));
  EXPECT_THAT(run.out, HasSubstr("\n8 fixed\n"));
  EXPECT_THAT(run.out, HasSubstr("requested and removed: CAP_NET_ADMIN"));
  EXPECT_THAT(run.out, HasSubstr(directory_.path() + "/images/docker.io/library/web.json"));
  EXPECT_EQ(suggest("sha256:" + std::string(64, 'a')).status, 0);
  const ProgramRun none = suggest("cache");
  EXPECT_EQ(none.status, 3);
  EXPECT_THAT(none.err, HasSubstr("no container of the image \"cache\" is in the log"));
}

// Whoever runs a container chooses the name of its image, and what is in the log.
TEST_F(WhyFromLog, SuggestsForANameAndSaysWhichImagesHadIt) {
  json other = WithImage(LogLine(kId + "2", json::array({CapabilitiesFinding()})));
  other["image"]["config"] = "sha256:" + std::string(64, 'b');
  json many = json::array();
  for (int index = 0; index < 1001; ++index) {
    json finding = CapabilitiesFinding();
    finding["path"] = "/mounts/" + std::to_string(index);
    many.push_back(finding);
  }
  const std::string path = directory_.Write(
      "log.jsonl", WithImage(LogLine(kId + "1", json::array({CapabilitiesFinding()}))).dump() +
                       "\n" + other.dump() + "\n" +
                       WithImage(LogLine(kId + "3", many), "docker.io/library/db").dump());
  const auto suggest = [&](const std::string& image) {
    return Runcladctl({"learn", "--suggest", "--log", path, "--config", directory_.path(), image})
        .out;
  };
  const std::string both = suggest("web");
  EXPECT_THAT(both, HasSubstr("2 different images had this name"));
  EXPECT_THAT(both, HasSubstr("sha256:" + std::string(64, 'a')));
  EXPECT_THAT(both, HasSubstr("sha256:" + std::string(64, 'b')));
  EXPECT_THAT(both, HasSubstr("\n1 fixed\n"));
  EXPECT_THAT(suggest("sha256:" + std::string(64, 'b')), Not(HasSubstr("different images")));
  const std::string limited = suggest("db");
  EXPECT_THAT(limited, HasSubstr("Only the first 1000 different findings count"));
  EXPECT_THAT(limited, HasSubstr("\n1000 fixed\n"));
}

}  // namespace
}  // namespace runclad::ctl::why_test
