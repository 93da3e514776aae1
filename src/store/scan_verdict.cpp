#include "runclad/store/scan_verdict.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/engine/reference.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/json/writer.hpp"
#include "runclad/store/format.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::store {
namespace {

using json::Document;

constexpr std::size_t kMaxVerdictBytes = 65536;
constexpr std::uint64_t kMaxCount = 1U << 30U;  // sums of them stay far from overflow
constexpr const char* kScans = "scans/sha256";

Result<std::string> FileName(const std::string& digest) {
  constexpr std::string_view kAlgorithm = "sha256:";
  if (!engine::IsSha256Digest(digest)) return Error{digest + " is not a SHA-256 digest"};
  return digest.substr(kAlgorithm.size()) + ".json";
}

Status MakeDirectories(const std::string& state_directory) {
  for (const char* below : {"", "/scans", "/scans/sha256"}) {
    if (auto made = sys::MakePrivateDirectory(state_directory + below); !made) return made;
  }
  return {};
}

// No value where nothing was imported yet.
Result<std::optional<UniqueFd>> OpenScans(const std::string& state_directory) {
  struct stat status {};
  if (::lstat(state_directory.c_str(), &status) != 0 && errno == ENOENT) {
    return std::optional<UniqueFd>();
  }
  const auto state = sys::OpenWithoutLinks(AT_FDCWD, state_directory, O_RDONLY | O_DIRECTORY);
  if (!state) return state.error();
  if (::fstat(state->get(), &status) != 0) return SystemError(state_directory, errno);
  if (const std::string why = sys::WhyUntrusted(status); !why.empty()) {
    return Error{state_directory + " is " + why};
  }
  auto scans = sys::OpenTrusted(state->get(), kScans);
  if (!scans) return Error{state_directory + "/" + scans.error().message};
  return scans;
}

std::optional<std::uint64_t> CountOf(const Document& counts, const char* member) {
  const auto found = counts.find(member);
  if (found == counts.end() || !found->is_number_unsigned()) return std::nullopt;
  const auto count = found->get<std::uint64_t>();
  if (count > kMaxCount) return std::nullopt;
  return count;
}

// Every severity has to be there: one that is left out would count as none found.
std::optional<ScanVerdict> Parse(const Document& document) {
  if (!document.is_object()) return std::nullopt;
  const auto scanner = document.find("scanner");
  const auto scanned = document.find("scanned");
  const auto found = document.find("vulnerabilities");
  if (scanner == document.end() || !scanner->is_string() || scanned == document.end() ||
      !scanned->is_number_unsigned() || found == document.end() || !found->is_object()) {
    return std::nullopt;
  }
  ScanVerdict verdict;
  verdict.scanner = scanner->get<std::string>();
  verdict.scanned = scanned->get<std::int64_t>();
  for (std::size_t i = 0; i < kSeverityNames.size(); ++i) {
    const auto counts = found->find(kSeverityNames.at(i));
    if (counts == found->end() || !counts->is_object()) return std::nullopt;
    const auto fixable = CountOf(*counts, "fixable");
    const auto unfixable = CountOf(*counts, "unfixable");
    if (!fixable || !unfixable) return std::nullopt;
    verdict.counts.at(i) = {*fixable, *unfixable};
  }
  return verdict;
}

}  // namespace

Result<std::optional<ScanVerdict>> ReadVerdict(const std::string& digest,
                                               const std::string& state_directory) {
  const auto name = FileName(digest);
  if (!name) return name.error();
  const auto scans = OpenScans(state_directory);
  if (!scans) return scans.error();
  if (!*scans) return std::optional<ScanVerdict>();
  const std::string directory = state_directory + "/" + kScans;
  const auto file = sys::OpenTrusted((*scans)->get(), *name);
  if (!file) return Error{directory + "/" + file.error().message};
  if (!*file) return std::optional<ScanVerdict>();
  const std::string path = directory + "/" + *name;
  const auto bytes = sys::ReadRegularFile((*file)->get(), kMaxVerdictBytes);
  if (!bytes) return bytes.error().In(path);
  const auto document = json::Read(*bytes);
  if (!document) return document.error().In(path);
  if (document->is_object() && document->value(kFormatMember, Document(0U)) > kFormatVersion) {
    return Error{path + " was written by a later version of runclad; import the scan again"};
  }
  auto verdict = Parse(*document);
  if (!verdict) return Error{path + " is not a valid scan verdict; import the scan again"};
  return verdict;
}

Status WriteVerdict(const std::string& digest, const ScanVerdict& verdict,
                    const std::string& state_directory) {
  const auto name = FileName(digest);
  if (!name) return name.error();
  if (auto made = MakeDirectories(state_directory); !made) return made;
  const auto scans = OpenScans(state_directory);
  if (!scans) return scans.error();
  if (!*scans) return Error{state_directory + "/" + kScans + " was removed in the meantime"};
  Document counts = Document::object();
  for (std::size_t i = 0; i < kSeverityNames.size(); ++i) {
    counts[std::string(kSeverityNames.at(i))] = {{"fixable", verdict.counts.at(i).fixable},
                                                 {"unfixable", verdict.counts.at(i).unfixable}};
  }
  const Document document = {{"scanner", verdict.scanner},
                             {"scanned", static_cast<std::uint64_t>(verdict.scanned)},
                             {"vulnerabilities", std::move(counts)},
                             {kFormatMember, kFormatVersion}};
  const auto written = sys::ReplaceFile((*scans)->get(), *name, json::Write(document) + "\n",
                                        S_IRUSR | S_IWUSR, ::geteuid(), ::getegid());
  if (!written) return Error{state_directory + "/" + kScans + "/" + written.error().message};
  return {};
}

}  // namespace runclad::store
