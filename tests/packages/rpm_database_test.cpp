// Real databases of rpm (tests/data/rpm), and what an attacker makes of them.
#include "packages/rpm_database.hpp"

#include <fstream>
#include <random>
#include <sstream>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include "packages/rpm_header.hpp"
#include "test_paths.hpp"

namespace runclad::packages::rpm_database_test {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;
using Strings = std::vector<std::string>;

constexpr const char* kFormats[] = {"rpmdb.sqlite", "Packages", "Packages.db"};

std::string Database(const char* name) {
  std::ifstream file(std::string(RUNCLAD_TEST_DATA) + "/data/rpm/" + name, std::ios::binary);
  EXPECT_TRUE(file) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::optional<std::string> Read(std::string database, const Strings& packages = {"rpm-kit"}) {
  return RpmFiles({database.data(), database.size()}, packages);
}

Strings Files(const std::optional<std::string>& answer) {
  Strings files;
  std::istringstream stream(answer.value_or("").substr(answer ? 1 : 0));
  for (std::string file; std::getline(stream, file, '\0');) files.push_back(file);
  return files;
}

void Put32(std::string& bytes, std::size_t at, std::uint32_t number) {
  for (std::size_t i = 0; i < 4; ++i) bytes.at(at + i) = static_cast<char>(number >> (8 * i));
}
void Put16(std::string& bytes, std::size_t at, std::uint32_t number) {
  for (std::size_t i = 0; i < 2; ++i) bytes.at(at + i) = static_cast<char>(number >> (8 * i));
}

TEST(RpmDatabase, HoldsTheFilesOfAPackageInEveryFormat) {
  for (const char* format : kFormats) {
    const auto answer = Read(Database(format));
    ASSERT_TRUE(answer) << format;
    EXPECT_EQ(answer->front(), '+') << format;
    EXPECT_THAT(Files(answer),
                ElementsAre("/opt/rpm-kit", "/opt/rpm-kit/bin", "/opt/rpm-kit/bin/run",
                            "/opt/rpm-kit/bin/second", "/usr/share/doc/rpm-kit/README"))
        << format;
    EXPECT_THAT(Files(Read(Database(format), {"rpm-other"})), SizeIs(123)) << format;
    EXPECT_THAT(Files(Read(Database(format), {"rpm-other", "rpm-kit"})), SizeIs(128)) << format;
    EXPECT_EQ(Read(Database(format), {"rpm", "", "rpm-kit-1.0"}), "+") << format;
  }
}

TEST(RpmDatabase, RejectsUnknownFormats) {
  for (const std::string text : {"", "R", "no database at all, but long enough to be looked at"}) {
    EXPECT_FALSE(Read(text));
  }
}

TEST(RpmDatabase, ReportsTruncationQuickly) {
  for (const char* format : kFormats) {
    const std::string whole = Database(format);
    for (std::size_t size = 0; size < whole.size(); size += 509) {
      const auto answer = Read(whole.substr(0, size));
      if (!answer) continue;
      const bool has_all = Files(answer).size() == 5;
      EXPECT_TRUE(answer->starts_with('-') || has_all) << format << " " << size;
    }
    const auto answer = Read(whole.substr(0, whole.size() / 2));
    EXPECT_TRUE(answer && answer->starts_with('-')) << format;
  }
}

TEST(RpmDatabase, StaysInBoundsWithAnyByteChanged) {
  std::mt19937 random(20261122);
  for (const char* format : kFormats) {
    const std::string whole = Database(format);
    for (int i = 0; i < 400; ++i) {
      std::string changed = whole;
      for (int k = 0; k < 8; ++k) {
        // Half of them where the structure is.
        const std::size_t range = k % 2 == 0 ? 512 : changed.size();
        changed.at(random() % range) = static_cast<char>(random());
      }
      (void)Read(changed);  // the sanitizers look on
    }
  }
}

// 4096-byte pages; type at 25, next at 16, bytes on it at 22.
TEST(RpmDatabase, BerkeleyFilesCannotLoopOrExpand) {
  constexpr std::size_t kPage = 4096;
  const std::string whole = Database("Packages");
  std::vector<std::size_t> overflow;
  for (std::size_t at = kPage; at < whole.size(); at += kPage) {
    if (whole.at(at + 25) == 7) overflow.push_back(at);
  }
  ASSERT_GE(overflow.size(), 4U);
  struct {
    const char* name;
    std::function<void(std::string&)> change;
  } const rows[] = {
      {"a page that follows itself",
       [&](std::string& db) {
         for (const std::size_t at : overflow) {
           Put32(db, at + 16, static_cast<std::uint32_t>(at / kPage));
         }
       }},
      {"a loop with nothing on it",
       [&](std::string& db) {
         for (const std::size_t at : overflow) {
           Put32(db, at + 16, static_cast<std::uint32_t>(at / kPage));
           Put16(db, at + 22, 0);
         }
       }},
      {"a loop of four gigabytes",
       [&](std::string& db) {
         const std::size_t item = db.find(std::string("\x78\x4b\0\0", 4));  // 19320 bytes
         Put32(db, item, 0xfffffff0);
         for (const std::size_t at : overflow) {
           Put32(db, at + 16, static_cast<std::uint32_t>(at / kPage));
         }
       }},
      {"a page beyond the end",
       [&](std::string& db) {
         for (const std::size_t at : overflow) Put32(db, at + 16, 0xfffffff0);
       }},
      {"a page with nothing on it",
       [&](std::string& db) {
         for (const std::size_t at : overflow) Put16(db, at + 22, 0);
       }},
      {"a page with more than fits",
       [&](std::string& db) {
         for (const std::size_t at : overflow) Put16(db, at + 22, 0xffff);
       }},
      {"pages of another type",
       [&](std::string& db) {
         for (const std::size_t at : overflow) db.at(at + 25) = 5;
       }},
      {"pages of no size", [](std::string& db) { Put32(db, 20, 0); }},
      {"pages of four gigabytes", [](std::string& db) { Put32(db, 20, 0xffffffff); }},
      {"more pages than there are", [](std::string& db) { Put32(db, 32, 0xffffffff); }},
      {"encrypted", [](std::string& db) { db.at(24) = 1; }},
      {"with checksums", [](std::string& db) { db.at(26) = 1; }},
      {"entries without end",
       [](std::string& db) {
         for (std::size_t at = kPage; at < db.size(); at += kPage) {
           if (db.at(at + 25) == 13) Put16(db, at + 20, 0xffff);
         }
       }},
  };
  for (const auto& row : rows) {
    std::string changed = whole;
    row.change(changed);
    const auto answer = Read(changed, {"rpm-kit", "rpm-other"});
    ASSERT_TRUE(answer) << row.name;
    EXPECT_EQ(answer->front(), '-') << row.name;
    EXPECT_LT(answer->size(), 100000U) << row.name;
  }
}

// A slot: "Slot", package, block, blocks; a blob: "BlbS", package, time, bytes.
TEST(RpmDatabase, NdbFilesAreBounded) {
  const std::string whole = Database("Packages.db");
  const std::size_t blob = whole.find("BlbS");
  struct {
    const char* name;
    std::function<void(std::string&)> change;
  } const rows[] = {
      {"slots beyond the end", [](std::string& db) { Put32(db, 12, 0xffffffff); }},
      {"no slots", [](std::string& db) { Put32(db, 12, 0); }},
      {"another version", [](std::string& db) { Put32(db, 4, 1); }},
      {"no slot", [](std::string& db) { db.at(48) = 'X'; }},
      {"a blob beyond the end", [](std::string& db) { Put32(db, 32 + 8, 0x0fffffff); }},
      {"a blob of another package", [&](std::string& db) { Put32(db, blob + 4, 77); }},
      {"a blob that is too long", [&](std::string& db) { Put32(db, blob + 12, 0xfffffff0); }},
      {"all slots with the same blob",
       [&](std::string& db) {
         for (std::size_t at = 32; at < 4096; at += 16) db.replace(at, 16, whole.substr(48, 16));
       }},
  };
  for (const auto& row : rows) {
    std::string changed = whole;
    row.change(changed);
    const auto answer = Read(changed, {"rpm-kit", "rpm-other"});
    ASSERT_TRUE(answer) << row.name;
    EXPECT_EQ(answer->front(), '-') << row.name;
    EXPECT_LT(answer->size(), 100000U) << row.name;
  }
}

// A database that these statements make.
std::string Sqlite(const char* statements) {
  sqlite3* database = nullptr;
  EXPECT_EQ(sqlite3_open(":memory:", &database), SQLITE_OK);
  EXPECT_EQ(sqlite3_exec(database, statements, nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
  sqlite3_int64 size = 0;
  unsigned char* const bytes = sqlite3_serialize(database, "main", &size, 0);
  const std::string text(bytes, bytes + size);
  sqlite3_free(bytes);
  sqlite3_close(database);
  return text;
}

TEST(RpmDatabase, SqliteSchemasAreNotExecuted) {
  EXPECT_EQ(Read(Sqlite("CREATE TABLE Packages (hnum, blob)")), "+");
  EXPECT_EQ(Read(Sqlite("CREATE TABLE Other (hnum, blob)")), "-");
  EXPECT_EQ(Read(Sqlite("CREATE TABLE Packages (hnum, blob);"
                        "INSERT INTO Packages VALUES (1, NULL), (2, 'text'), (3, 4.5)")),
            "-");
  EXPECT_EQ(Read(Sqlite("CREATE VIEW Packages AS WITH RECURSIVE c(blob) AS "
                        "(SELECT 1 UNION ALL SELECT blob + 1 FROM c) SELECT blob FROM c")),
            "-")
      << "it would never end";
  EXPECT_EQ(Read(Sqlite("CREATE TABLE Packages (hnum, blob AS (zeroblob(900000000)));"
                        "INSERT INTO Packages VALUES (1), (2), (3)")),
            "-")
      << "it would take a gigabyte";
}

std::string Big(std::uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<char>(number >> shift));
  return bytes;
}

struct Entry {
  std::uint32_t tag, type, count;
  std::string data;
};

std::string Header(const std::vector<Entry>& entries) {
  std::string index;
  std::string data;
  for (const Entry& entry : entries) {
    index += Big(entry.tag) + Big(entry.type) + Big(static_cast<std::uint32_t>(data.size())) +
             Big(entry.count);
    data += entry.data;
  }
  return Big(static_cast<std::uint32_t>(entries.size())) +
         Big(static_cast<std::uint32_t>(data.size())) + index + data;
}

TEST(RpmHeader, ReadsFileNamesInBothForms) {
  using namespace std::string_literals;
  const Entry name = {1000, 6, 1, "kit\0"s};
  const std::string with_both = Header({name,
                                        {1027, 8, 1, "/old/file\0"s},
                                        {1116, 4, 2, Big(1) + Big(0)},
                                        {1117, 8, 2, "a\0b\0"s},
                                        {1118, 8, 2, "/one/\0/two/\0"s}});
  const auto package = ParseRpmHeader(with_both, {"kit"});
  ASSERT_TRUE(package);
  EXPECT_EQ(package->name, "kit");
  EXPECT_THAT(package->files, ElementsAre("/old/file", "/two/a", "/one/b"));
  EXPECT_THAT(ParseRpmHeader(with_both, {"other"})->files, SizeIs(0));
  EXPECT_THAT(ParseRpmHeader(Header({name}), {"kit"})->files, SizeIs(0)) << "a public key, say";
}

TEST(RpmHeader, RejectsDamage) {
  using namespace std::string_literals;
  const Entry name = {1000, 6, 1, "kit\0"s};
  const Entry bases = {1117, 8, 1, "a\0"s};
  const Entry directories = {1118, 8, 1, "/one/\0"s};
  std::string long_directory(1U << 20U, 'd');
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "b\0"s;
  std::string zeros(4000, '\0');
  struct {
    const char* name;
    std::string header;
  } const rows[] = {
      {"empty", ""},
      {"no entries", Header({})},
      {"no name", Header({bases})},
      {"a name of another type", Header({{1000, 4, 1, "kit\0"s}})},
      {"two names", Header({{1000, 6, 2, "kit\0kit\0"s}})},
      {"a name without end", Header({{1000, 6, 1, "kit"}})},
      {"entries beyond the end", Big(0xffffffff) + Big(0)},
      {"data beyond the end", Big(0) + Big(1)},
      {"a directory that is not there", Header({name, bases, directories, {1116, 4, 1, Big(1)}})},
      {"fewer indexes than names", Header({name, bases, directories})},
      {"indexes beyond the end", Header({name, bases, directories, {1116, 4, 0x40000001, Big(0)}})},
      {"names without end", Header({name, directories, {1117, 8, 0xffffffff, "a\0"s}})},
      {"little that is much", Header({name,
                                      {1118, 8, 1, "/" + long_directory + "\0"s},
                                      {1117, 8, 1000, many},
                                      {1116, 4, 1000, zeros}})},
  };
  for (const auto& row : rows) EXPECT_FALSE(ParseRpmHeader(row.header, {"kit"})) << row.name;
}

}  // namespace
}  // namespace runclad::packages::rpm_database_test
