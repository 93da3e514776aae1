// runcladctl scan import, and what the rule `image` makes of it.
#include <sys/stat.h>

#include <ctime>

#include <gmock/gmock.h>

#include "program.hpp"
#include "test_paths.hpp"

namespace runclad::ctl::scan_test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Hex(char a, char b) {
  std::string hex;
  while (hex.size() < 64) hex += {a, b};
  return hex;
}
const std::string kScannedConfig = Hex('c', '1');
const std::string kPulled = Hex('d', '2');
const std::string kScannedManifest = Hex('e', '3');

// By severity: fixable, without a fix.
json Counts(const json& verdict) {
  json counts = json::object();
  for (const auto& [severity, count] : verdict["vulnerabilities"].items()) {
    counts[severity] = {count["fixable"], count["unfixable"]};
  }
  return counts;
}

class ScanImport : public ::testing::Test {
 protected:
  [[nodiscard]] ProgramRun Import(const std::string& file,
                                  const std::vector<std::string>& more = {}) const {
    std::vector<std::string> arguments = {"scan", "import", file, "--state", State()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Runcladctl(arguments);
  }
  [[nodiscard]] static json Fixture(const std::string& name) {
    std::ifstream file(Path(name));
    return json::parse(file);
  }
  [[nodiscard]] static std::string Path(const std::string& name) {
    return std::string(RUNCLAD_TEST_DATA) + "/data/scans/" + name;
  }
  [[nodiscard]] std::string State() const { return directory_.path() + "/state"; }
  [[nodiscard]] std::string VerdictPath(const std::string& hex) const {
    return State() + "/scans/sha256/" + hex + ".json";
  }
  [[nodiscard]] json Verdict(const std::string& hex) const {
    std::ifstream file(VerdictPath(hex));
    return json::parse(file, nullptr, /*allow_exceptions=*/false);
  }
  // Everything that lies below the state directory.
  [[nodiscard]] std::size_t Files() const {
    std::size_t count = 0;
    std::error_code fault;
    for (auto entry = std::filesystem::recursive_directory_iterator(State(), fault);
         !fault && entry != std::filesystem::recursive_directory_iterator(); ++entry) {
      count += entry->is_regular_file() ? 1 : 0;
    }
    return count;
  }
  TemporaryDirectory directory_;
};

TEST_F(ScanImport, ReadsTrivysReport) {
  const ProgramRun run = Import(Path("trivy.json"));
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("trivy 0.68.1, 2025-11-20\n"));
  EXPECT_THAT(run.out, HasSubstr("high        1        2\n"));
  EXPECT_THAT(run.out, HasSubstr("  sha256:" + kScannedConfig + "\n  sha256:" + kPulled + "\n"));
  EXPECT_EQ(Files(), 2U);
  const json verdict = Verdict(kScannedConfig);
  EXPECT_EQ(Verdict(kPulled), verdict);
  EXPECT_EQ(verdict["scanner"], "trivy 0.68.1");
  EXPECT_EQ(verdict["scanned"], 1763674215) << "2025-11-20T21:30:15Z";
  // What is high and fixable in one result is medium and not fixable in another: the worse counts.
  EXPECT_EQ(Counts(verdict), json::parse(R"({"critical": [1, 0], "high": [1, 2], "medium": [0, 0],
                                             "low": [0, 1], "negligible": [0, 1]})"));
  struct stat status {};
  ASSERT_EQ(::stat(VerdictPath(kScannedConfig).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777U, 0600U);
}

TEST_F(ScanImport, ReadsGrypesReport) {
  const ProgramRun run = Import(Path("grype.json"));
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(Files(), 3U);
  for (const std::string& hex : {kScannedConfig, kPulled, kScannedManifest}) {
    EXPECT_EQ(Verdict(hex)["scanner"], "grype 0.104.2");
    EXPECT_EQ(Counts(Verdict(hex)),
              json::parse(R"({"critical": [1, 0], "high": [0, 1], "medium": [1, 0],
                              "low": [0, 0], "negligible": [0, 1]})"));
  }
  EXPECT_EQ(Verdict(kScannedConfig)["scanned"], 1763712900);
}

// A user of dockerd can have a directory made of his image's verdict before it is imported.
TEST_F(ScanImport, TakesTheVerdictsNameFromADirectory) {
  std::filesystem::create_directories(VerdictPath(kScannedConfig) + "/inside");
  const ProgramRun run = Import(Path("trivy.json"));
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(Verdict(kScannedConfig)["scanner"], "trivy 0.68.1");
}

TEST_F(ScanImport, ReadsALargeReport) {
  json report = Fixture("trivy.json");
  json& found = report["Results"][0]["Vulnerabilities"];
  found = json::array();
  for (int i = 0; i < 1500; ++i) {
    found.push_back({{"VulnerabilityID", "CVE-2025-" + std::to_string(10000 + i)},
                     {"PkgName", "package"},
                     {"Severity", i % 3 == 0 ? "HIGH" : "LOW"},
                     {"FixedVersion", i % 2 == 0 ? "1.2" : ""},
                     {"Description", std::string(250, 'x')},
                     {"CVSS", {{"nvd", {{"V3Score", 7.5}}}}}});
  }
  const std::string text = report.dump();
  EXPECT_GT(text.size(), 500000U);
  const ProgramRun run = Import(directory_.Write("large.json", text));
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_EQ(Counts(Verdict(kScannedConfig)),
            json::parse(R"({"critical": [0, 0], "high": [251, 250], "medium": [0, 0],
                            "low": [500, 500], "negligible": [0, 0]})"));
}

TEST_F(ScanImport, AcceptsAnAdditionalDigest) {
  const std::string other = Hex('f', '4');
  ASSERT_EQ(Import(Path("trivy.json"), {"--digest", "sha256:" + other}).status, 0);
  EXPECT_EQ(Files(), 3U);
  EXPECT_EQ(Verdict(other), Verdict(kScannedConfig));
  json report = Fixture("grype.json");
  report["source"] = {{"type", "directory"}, {"target", "/srv/build"}};
  const std::string file = directory_.Write("directory.json", report.dump());
  const ProgramRun nameless = Import(file);
  EXPECT_EQ(nameless.status, 3);
  EXPECT_THAT(
      nameless.err,
      HasSubstr(
          "directory.json does not contain the digest of an image; specify it with --digest"));
  EXPECT_EQ(Import(file, {"--digest", "sha256:" + kScannedManifest}).status, 0);
  EXPECT_EQ(Verdict(kScannedManifest)["scanner"], "grype 0.104.2");
  const ProgramRun wrong = Import(file, {"--digest", "sha256:../../x"});
  EXPECT_EQ(wrong.status, 3);
  EXPECT_THAT(wrong.err, HasSubstr("is not sha256: followed by 64 lower-case hexadecimal digits"));
}

TEST_F(ScanImport, ReportsAnEmptyScan) {
  json report = Fixture("trivy.json");
  EXPECT_THAT(Import(Path("trivy.json")).out, Not(HasSubstr("no results for packages")));
  report["Results"] = json::parse(R"([{"Target": "/app/id_rsa", "Class": "secret"}])");
  const ProgramRun run = Import(directory_.Write("secrets.json", report.dump()));
  ASSERT_EQ(run.status, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("The report has no results for packages"));
}

TEST_F(ScanImport, OmitsAMissingVersion) {
  json report = Fixture("grype.json");
  for (const char* version : {"", "[not provided]", "1\u001b[31m", "1 and 0 critical"}) {
    report["descriptor"]["version"] = version;
    ASSERT_EQ(Import(directory_.Write("report.json", report.dump())).status, 0);
    EXPECT_EQ(Verdict(kScannedConfig)["scanner"], "grype") << version;
  }
}

TEST_F(ScanImport, AnUnknownReportChangesNothing) {
  struct Wrong {
    const char* fixture;
    const char* pointer;  // what is replaced
    const char* value;    // "": removed
    const char* fault;
  };
  const Wrong wrong[] = {
      {"trivy.json", "/SchemaVersion", "3",
       "has the SchemaVersion 3, but only version 2 of Trivy's format"},
      {"trivy.json", "/SchemaVersion", "\"2\"", "has the SchemaVersion \"2\""},
      {"trivy.json", "/SchemaVersion", "", "is neither a report of Trivy (--format json) nor"},
      {"trivy.json", "/CreatedAt", "", "has no \"CreatedAt\": the time of the scan is unknown"},
      {"trivy.json", "/CreatedAt", "7", "has a \"CreatedAt\" that is not a string"},
      {"trivy.json", "/CreatedAt", "\"yesterday\"", "has a \"CreatedAt\" that is not a time"},
      {"trivy.json", "/CreatedAt", "\"2026-02-30T00:00:00Z\"", "that is not a time"},
      {"trivy.json", "/CreatedAt", "\"2026-11-20T24:00:00Z\"", "that is not a time"},
      {"trivy.json", "/CreatedAt", "\"2026-11-20T23:00:00.\"", "that is not a time"},
      {"trivy.json", "/CreatedAt", "\"2026-11-20T23:00:00+2\"", "that is not a time"},
      {"trivy.json", "/CreatedAt", "\"1969-11-20T23:00:00Z\"", "that is not a time"},
      {"trivy.json", "/CreatedAt", "\"9026-11-20T23:00:00Z\"", "is dated in the future"},
      {"trivy.json", "/Metadata", "[]", "has a \"Metadata\" that is not an object"},
      {"trivy.json", "/Metadata", "", "does not contain the digest of an image"},
      {"trivy.json", "/Metadata/ImageID", "\"../x\"",
       "has \"ImageID\" \"../x\", which is not a SHA"},
      {"trivy.json", "/Metadata/ImageID", "1", "has a \"ImageID\" that is not a string"},
      {"trivy.json", "/Metadata/RepoDigests", "{}", "has a \"RepoDigests\" that is not a list"},
      {"trivy.json", "/Metadata/RepoDigests", "[1]", "\"RepoDigests\" must be a list of strings"},
      {"trivy.json", "/Metadata/RepoDigests", "[\"nginx:1\"]", "which is not a SHA-256 digest"},
      {"trivy.json", "/Results", "{}", "has a \"Results\" that is not a list"},
      {"trivy.json", "/Results", "[1]", "must have an object where \"Class\" is expected"},
      {"trivy.json", "/Results/0/Vulnerabilities", "\"\"", "that is not a list"},
      {"trivy.json", "/Results/0/Vulnerabilities/0/Severity", "9", "\"Severity\" that is not a"},
      {"trivy.json", "/Results/0/Vulnerabilities/0/Severity", "\"DIRE\"",
       "gives \"CVE-2025-10001\" the unknown severity \"DIRE\""},
      {"trivy.json", "/Results/0/Vulnerabilities/0/VulnerabilityID", "",
       "has a vulnerability without \"VulnerabilityID\""},
      {"grype.json", "/descriptor", "", "is neither a report of Trivy"},
      {"grype.json", "/descriptor/timestamp", "", "has no \"timestamp\""},
      {"grype.json", "/matches", "{}", "has a \"matches\" that is not a list"},
      {"grype.json", "/matches/0/vulnerability", "[]", "that is not an object"},
      {"grype.json", "/matches/0/vulnerability/id", "", "has a vulnerability without \"id\""},
      {"grype.json", "/matches/0/vulnerability/fix", "1", "has a \"fix\" that is not an object"},
      {"grype.json", "/source/target/imageID", "\"c1\"", "which is not a SHA-256 digest"},
      {"grype.json", "", "[]", "is neither a report of Trivy"},
      {"grype.json", "", "null", "is neither a report of Trivy"},
  };
  for (const auto& [fixture, pointer, value, fault] : wrong) {
    json report = Fixture(fixture);
    const json::json_pointer at(pointer);
    if (*value != '\0') {
      report[at] = json::parse(value);
    } else {
      report[at.parent_pointer()].erase(at.back());
    }
    const ProgramRun run = Import(directory_.Write("report.json", report.dump()));
    EXPECT_EQ(run.status, 3) << fixture << pointer << " " << value;
    EXPECT_THAT(run.err, HasSubstr(fault)) << fixture << pointer << " " << value;
    EXPECT_EQ(Files(), 0U) << fixture << pointer << " " << value;
  }
}

TEST_F(ScanImport, RejectsInvalidJson) {
  const std::string text = Fixture("trivy.json").dump();
  EXPECT_THAT(Import(directory_.Write("cut.json", text.substr(0, text.size() / 2))).err,
              HasSubstr("cut.json is not JSON from byte"));
  EXPECT_THAT(Import(directory_.Write("tail.json", text + "{}")).err,
              HasSubstr("is not JSON from"));
  EXPECT_THAT(Import(directory_.Write("empty.json", "")).err, HasSubstr("is not JSON from byte 1"));
  EXPECT_THAT(Import(directory_.Write("1e999.json", "[1e999]")).err, HasSubstr("is not JSON"));
  EXPECT_THAT(Import(directory_.path()).err, HasSubstr("not a regular file"));
  EXPECT_THAT(Import(directory_.path() + "/absent").err, HasSubstr("cannot be opened (ENOENT)"));
  const std::string huge = directory_.Write("huge.json", text);
  std::filesystem::resize_file(huge, (256ULL << 20U) + 1);
  EXPECT_THAT(Import(huge).err, HasSubstr("larger than the 268435456 bytes allowed"));
  EXPECT_EQ(Files(), 0U);
}

TEST_F(ScanImport, RefusesADirectoryThatOthersCanWrite) {
  std::filesystem::create_directory(State());
  ASSERT_EQ(::chmod(State().c_str(), 0777), 0);
  const ProgramRun run = Import(Path("trivy.json"));
  EXPECT_EQ(run.status, 3);
  EXPECT_THAT(run.err, HasSubstr("is writable by others than its owner"));
  EXPECT_EQ(Files(), 0U);
}

// The value that is given in the profiles is the loosest, and an image's file cannot loosen it.
TEST_F(ScanImport, AFileFoundByTagOnlyTightens) {
  const auto value = [&](const std::string& host, const std::string& image,
                         const std::string& parameter) {
    directory_.Write("policy/policy.json", R"({"rules": {"image": {)" + host + "}}}");
    directory_.Write("policy/images/docker.io/library/nginx.json",
                     R"({"rules": {"image": {)" + image + "}}}");
    const ProgramRun run = Runcladctl({"policy", "show", "--image", "nginx:1", "--json", "--config",
                                       directory_.path() + "/policy"});
    EXPECT_EQ(run.status, 0) << run.err;
    return run.json()["values"]["image/" + parameter]["value"];
  };
  struct Case {
    const char* parameter;
    const char* strict;
    const char* loose;
  };
  const Case cases[] = {{"scan-refuse", "\"high\"", "\"critical\""},
                        {"scan-warn", "\"any\"", "\"off\""},
                        {"scan-fixable-only", "false", "true"},
                        {"scan-max-age-days", "7", "30"},
                        {"scan-missing", "\"refuse\"", "\"warn\""}};
  for (const auto& [parameter, strict, loose] : cases) {
    const auto is = [name = parameter](const char* text) {
      return "\"" + std::string(name) + "\": " + text;
    };
    EXPECT_EQ(value(is(strict), is(loose), parameter), json::parse(strict)) << parameter;
    EXPECT_EQ(value(is(loose), is(strict), parameter), json::parse(strict)) << parameter;
    EXPECT_EQ(value(is(loose), "", parameter), json::parse(loose)) << parameter;
    EXPECT_EQ(value("", is(strict), parameter), json::parse(strict)) << parameter;
  }
}

}  // namespace
}  // namespace runclad::ctl::scan_test
