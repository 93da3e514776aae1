#include "podman_database.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <thread>

#include <sqlite3.h>

#include "runclad/sys/file.hpp"
#include "runclad/sys/memory_database.hpp"

namespace runclad::engine {
namespace {

constexpr const char* kDatabase = "db.sql";
constexpr const char* kJournal = "db.sql-journal";  // is there while a transaction is written
constexpr std::size_t kMaxDatabaseBytes = std::size_t{256} << 20;

// SQLite counts a database's transactions in its header.
using Counter = std::array<char, 4>;
constexpr off_t kCounterAt = 24;

// Whether the file is as long as its header says: SQLite takes one that was cut off for one that
// has fewer rows.
bool IsWhole(std::string_view bytes) {
  constexpr std::size_t kHeaderBytes = 100;
  if (bytes.size() < kHeaderBytes) return false;
  const auto number = [&](std::size_t at, std::size_t size) {  // big-endian
    std::size_t value = 0;
    for (const char byte : bytes.substr(at, size)) {
      value = value << 8 | static_cast<unsigned char>(byte);
    }
    return value;
  };
  constexpr std::size_t kLargestPage = 65536;
  const std::size_t page = number(16, 2) == 1 ? kLargestPage : number(16, 2);
  return page * number(28, 4) == bytes.size();
}

std::optional<Counter> CounterOf(int file) {
  Counter counter{};
  const ssize_t size = ::pread(file, counter.data(), counter.size(), kCounterAt);
  if (size != static_cast<ssize_t>(counter.size())) return std::nullopt;
  return counter;
}

// One state of the database: no value while podman is writing it. The counter comes first and last:
// a transaction that begins after the first look at it changes it, and one that had begun before it
// either was done or has its journal there.
Result<std::optional<std::string>> TryRead(const StateDirectory& storage, int file) {
  const auto before = CounterOf(file);
  const auto has_journal = [&]() -> Result<bool> {
    const auto journal = storage.OpenFileIfPresent(kJournal);
    if (!journal) return journal.error();
    struct stat status {};
    return *journal && (::fstat((*journal)->get(), &status) != 0 || status.st_size > 0);
  };
  const auto written_before = has_journal();
  if (!written_before) return written_before.error();
  if (*written_before) return std::optional<std::string>();
  auto bytes = sys::ReadRegularFile(file, kMaxDatabaseBytes);
  if (!bytes) return bytes.error();
  const auto written_after = has_journal();
  if (!written_after) return written_after.error();
  if (*written_after || CounterOf(file) != before) return std::optional<std::string>();
  return std::optional<std::string>(*std::move(bytes));
}

constexpr const char* kState = "SELECT JSON FROM main.ContainerState WHERE ID = ?1";
constexpr const char* kConfig = "SELECT JSON FROM main.ContainerConfig WHERE ID = ?1";

Result<std::optional<std::string>> Select(std::span<char> bytes, const char* query,
                                          const std::string& id) {
  const Error damaged{"is damaged"};
  const sys::MemoryDatabase database = sys::OpenMemoryDatabase(bytes);
  if (!database) return damaged;
  sqlite3_stmt* prepared = nullptr;
  if (sqlite3_prepare_v2(database.get(), query, -1, &prepared, nullptr) != SQLITE_OK) {
    return damaged;
  }
  const std::unique_ptr<sqlite3_stmt, int (*)(sqlite3_stmt*)> rows(prepared, sqlite3_finalize);
  if (sqlite3_bind_text(prepared, 1, id.data(), static_cast<int>(id.size()), SQLITE_STATIC) !=
      SQLITE_OK) {
    return damaged;
  }
  const int step = sqlite3_step(prepared);
  if (step == SQLITE_DONE) return std::optional<std::string>();
  if (step != SQLITE_ROW) return damaged;
  const void* const json = sqlite3_column_blob(prepared, 0);
  const int size = sqlite3_column_bytes(prepared, 0);
  if (json == nullptr) return std::optional<std::string>(std::string());
  return std::optional<std::string>(
      std::string(static_cast<const char*>(json), static_cast<std::size_t>(size)));
}

Result<std::optional<std::string>> Read(const StateDirectory& storage, const char* query,
                                        const std::string& id) {
  using namespace std::chrono_literals;
  constexpr int kTries = 20;
  constexpr std::string_view kName = "podman's database";
  const auto file = storage.OpenFileIfPresent(kDatabase);
  if (!file) return file.error();
  if (!*file) return std::optional<std::string>();
  for (int tries = 0; tries < kTries; ++tries) {
    if (tries > 0) std::this_thread::sleep_for(5ms);
    if (::lseek((*file)->get(), 0, SEEK_SET) != 0) break;
    auto bytes = TryRead(storage, (*file)->get());
    if (!bytes) return bytes.error().In(kName);
    if (!*bytes) continue;
    // podman writes none; what a log holds would be missing here.
    if (sys::HasWriteAheadLog(**bytes)) {
      return Error{std::string(kName) + " has a write-ahead log, which is not read"};
    }
    if (!IsWhole(**bytes)) return Error{std::string(kName) + " is damaged"};
    auto found = Select(**bytes, query, id);
    if (!found) return Error{std::string(kName) + ' ' + found.error().message};
    return found;
  }
  return Error{std::string(kName) + " kept changing while it was read"};
}

}  // namespace

Result<std::optional<std::string>> ReadPodmanState(const StateDirectory& storage,
                                                   const std::string& id) {
  return Read(storage, kState, id);
}

Result<std::optional<std::string>> ReadPodmanConfig(const StateDirectory& storage,
                                                    const std::string& id) {
  return Read(storage, kConfig, id);
}

}  // namespace runclad::engine
