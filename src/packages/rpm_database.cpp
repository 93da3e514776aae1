#include "rpm_database.hpp"

#include "bytes.hpp"
#include "rpm_header.hpp"

namespace runclad::packages {
namespace {

constexpr std::string_view kSqliteMagic("SQLite format 3\0", 16);
constexpr std::string_view kNdbMagic("RpmP");
constexpr std::size_t kBerkeleyMagicAt = 12;
constexpr std::uint32_t kBerkeleyHashMagic = 0x061561;

bool IsBerkeley(std::string_view text) {
  return Bytes(text, ByteOrder::kLittle).Get32(kBerkeleyMagicAt) == kBerkeleyHashMagic ||
         Bytes(text, ByteOrder::kBig).Get32(kBerkeleyMagicAt) == kBerkeleyHashMagic;
}

}  // namespace

std::optional<std::string> RpmFiles(std::span<char> database,
                                    const std::vector<std::string>& packages) {
  const std::string_view text(database.data(), database.size());
  std::string files;
  bool is_whole = true;
  const auto visit = [&](std::string_view header) {
    const auto package = ParseRpmHeader(header, packages);
    if (!package) {
      is_whole = false;
      return;
    }
    for (const std::string& file : package->files) files.append(file).push_back('\0');
  };
  bool is_read = false;
  if (text.starts_with(kSqliteMagic)) {
    is_read = ForEachInSqlite(database, visit);
  } else if (text.starts_with(kNdbMagic)) {
    is_read = ForEachInNdb(text, visit);
  } else if (IsBerkeley(text)) {
    is_read = ForEachInBerkeley(text, visit);
  } else {
    return std::nullopt;
  }
  return (is_read && is_whole ? '+' : '-') + files;
}

}  // namespace runclad::packages
