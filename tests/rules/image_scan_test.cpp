#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/rules/scan.hpp"
#include "runclad/store/scan_verdict.hpp"

namespace runclad::rules::image_scan_test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const std::string kConfig = "sha256:" + std::string(64, 'a');
const std::string kManifest = "sha256:" + std::string(64, 'b');
const std::string kIndex = "sha256:" + std::string(64, 'c');
constexpr std::int64_t kDay = 24L * 3600;
constexpr std::int64_t kNow = 20000 * kDay + 5000;
constexpr VulnerabilityCounts kCounts = {{{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}}};

class KeptScans : public ::testing::Test {
 protected:
  KeptScans() {
    std::string name = fs::canonical(::testing::TempDir()) / "runclad-scans-XXXXXX";
    base_ = mkdtemp(name.data());
    state_ = base_ / "state";
    identity_.config_digest = kConfig;
    identity_.manifest_digests = {kManifest, kIndex};
  }
  ~KeptScans() override { fs::remove_all(base_); }
  KeptScans(const KeptScans&) = delete;
  KeptScans& operator=(const KeptScans&) = delete;
  KeptScans(KeptScans&&) = delete;
  KeptScans& operator=(KeptScans&&) = delete;

  void Write(const std::string& digest, const std::string& scanner = "trivy 0.68.1",
             std::int64_t scanned = kNow) const {
    const auto written = store::WriteVerdict(digest, {scanner, scanned, kCounts}, state_);
    EXPECT_TRUE(written) << written.error().message;
  }
  [[nodiscard]] fs::path File(const std::string& digest) const {
    return fs::path(state_) / "scans/sha256" / (digest.substr(7) + ".json");
  }
  [[nodiscard]] ImageFacts Gather() const {
    policy::Parameters image;
    image.Set("scan-missing", std::string("refuse"));
    return Gather(image);
  }
  [[nodiscard]] ImageFacts Gather(const policy::Parameters& image) const {
    Scan scan = FindScan(image, identity_, kNow, state_);
    ImageFacts facts;
    facts.scan = std::move(scan.found);
    facts.no_scan_because = std::move(scan.missing_because);
    EXPECT_TRUE(!facts.scan || facts.no_scan_because.empty());
    return facts;
  }
  // "" where there is none.
  [[nodiscard]] std::string Scanner() const {
    const auto facts = Gather();
    return facts.scan ? facts.scan->scanner : "";
  }

  engine::Identity identity_;
  fs::path base_;
  std::string state_;
};

TEST_F(KeptScans, RoundTrip) {
  Write(kConfig, "grype 0.104.2", kNow - 3 * kDay - 1);
  const auto facts = Gather();
  ASSERT_TRUE(facts.scan) << facts.no_scan_because;
  EXPECT_EQ(facts.scan->scanner, "grype 0.104.2");
  EXPECT_EQ(facts.scan->counts, kCounts);
  EXPECT_EQ(facts.scan->age_days, 3);
  EXPECT_EQ(fs::status(File(kConfig)).permissions(), fs::perms(0600));
  for (const char* directory : {"", "/scans", "/scans/sha256"}) {
    EXPECT_EQ(fs::status(state_ + directory).permissions(), fs::perms(0700)) << directory;
  }
}

TEST_F(KeptScans, AreReadOnlyIfThePolicyNeedsThem) {
  Write(kConfig);
  struct Case {
    const char* parameter;
    const char* value;
    bool is_asked;
  };
  const Case cases[] = {
      {"scan-refuse", "off", false},     {"scan-refuse", "any", true},
      {"scan-refuse", "critical", true}, {"scan-warn", "off", false},
      {"scan-warn", "low", true},        {"scan-missing", "allow", false},
      {"scan-missing", "warn", true},    {"scan-missing", "refuse", true},
  };
  for (const auto& [parameter, value, is_asked] : cases) {
    policy::Parameters image;
    image.Set(parameter, std::string(value));
    EXPECT_EQ(Gather(image).scan.has_value(), is_asked) << parameter << " " << value;
  }
  const auto facts = Gather(policy::Parameters());
  EXPECT_FALSE(facts.scan);
  EXPECT_EQ(facts.no_scan_because, "");
}

TEST_F(KeptScans, PreferTheConfigDigestOverTheManifestDigest) {
  EXPECT_EQ(Gather().no_scan_because, "no scan was imported for " + kConfig);
  Write(kIndex, "index");
  EXPECT_EQ(Scanner(), "index");
  Write(kManifest, "manifest");
  EXPECT_EQ(Scanner(), "manifest");
  Write(kConfig, "config");
  EXPECT_EQ(Scanner(), "config");
  identity_.config_digest = "";
  EXPECT_EQ(Scanner(), "manifest");
  identity_.manifest_digests.clear();
  EXPECT_EQ(Gather().no_scan_because, "none of its digests is known");
}

TEST_F(KeptScans, ReplaceAnEarlierResult) {
  Write(kConfig, "old");
  Write(kConfig, "new");
  EXPECT_EQ(Scanner(), "new");
  EXPECT_EQ(std::distance(fs::directory_iterator(File(kConfig).parent_path()), {}), 1);
}

TEST_F(KeptScans, OfTheFutureAreRejected) {
  Write(kConfig, "trivy", kNow + kDay);  // another time zone's clock
  ASSERT_TRUE(Gather().scan);
  EXPECT_EQ(Gather().scan->age_days, 0);
  Write(kConfig, "trivy", kNow + kDay + 1);
  EXPECT_THAT(Gather().no_scan_because, HasSubstr("is dated in the future"));
}

TEST_F(KeptScans, RejectFilesThatOthersCanWrite) {
  Write(kConfig);
  Write(kManifest);  // never in its place
  ASSERT_EQ(Scanner(), "trivy 0.68.1");
  const fs::path places[] = {File(kConfig), File(kConfig).parent_path(), fs::path(state_) / "scans",
                             state_};
  for (const fs::path& place : places) {
    const auto mode = fs::status(place).permissions();
    fs::permissions(place, mode | fs::perms::group_write);
    EXPECT_EQ(Scanner(), "") << place;
    EXPECT_EQ(Gather().no_scan_because, place.string() + " is writable by others than its owner");
    fs::permissions(place, mode);
  }
  fs::rename(File(kConfig), base_ / "elsewhere");
  fs::create_symlink(base_ / "elsewhere", File(kConfig));
  EXPECT_EQ(Scanner(), "") << "a link";
  fs::remove(File(kConfig));
  ASSERT_EQ(mkfifo(File(kConfig).c_str(), 0600), 0);
  EXPECT_EQ(Scanner(), "") << "a FIFO";
  fs::remove(File(kConfig));
  EXPECT_EQ(Scanner(), "trivy 0.68.1") << "the manifest's";
}

TEST_F(KeptScans, RejectMalformedResults) {
  Write(kConfig);
  std::ifstream file(File(kConfig));
  const std::string sound(std::istreambuf_iterator<char>(file), {});
  const auto replaced = [&](const std::string& what, const std::string& by) {
    std::string text = sound;
    const auto at = text.find(what);
    EXPECT_NE(at, std::string::npos) << what;
    return text.replace(at, what.size(), by);
  };
  const std::string texts[] = {
      "",
      "[]",
      "{}",
      "null",
      sound.substr(0, sound.size() / 2),
      replaced("\"scanner\"", "\"scaner\""),
      replaced("\"trivy 0.68.1\"", "1"),
      replaced("\"scanned\":", "\"scanned\":-"),
      replaced("\"scanned\":", "\"scanned\":\"\",\"x\":"),
      replaced("\"critical\"", "\"Critical\""),
      replaced("\"high\":{", "\"high\":[],\"x\":{"),
      replaced("\"fixable\":9", "\"fixable\":-9"),
      replaced("\"fixable\":9", "\"fixable\":9.5"),
      replaced("\"fixable\":9", "\"fixable\":18446744073709551615"),
      replaced("\"unfixable\":8", "\"unfixed\":8"),
      replaced("{", "{\"critical\":{},\"critical\":{},"),
      sound + std::string(65536, ' '),
      replaced("\"version\":1", "\"version\":2"),
  };
  for (const std::string& text : texts) {
    std::ofstream(File(kConfig), std::ios::trunc) << text;
    const auto facts = Gather();
    EXPECT_FALSE(facts.scan) << text;
    EXPECT_THAT(facts.no_scan_because, HasSubstr(File(kConfig).string())) << text;
  }
  std::ofstream(File(kConfig), std::ios::trunc) << sound;
  EXPECT_TRUE(Gather().scan);
}

TEST_F(KeptScans, AreNamedByDigestOnly) {
  for (const char* digest : {"", "sha256:", "sha256:../../../etc/passwd", "sha512:aa"}) {
    EXPECT_FALSE(store::WriteVerdict(digest, {}, state_)) << digest;
    EXPECT_FALSE(store::ReadVerdict(digest, state_)) << digest;
  }
  EXPECT_FALSE(fs::exists(state_));
}

}  // namespace
}  // namespace runclad::rules::image_scan_test
