// The log in other programs' formats. tests/e2e/log_settings.sh holds lines of real containers
// against schemas of these formats (tests/log_formats/).
#include "enforce/log_formats.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace runclad::enforce::log_formats_test {
namespace {

using nlohmann::json;
using policy::LogFormat;

json Line() {
  return json::parse(R"({
    "bundle": "/run/b", "container": "0123456789abcdef0123", "engine": "docker",
    "findings": [
      {"action": "fixed", "code": "seccomp/absent", "path": "/linux/seccomp", "rule": "seccomp",
       "why": "there is no filter"},
      {"action": "refused", "before": "/", "code": "host-mounts/denied", "path": "/mounts/7/source",
       "rule": "host-mounts", "why": "/ is the host's root"}],
    "host": "node-7",
    "image": {"engine": "docker", "askedFor": "docker.io/library/nginx:1.27",
              "manifests": ["sha256:aa"], "podNamespace": "shop"},
    "level": "warning", "microseconds": 901, "mode": "enforce", "name": "web1",
    "outcome": "refused", "policy": "sha256:bb", "profile": "restricted", "schemaVersion": 1,
    "time": "2026-11-26T18:05:30.000042Z", "verb": "create"})");
}

json In(LogFormat format, const json& line) { return json::parse(InFormat(format, line.dump())); }

TEST(LogFormats, JsonIsTheLineItself) {
  EXPECT_EQ(InFormat(LogFormat::kJson, "any line"), "any line");
}

TEST(LogFormats, FalcoHasTheMembersOfItsJsonOutput) {
  EXPECT_EQ(In(LogFormat::kFalco, Line()), json::parse(R"({
    "hostname": "node-7",
    "output": "18:05:30.000042000: Warning create of container web1 was refused by host-mounts: / is the host's root",
    "output_fields": {
      "container.id": "0123456789abcdef0123", "container.image.digest": "sha256:aa",
      "container.image.repository": "docker.io/library/nginx", "container.image.tag": "1.27",
      "container.name": "web1", "evt.time": 1795716330000042000, "k8s.ns.name": "shop",
      "runclad.bundle": "/run/b", "runclad.code": "host-mounts/denied", "runclad.engine": "docker",
      "runclad.mode": "enforce", "runclad.outcome": "refused", "runclad.policy": "sha256:bb",
      "runclad.profile": "restricted", "runclad.verb": "create"},
    "priority": "Warning", "rule": "runclad host-mounts", "source": "runclad",
    "tags": ["container", "host-mounts", "runclad", "seccomp"],
    "time": "2026-11-26T18:05:30.000042000Z"})"));
}

TEST(LogFormats, OcsfIsADetectionFindingOfASecurityControl) {
  json line = In(LogFormat::kOcsf, Line());
  const std::string uid = line["metadata"]["uid"];
  EXPECT_EQ(uid.size(), std::string("sha256:").size() + 64);
  EXPECT_EQ(line["finding_info"]["uid"], uid);
  line["metadata"].erase("uid");
  line["finding_info"].erase("uid");
  line["metadata"]["product"].erase("version");
  EXPECT_EQ(line["evidences"].size(), 2U);
  EXPECT_EQ(line["evidences"][1]["data"], Line()["findings"][1]);
  line.erase("evidences");
  const std::string sentence =
      "create of container web1 was refused by host-mounts: / is the host's root";
  EXPECT_EQ(line, json({{"action", "Denied"},
                        {"action_id", 2},
                        {"activity_id", 1},
                        {"activity_name", "Create"},
                        {"category_name", "Findings"},
                        {"category_uid", 2},
                        {"class_name", "Detection Finding"},
                        {"class_uid", 2004},
                        {"device", {{"hostname", "node-7"}, {"type", "Unknown"}, {"type_id", 0}}},
                        {"disposition", "Blocked"},
                        {"disposition_id", 2},
                        {"finding_info",
                         {{"analytic",
                           {{"name", "host-mounts"},
                            {"type", "Rule"},
                            {"type_id", 1},
                            {"uid", "host-mounts/denied"}}},
                          {"desc", sentence},
                          {"title", "runclad host-mounts: refused"},
                          {"types", {"host-mounts", "seccomp"}}}},
                        {"message", sentence},
                        {"metadata",
                         {{"log_level", "warning"},
                          {"log_name", "runclad"},
                          {"log_version", "1"},
                          {"product", {{"name", "runclad"}, {"vendor_name", "runclad"}}},
                          {"profiles", {"host", "security_control"}},
                          {"version", "1.3.0"}}},
                        {"resources", json::array({{{"data", Line()["image"]},
                                                    {"name", "web1"},
                                                    {"type", "Container"},
                                                    {"uid", "0123456789abcdef0123"}}})},
                        {"severity", "High"},
                        {"severity_id", 4},
                        {"status", "New"},
                        {"status_id", 1},
                        {"time", 1795716330000},
                        {"type_name", "Detection Finding: Create"},
                        {"type_uid", 200401},
                        {"unmapped",
                         {{"bundle", "/run/b"},
                          {"engine", "docker"},
                          {"microseconds", 901},
                          {"mode", "enforce"},
                          {"outcome", "refused"},
                          {"policy", "sha256:bb"},
                          {"profile", "restricted"},
                          {"verb", "create"}}}}));
}

struct OutcomeCase {
  const char* outcome;
  const char* action;  // of the only finding; "": there is none
  const char* sentence;
  const char* falco_rule;
  int ocsf_action;
  int ocsf_disposition;
  int ocsf_severity;
};

TEST(LogFormats, EveryOutcomeHasItsWords) {
  for (const OutcomeCase& outcome : {
           OutcomeCase{"unchanged", "", "was unchanged", "none", 1, 1, 1},
           {"unchanged", "warned", "was unchanged, with a warning of user: w", "user", 1, 15, 2},
           {"rewritten", "fixed", "was rewritten by user: w", "user", 1, 11, 2},
           {"refused", "refused", "was refused by user: w", "user", 2, 2, 4},
           {"would-rewrite", "fixed", "would be rewritten by user: w", "user", 1, 13, 2},
           {"would-refuse", "refused", "would be refused by user: w", "user", 1, 13, 3},
           {"error", "", "failed: it is broken", "error", 2, 27, 4},
       }) {
    json line = Line();
    line["outcome"] = outcome.outcome;
    line["findings"] = json::array();
    if (std::string(outcome.action) != "") {
      line["findings"] = {
          {{"action", outcome.action}, {"code", "user/root"}, {"rule", "user"}, {"why", "w"}}};
    }
    if (line["outcome"] == "error") {
      line.erase("findings");
      line["error"] = "it is broken";
    }
    const std::string sentence = "create of container web1 " + std::string(outcome.sentence);
    const json falco = In(LogFormat::kFalco, line);
    EXPECT_THAT(falco["output"].get<std::string>(), ::testing::EndsWith(sentence));
    EXPECT_EQ(falco["rule"], "runclad " + std::string(outcome.falco_rule));
    const json ocsf = In(LogFormat::kOcsf, line);
    EXPECT_EQ(ocsf["message"], sentence);
    EXPECT_EQ(ocsf["action_id"], outcome.ocsf_action) << outcome.outcome;
    EXPECT_EQ(ocsf["disposition_id"], outcome.ocsf_disposition) << outcome.outcome;
    EXPECT_EQ(ocsf["severity_id"], outcome.ocsf_severity) << outcome.outcome;
  }
}

TEST(LogFormats, RepeatsAreACountAndASpanOfTime) {
  json line = Line();
  line["time"] = "2026-11-26T18:06:30Z";
  line["repeats"] = {
      {"count", 7}, {"first", "2026-11-26T18:05:30Z"}, {"last", "2026-11-26T18:06:30Z"}};
  const json ocsf = In(LogFormat::kOcsf, line);
  EXPECT_EQ(ocsf["count"], 7);
  EXPECT_EQ(ocsf["start_time"], 1795716330000);
  EXPECT_EQ(ocsf["end_time"], 1795716390000);
  const json falco = In(LogFormat::kFalco, line);
  EXPECT_EQ(falco["output_fields"]["runclad.repeats"], 7);
  EXPECT_EQ(falco["time"], "2026-11-26T18:06:30.000000000Z");
}

// A value of config.json may be as deep as a document can be.
TEST(LogFormats, DeepValuesAndNumbersOfAnyFormAreKept) {
  std::string deep = "2.50";
  for (int i = 0; i < 63; ++i) deep.insert(0, "[").append("]");
  json line = Line();
  line["findings"][0]["before"] = "HERE";
  std::string text = line.dump();
  text.replace(text.find("\"HERE\""), 6, deep);
  EXPECT_THAT(InFormat(LogFormat::kOcsf, text), ::testing::HasSubstr("[2.50]"));
}

}  // namespace
}  // namespace runclad::enforce::log_formats_test
