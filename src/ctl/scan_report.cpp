#include "scan_report.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <map>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"
#include "runclad/base/time.hpp"
#include "runclad/engine/reference.hpp"
#include "runclad/json/value.hpp"

namespace runclad::ctl {
namespace {

using json::Document;
using store::Severity;

// The members that are read: the others (descriptions, scores) are most of a report.
constexpr std::string_view kMembers[] = {
    "ArtifactName", "Class",       "CreatedAt",       "FixedVersion",    "ImageID",  "Metadata",
    "PkgName",      "RepoDigests", "Results",         "SchemaVersion",   "Severity", "Status",
    "Trivy",        "Version",     "Vulnerabilities", "VulnerabilityID", "artifact", "descriptor",
    "fix",          "id",          "imageID",         "manifestDigest",  "matches",  "name",
    "repoDigests",  "severity",    "source",          "state",           "target",   "timestamp",
    "version",      "versions",    "vulnerability"};
static_assert(std::ranges::is_sorted(kMembers));

struct SeverityWord {
  std::string_view word;  // in lower case
  Severity severity;
};
constexpr SeverityWord kSeverities[] = {
    {"", Severity::kNegligible},           {"unknown", Severity::kNegligible},
    {"negligible", Severity::kNegligible}, {"low", Severity::kLow},
    {"medium", Severity::kMedium},         {"high", Severity::kHigh},
    {"critical", Severity::kCritical},
};

std::optional<Severity> SeverityOf(std::string word) {
  std::ranges::transform(word, word.begin(), [](unsigned char c) { return std::tolower(c); });
  const auto* found = std::ranges::find(kSeverities, std::string_view{word}, &SeverityWord::word);
  if (found == std::end(kSeverities)) return std::nullopt;
  return found->severity;
}

class ReportReader {
 public:
  Result<ScanReport> Read(const Document& report) {
    if (report.is_object() && report.contains("SchemaVersion")) {
      ReadTrivy(report);
    } else if (report.is_object() && report.contains("matches") && report.contains("descriptor")) {
      ReadGrype(report);
    } else {
      return Error{"is neither a report of Trivy (--format json) nor one of Grype (--output json)"};
    }
    for (const auto& [key, vulnerability] : vulnerabilities_) {
      auto& count = report_.verdict.counts.at(static_cast<std::size_t>(vulnerability.severity));
      ++(vulnerability.is_fixable ? count.fixable : count.unfixable);
    }
    if (!fault_.empty()) return Error{fault_};
    return std::move(report_);
  }

 private:
  struct Vulnerability {
    Severity severity = Severity::kNegligible;
    bool is_fixable = false;
  };

  void ReadTrivy(const Document& report) {
    if (report.at("SchemaVersion") != 2) {
      Fail("has the SchemaVersion " + report.at("SchemaVersion").dump() +
           ", but only version 2 of Trivy's format is supported");
      return;
    }
    SetScanner("trivy", Text(Object(report, "Trivy"), "Version"));
    SetTime("CreatedAt", Text(report, "CreatedAt"));
    const Document& metadata = Object(report, "Metadata");
    AddDigest("ImageID", Text(metadata, "ImageID"));
    AddRepoDigests(metadata, "RepoDigests");
    report_.names_no_packages = true;
    for (const Document& result : List(report, "Results")) {
      const std::string kind = Text(result, "Class");
      const Document& found = List(result, "Vulnerabilities");
      if (kind == "os-pkgs" || kind == "lang-pkgs" || !found.empty()) {
        report_.names_no_packages = false;
      }
      for (const Document& vulnerability : found) {
        Count("VulnerabilityID", Text(vulnerability, "VulnerabilityID"),
              Text(vulnerability, "PkgName"), Text(vulnerability, "Severity"),
              !Text(vulnerability, "FixedVersion").empty() ||
                  Text(vulnerability, "Status") == "fixed");
      }
    }
  }

  void ReadGrype(const Document& report) {
    const Document& descriptor = Object(report, "descriptor");
    SetScanner("grype", Text(descriptor, "version"));
    SetTime("timestamp", Text(descriptor, "timestamp"));
    // A text where no image was scanned but a directory, say.
    const Document& source = Object(report, "source");
    if (const auto target = source.find("target"); target != source.end() && target->is_object()) {
      AddDigest("imageID", Text(*target, "imageID"));
      AddDigest("manifestDigest", Text(*target, "manifestDigest"));
      AddRepoDigests(*target, "repoDigests");
    }
    for (const Document& match : List(report, "matches")) {
      const Document& vulnerability = Object(match, "vulnerability");
      const Document& fix = Object(vulnerability, "fix");
      Count("id", Text(vulnerability, "id"), Text(Object(match, "artifact"), "name"),
            Text(vulnerability, "severity"),
            Text(fix, "state") == "fixed" || !List(fix, "versions").empty());
    }
  }

  void Count(const char* member, const std::string& id, const std::string& package,
             const std::string& severity, bool is_fixable) {
    if (id.empty()) return Fail(std::string("has a vulnerability without ") + Quoted(member));
    const auto known = SeverityOf(severity);
    if (!known) return Fail("gives " + Quoted(id) + " the unknown severity " + Quoted(severity));
    Vulnerability& counted = vulnerabilities_[{id, package}];
    counted.severity = std::max(counted.severity, *known);
    counted.is_fixable = counted.is_fixable || is_fixable;
  }

  // The version is shown in sentences: what is none is left out.
  void SetScanner(const std::string& name, const std::string& version) {
    constexpr std::size_t kMaxBytes = 40;
    const bool is_version =
        !version.empty() && version.size() <= kMaxBytes &&
        std::ranges::all_of(version, [](unsigned char c) {
          return (c < 0x80 && std::isalnum(c) != 0) || c == '.' || c == '-' || c == '+';
        });
    report_.verdict.scanner = is_version ? name + " " + version : name;
  }

  void SetTime(const char* member, const std::string& text) {
    const auto seconds = ParseTime(text);
    if (text.empty()) {
      Fail("has no " + Quoted(member) + ": the time of the scan is unknown");
    } else if (!seconds || *seconds < 0) {
      Fail("has a " + Quoted(member) + " that is not a time: " + Quoted(text));
    } else {
      report_.verdict.scanned = *seconds;
    }
  }

  void AddDigest(const char* member, const std::string& digest) {
    if (digest.empty()) return;
    if (!engine::IsSha256Digest(digest)) {
      Fail("has " + Quoted(member) + " " + Quoted(digest) + ", which is not a SHA-256 digest");
    } else if (std::ranges::find(report_.digests, digest) == report_.digests.end()) {
      report_.digests.push_back(digest);
    }
  }

  // "nginx@sha256:…"
  void AddRepoDigests(const Document& object, const char* member) {
    for (const Document& element : List(object, member)) {
      if (!element.is_string()) return Fail(Quoted(member) + " must be a list of strings");
      const auto name = element.get<std::string>();
      AddDigest(member, name.substr(name.rfind('@') + 1));
    }
  }

  // A member that is absent or null reads as empty.
  const Document* Member(const Document& object, const char* member) {
    if (!object.is_object()) {
      Fail("must have an object where " + Quoted(member) + " is expected");
      return nullptr;
    }
    const auto found = object.find(member);
    return found == object.end() || found->is_null() ? nullptr : &*found;
  }

  std::string Text(const Document& object, const char* member) {
    const Document* found = Member(object, member);
    if (found == nullptr) return {};
    if (found->is_string()) return found->get<std::string>();
    Fail("has a " + Quoted(member) + " that is not a string");
    return {};
  }

  const Document& Object(const Document& object, const char* member) {
    static const Document empty = Document::object();
    const Document* found = Member(object, member);
    if (found == nullptr) return empty;
    if (found->is_object()) return *found;
    Fail("has a " + Quoted(member) + " that is not an object");
    return empty;
  }

  const Document& List(const Document& object, const char* member) {
    static const Document empty = Document::array();
    const Document* found = Member(object, member);
    if (found == nullptr) return empty;
    if (found->is_array()) return *found;
    Fail("has a " + Quoted(member) + " that is not a list");
    return empty;
  }

  // The first fault is reported.
  void Fail(std::string fault) {
    if (fault_.empty()) fault_ = std::move(fault);
  }

  ScanReport report_;
  std::map<std::pair<std::string, std::string>, Vulnerability> vulnerabilities_;  // by id, package
  std::string fault_;
};

}  // namespace

// Not with json::Read: reports hold fractions.
Result<ScanReport> ReadScanReport(std::string_view text) {
  const auto is_read = [](int /*depth*/, Document::parse_event_t event, Document& parsed) {
    return event != Document::parse_event_t::key ||
           std::ranges::binary_search(kMembers,
                                      std::string_view{parsed.get_ref<const std::string&>()});
  };
  try {
    return ReportReader().Read(Document::parse(text, is_read));
  } catch (const Document::parse_error& error) {
    return Error{"is not JSON from byte " + std::to_string(error.byte) + " on"};
  } catch (const Document::exception&) {
    return Error{"is not JSON"};
  }
}

}  // namespace runclad::ctl
