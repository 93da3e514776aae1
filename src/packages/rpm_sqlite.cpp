// rpmdb.sqlite. A log that holds anything beside it is reported elsewhere.
#include <memory>

#include <sqlite3.h>

#include "runclad/sys/memory_database.hpp"

#include "rpm_database.hpp"

namespace runclad::packages {
namespace {

using Statement = std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)>;

}  // namespace

bool ForEachInSqlite(std::span<char> bytes, const RpmVisitor& visit) {
  const sys::MemoryDatabase database = sys::OpenMemoryDatabase(bytes);
  if (!database) return false;
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(database.get(), "SELECT blob FROM main.Packages", -1, &prepared,
                         nullptr) != SQLITE_OK) {
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
