// Packages as a hash of Berkeley DB: pages of pairs, where a long value is a chain of overflow
// pages. Every page is read, not the buckets: the packages have no other order anyway.
#include <cstdint>
#include <optional>
#include <string>

#include "bytes.hpp"
#include "rpm_database.hpp"

namespace runclad::packages {
namespace {

constexpr std::size_t kMagicAt = 12;
constexpr std::uint32_t kMagic = 0x061561;
constexpr std::size_t kPageSizeAt = 20;
constexpr std::size_t kEncryptionAt = 24;
constexpr std::size_t kMetaFlagsAt = 26;  // checksums, which move everything
constexpr std::size_t kLastPageAt = 32;
constexpr std::uint32_t kMinPageBytes = 512;
constexpr std::uint32_t kMaxPageBytes = 65536;

// Of a page.
constexpr std::size_t kNextAt = 16;
constexpr std::size_t kEntriesAt = 20;
constexpr std::size_t kEndAt = 22;  // of an overflow page: the bytes on it
constexpr std::size_t kTypeAt = 25;
constexpr std::size_t kPageHeaderBytes = 26;

constexpr std::uint8_t kUnsortedHashPage = 2;
constexpr std::uint8_t kOverflowPage = 7;
constexpr std::uint8_t kHashPage = 13;

constexpr std::uint8_t kOnPage = 1;
constexpr std::uint8_t kOffPage = 3;

class Hash {
 public:
  static std::optional<Hash> Open(std::string_view database) {
    const bool is_big = Bytes(database, ByteOrder::kBig).Get32(kMagicAt) == kMagic;
    const Bytes bytes(database, is_big ? ByteOrder::kBig : ByteOrder::kLittle);
    const auto page_bytes = bytes.Get32(kPageSizeAt);
    const auto last = bytes.Get32(kLastPageAt);
    if (!page_bytes || !last || *page_bytes < kMinPageBytes || *page_bytes > kMaxPageBytes ||
        bytes.Get8(kEncryptionAt) != 0 || bytes.Get8(kMetaFlagsAt) != 0) {
      return std::nullopt;
    }
    return Hash(bytes, *page_bytes, *last);
  }

  bool ForEach(const RpmVisitor& visit) {
    bool is_whole = true;
    for (std::uint32_t number = 1; number <= last_; ++number) {
      const auto page = Page(number);
      if (!page) return false;  // cut off
      const std::uint8_t type = *page->Get8(kTypeAt);
      if (type != kHashPage && type != kUnsortedHashPage) continue;
      is_whole = ForEachOn(*page, visit) && is_whole;
    }
    return is_whole;
  }

 private:
  Hash(Bytes bytes, std::uint32_t page_bytes, std::uint32_t last)
      : bytes_(bytes), page_bytes_(page_bytes), last_(last), left_(bytes.size()) {}

  [[nodiscard]] std::optional<Bytes> Page(std::uint32_t number) const {
    const auto slice = bytes_.Slice(std::size_t{number} * page_bytes_, page_bytes_);
    if (!slice) return std::nullopt;
    return bytes_.Of(*slice);
  }

  // Key and value by turns, from the page's end on.
  bool ForEachOn(const Bytes& page, const RpmVisitor& visit) {
    const std::uint16_t entries = *page.Get16(kEntriesAt);
    for (std::uint16_t i = 1; i < entries; i = static_cast<std::uint16_t>(i + 2)) {
      const auto key_at = page.Get16(kPageHeaderBytes + (i - 1) * sizeof(std::uint16_t));
      const auto at = page.Get16(kPageHeaderBytes + i * sizeof(std::uint16_t));
      if (!key_at || !at || *at >= *key_at) return false;
      const auto key_end =
          i == 1 ? page_bytes_ : *page.Get16(kPageHeaderBytes + (i - 2) * sizeof(std::uint16_t));
      const auto key = page.Slice(*key_at, key_end - *key_at);
      const auto item = page.Slice(*at, *key_at - *at);
      if (key_end < *key_at || !key || !item || item->empty()) return false;
      if (IsCounter(*key)) continue;
      const auto type = static_cast<std::uint8_t>(item->front());
      if (type == kOnPage) {
        visit(item->substr(1));
      } else if (const auto value = type == kOffPage ? Chain(*item) : std::nullopt) {
        visit(*value);
      } else {
        return false;
      }
    }
    return true;
  }

  // rpm's own record of the highest number so far, under the number 0.
  static bool IsCounter(std::string_view key) { return key == std::string_view("\1\0\0\0\0", 5); }

  std::optional<std::string> Chain(std::string_view item) {
    const Bytes reference = bytes_.Of(item);
    auto number = reference.Get32(4);
    const auto size = reference.Get32(8);
    // No two values share a page: a chain that leads back, or that many values name, ends here.
    if (!number || !size || *size > left_) return std::nullopt;
    left_ -= *size;
    std::string value;
    while (value.size() < *size) {
      const auto page = *number == 0 ? std::nullopt : Page(*number);
      if (!page || *page->Get8(kTypeAt) != kOverflowPage) return std::nullopt;
      const std::uint16_t here = *page->Get16(kEndAt);
      const auto part = page->Slice(kPageHeaderBytes, here);
      if (here == 0 || !part || part->size() > *size - value.size()) return std::nullopt;
      value += *part;
      number = page->Get32(kNextAt);
    }
    return value;
  }

  Bytes bytes_;
  std::uint32_t page_bytes_;
  std::uint32_t last_;
  std::size_t left_;
};

}  // namespace

bool ForEachInBerkeley(std::string_view database, const RpmVisitor& visit) {
  auto hash = Hash::Open(database);
  return hash && hash->ForEach(visit);
}

}  // namespace runclad::packages
