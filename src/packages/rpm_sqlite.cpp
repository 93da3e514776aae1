// rpmdb.sqlite, read by SQLite out of memory: no file is opened, nothing is written.
#include <cstdint>
#include <memory>

#include <sqlite3.h>

#include "rpm_database.hpp"

namespace runclad::packages {
namespace {

using Database = std::unique_ptr<sqlite3, int (*)(sqlite3*)>;
using Statement = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

constexpr std::size_t kWriteVersionAt = 18;
constexpr std::size_t kReadVersionAt = 19;
constexpr int kMaxHeaderBytes = 64 << 20;
constexpr char kRollback = 1;
constexpr char kWriteAhead = 2;

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

bool ForEachInSqlite(std::span<char> bytes, const RpmVisitor& visit) {
  if (bytes.size() <= kReadVersionAt) return false;
  // A file that was last written with a write-ahead log is read as one without: a log that holds
  // anything is told elsewhere.
  for (const std::size_t at : {kWriteVersionAt, kReadVersionAt}) {
    if (bytes[at] == kWriteAhead) bytes[at] = kRollback;
  }
  sqlite3* opened = nullptr;
  const int status = sqlite3_open_v2(":memory:", &opened, SQLITE_OPEN_READWRITE, nullptr);
  const Database database(opened, sqlite3_close);
  const auto size = static_cast<sqlite3_int64>(bytes.size());
  if (status != SQLITE_OK || !IsHardened(opened) ||
      // NOLINTNEXTLINE(*-reinterpret-cast): bytes are unsigned to SQLite
      sqlite3_deserialize(opened, "main", reinterpret_cast<unsigned char*>(bytes.data()), size,
                          size, SQLITE_DESERIALIZE_READONLY) != SQLITE_OK) {
    return false;
  }
  sqlite3_limit(opened, SQLITE_LIMIT_LENGTH, kMaxHeaderBytes);
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(opened, "SELECT blob FROM main.Packages", -1, &prepared, nullptr) !=
      SQLITE_OK) {
    return false;
  }
  const Statement rows(prepared, sqlite3_finalize);
  int step = sqlite3_step(prepared);
  for (; step == SQLITE_ROW; step = sqlite3_step(prepared)) {
    const void* const blob = sqlite3_column_blob(prepared, 0);
    const int blob_bytes = sqlite3_column_bytes(prepared, 0);
    visit({static_cast<const char*>(blob),
           static_cast<std::size_t>(blob == nullptr ? 0 : blob_bytes)});
  }
  return step == SQLITE_DONE;
}

}  // namespace runclad::packages
