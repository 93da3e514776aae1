// A SQLite database that is read from memory: no file is opened, nothing is written, and nothing
// that its schema contains is run (views, triggers).
#pragma once

#include <memory>
#include <span>

struct sqlite3;

namespace runclad::sys {

struct CloseDatabase {
  void operator()(sqlite3* database) const;
};
using MemoryDatabase = std::unique_ptr<sqlite3, CloseDatabase>;

// `bytes`, the database file, must outlive the database; nothing when SQLite cannot open it. A file
// that was last written with a write-ahead log is read as one without: the log is the caller's
// matter.
MemoryDatabase OpenMemoryDatabase(std::span<char> bytes);

// Whether the file was last written with a write-ahead log (`db.sql-wal`).
bool HasWriteAheadLog(std::span<const char> bytes);

}  // namespace runclad::sys
