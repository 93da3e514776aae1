// Packages.db of rpm's own format ndb: a header of 32 bytes, slots of 16 to the end of its pages,
// and blobs in blocks of 16, all little endian.
#include <cstdint>

#include "bytes.hpp"
#include "rpm_database.hpp"

namespace runclad::packages {
namespace {

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kHeaderBytes = 32;
constexpr std::size_t kSlotBytes = 16;
constexpr std::size_t kBlockBytes = 16;
constexpr std::size_t kBlobHeaderBytes = 16;
constexpr std::size_t kVersionAt = 4;
constexpr std::size_t kSlotPagesAt = 12;
constexpr std::string_view kSlotMagic = "Slot";
constexpr std::string_view kBlobMagic = "BlbS";

}  // namespace

bool ForEachInNdb(std::string_view database, const RpmVisitor& visit) {
  const Bytes bytes(database, ByteOrder::kLittle);
  const auto slot_pages = bytes.Get32(kSlotPagesAt);
  if (bytes.Get32(kVersionAt) != 0U || !slot_pages) return false;
  const std::size_t slots_end = *slot_pages * kPageBytes;
  if (slots_end < kPageBytes || slots_end > database.size()) return false;
  bool is_whole = true;
  std::size_t left = database.size();  // blobs do not overlap
  for (std::size_t at = kHeaderBytes; at < slots_end; at += kSlotBytes) {
    if (database.substr(at, kSlotMagic.size()) != kSlotMagic) return false;
    const std::uint32_t package = *bytes.Get32(at + 4);
    const std::size_t blob = std::size_t{*bytes.Get32(at + 8)} * kBlockBytes;
    if (blob == 0) continue;  // free
    const auto magic = bytes.Slice(blob, kBlobMagic.size());
    const auto size = bytes.Get32(blob + 12);
    if (!magic || *magic != kBlobMagic || !size || bytes.Get32(blob + 4) != package ||
        *size > left) {
      is_whole = false;
      continue;
    }
    left -= *size;
    const auto header = bytes.Slice(blob + kBlobHeaderBytes, *size);
    if (header) {
      visit(*header);
    } else {
      is_whole = false;
    }
  }
  return is_whole;
}

}  // namespace runclad::packages
