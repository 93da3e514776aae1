#include "runclad/sys/memory_database.hpp"

#include <cstddef>

#include <sqlite3.h>

namespace runclad::sys {
namespace {

// Bytes of the header (https://www.sqlite.org/fileformat.html).
constexpr std::size_t kWriteVersionAt = 18;
constexpr std::size_t kReadVersionAt = 19;
constexpr char kRollback = 1;
constexpr char kWriteAhead = 2;
constexpr int kMaxValueBytes = 64 << 20;

// What the file's author has in its schema is not run.
bool IsHardened(sqlite3* database) {
  struct {
    int option;
    int value;
  } const settings[] = {
      {SQLITE_DBCONFIG_DEFENSIVE, 1},
      {SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0},
      {SQLITE_DBCONFIG_ENABLE_VIEW, 0},
      {SQLITE_DBCONFIG_ENABLE_TRIGGER, 0},
  };
  for (const auto& [option, value] : settings) {
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-vararg): how SQLite takes settings
    if (sqlite3_db_config(database, option, value, nullptr) != SQLITE_OK) return false;
  }
  return true;
}

}  // namespace

void CloseDatabase::operator()(sqlite3* database) const { sqlite3_close(database); }

bool HasWriteAheadLog(std::span<const char> bytes) {
  return bytes.size() > kReadVersionAt &&
         (bytes[kWriteVersionAt] == kWriteAhead || bytes[kReadVersionAt] == kWriteAhead);
}

MemoryDatabase OpenMemoryDatabase(std::span<char> bytes) {
  if (bytes.size() <= kReadVersionAt) return nullptr;
  for (const std::size_t at : {kWriteVersionAt, kReadVersionAt}) {
    if (bytes[at] == kWriteAhead) bytes[at] = kRollback;
  }
  sqlite3* opened = nullptr;
  const int status = sqlite3_open_v2(":memory:", &opened, SQLITE_OPEN_READWRITE, nullptr);
  MemoryDatabase database(opened);
  const auto size = static_cast<sqlite3_int64>(bytes.size());
  if (status != SQLITE_OK || !IsHardened(opened) ||
      // NOLINTNEXTLINE(*-reinterpret-cast): bytes are unsigned to SQLite
      sqlite3_deserialize(opened, "main", reinterpret_cast<unsigned char*>(bytes.data()), size,
                          size, SQLITE_DESERIALIZE_READONLY) != SQLITE_OK) {
    return nullptr;
  }
  sqlite3_limit(opened, SQLITE_LIMIT_LENGTH, kMaxValueBytes);
  return database;
}

}  // namespace runclad::sys
