#include "rpm_header.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

#include "bytes.hpp"

namespace runclad::packages {
namespace {

// rpmtag.h
constexpr std::uint32_t kName = 1000;
constexpr std::uint32_t kOldFileNames = 1027;
constexpr std::uint32_t kDirIndexes = 1116;
constexpr std::uint32_t kBaseNames = 1117;
constexpr std::uint32_t kDirNames = 1118;

constexpr std::uint32_t kInt32 = 4;
constexpr std::uint32_t kString = 6;
constexpr std::uint32_t kStringArray = 8;

constexpr std::size_t kMaxFilesBytes = std::size_t{16} << 20;  // of one package

// The numbers of entries and of bytes; the entries (tag, type, offset, count); the bytes. All big
// endian.
class Header {
 public:
  static std::optional<Header> Read(std::string_view text) {
    constexpr std::size_t kIntroBytes = 8;
    constexpr std::size_t kEntryBytes = 16;
    const Bytes bytes(text, ByteOrder::kBig);
    const auto entries = bytes.Get32(0);
    const auto size = bytes.Get32(4);
    if (!entries || !size) return std::nullopt;
    const auto index = bytes.Slice(kIntroBytes, *entries * kEntryBytes);
    if (!index) return std::nullopt;
    const auto data = bytes.Slice(kIntroBytes + index->size(), *size);
    if (!data) return std::nullopt;
    Header header(*data);
    const Bytes numbers(*index, ByteOrder::kBig);
    for (std::size_t at = 0; at < index->size(); at += kEntryBytes) {
      const auto* found = std::ranges::find(kTags, *numbers.Get32(at));
      if (found == kTags.end()) continue;
      header.entries_.at(static_cast<std::size_t>(found - kTags.begin())) =
          Entry{*numbers.Get32(at + 4), *numbers.Get32(at + 8), *numbers.Get32(at + 12)};
    }
    return header;
  }

  // None where there is no such entry; no value where it is damaged.
  [[nodiscard]] std::optional<std::vector<std::string_view>> Strings(std::uint32_t tag,
                                                                     std::uint32_t type) const {
    std::vector<std::string_view> strings;
    const Entry& entry = Find(tag);
    if (entry.count == 0) return strings;
    if (entry.type != type || entry.offset > data_.size()) return std::nullopt;
    std::string_view rest = data_.substr(entry.offset);
    for (std::uint32_t i = 0; i < entry.count; ++i) {
      const std::size_t end = rest.find('\0');
      if (end == std::string_view::npos) return std::nullopt;
      strings.push_back(rest.substr(0, end));
      rest.remove_prefix(end + 1);
    }
    return strings;
  }

  [[nodiscard]] std::optional<std::vector<std::uint32_t>> Numbers(std::uint32_t tag) const {
    std::vector<std::uint32_t> numbers;
    const Entry& entry = Find(tag);
    if (entry.count == 0) return numbers;
    const Bytes bytes(data_, ByteOrder::kBig);
    const auto slice = bytes.Slice(entry.offset, std::size_t{entry.count} * sizeof(std::uint32_t));
    if (entry.type != kInt32 || !slice) return std::nullopt;
    for (std::size_t at = 0; at < slice->size(); at += sizeof(std::uint32_t)) {
      numbers.push_back(*Bytes(*slice, ByteOrder::kBig).Get32(at));
    }
    return numbers;
  }

 private:
  struct Entry {
    std::uint32_t type = 0;
    std::uint32_t offset = 0;
    std::uint32_t count = 0;
  };
  static constexpr std::array<std::uint32_t, 5> kTags = {kName, kOldFileNames, kDirIndexes,
                                                         kBaseNames, kDirNames};

  explicit Header(std::string_view data) : data_(data) {}

  [[nodiscard]] const Entry& Find(std::uint32_t tag) const {
    return entries_.at(static_cast<std::size_t>(std::ranges::find(kTags, tag) - kTags.begin()));
  }

  std::string_view data_;
  std::array<Entry, kTags.size()> entries_;
};

// False when they are damaged.
bool AddFiles(const Header& header, std::vector<std::string>& files) {
  const auto old_names = header.Strings(kOldFileNames, kStringArray);  // before rpm 4
  const auto base_names = header.Strings(kBaseNames, kStringArray);
  const auto directories = header.Strings(kDirNames, kStringArray);
  const auto indexes = header.Numbers(kDirIndexes);
  if (!old_names || !base_names || !directories || !indexes) return false;
  if (base_names->size() != indexes->size()) return false;
  for (const std::string_view name : *old_names) files.emplace_back(name);
  // Few bytes may ask for many: a long directory for each of the names.
  std::size_t total = 0;
  for (std::size_t i = 0; i < base_names->size(); ++i) {
    if (indexes->at(i) >= directories->size()) return false;
    std::string file(directories->at(indexes->at(i)));
    file += base_names->at(i);
    total += file.size();
    if (total > kMaxFilesBytes) return false;
    files.push_back(std::move(file));
  }
  return true;
}

}  // namespace

std::optional<RpmPackage> ParseRpmHeader(std::string_view text,
                                         const std::vector<std::string>& wanted) {
  const auto header = Header::Read(text);
  if (!header) return std::nullopt;
  const auto names = header->Strings(kName, kString);
  if (!names || names->size() != 1) return std::nullopt;
  RpmPackage package{names->front(), {}};
  if (std::ranges::find(wanted, package.name) == wanted.end()) return package;
  if (!AddFiles(*header, package.files)) return std::nullopt;
  return package;
}

}  // namespace runclad::packages
