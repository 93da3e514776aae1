#include "engine/bolt.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runclad/base/unique_fd.hpp"

#include "bolt_writer.hpp"
#include "test_paths.hpp"

namespace runclad::engine::bolt_test {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t kPageSize = 4096;

UniqueFd FileOf(std::string_view bytes) {
  UniqueFd file(::memfd_create("bolt", MFD_CLOEXEC));
  EXPECT_EQ(::write(file.get(), bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return file;
}

// As containerd 1.6.20 wrote it (tests/data/containerd/README.md).
std::string RealDatabase() {
  std::ifstream file(std::string(RUNCLAD_TEST_DATA) + "/data/containerd/meta.db", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What is in the bucket and the buckets below it, a line each.
void ReadEverything(Bolt& bolt, const Bolt::Bucket& bucket, std::string& text, int depth = 0) {
  constexpr int kMaxDepth = 20;
  if (depth > kMaxDepth) return;
  bolt.ForEach(bucket, [&](const Bolt::Entry& entry) {
    text.append(static_cast<std::size_t>(depth), ' ').append(entry.key);
    if (const auto below = bolt.AsBucket(entry)) {
      text += '\n';
      ReadEverything(bolt, *below, text, depth + 1);
    } else {
      text.append("=").append(entry.value).append("\n");
    }
    return true;
  });
}

// Everything in the database as text, or why there is none.
std::string Dump(std::string_view database) {
  const UniqueFd file = FileOf(database);
  auto bolt = Bolt::Open(file.get());
  if (!bolt) return "! " + bolt.error().message;
  std::string text;
  ReadEverything(*bolt, bolt->root(), text);
  const auto is_whole = bolt->Confirm();
  if (!is_whole) return "! " + is_whole.error().message;
  return *is_whole ? text : "! changed";
}

Tree SmallTree() {
  Tree tree;
  tree.At("v1").values["version"] = "\x03";
  tree.At("v1").At("default").At("images").At("docker.io/library/app:1").values["digest"] = "d";
  return tree;
}

Tree LargeTree(std::size_t count) {
  Tree tree;
  for (std::size_t index = 0; index < count; ++index) {
    Tree& image = tree.At("images").At("name" + std::to_string(index));
    image.values["createdat"] = std::string(15, 'c');
    image.At("target").values["digest"] = "sha256:" + std::to_string(index);
  }
  return tree;
}

TEST(Bolt, ReadsBucketsAndValues) {
  EXPECT_EQ(Dump(BoltWriter().Write(SmallTree())),
            "v1\n default\n  images\n   docker.io/library/app:1\n    digest=d\n version=\x03\n");
}

TEST(Bolt, ReadsOtherSizesOfPages) {
  for (const std::size_t size : {1024, 2048, 8192, 16384, 65536}) {
    EXPECT_EQ(Dump(BoltWriter(size).Write(SmallTree())), Dump(BoltWriter().Write(SmallTree())))
        << size;
  }
  EXPECT_THAT(Dump(BoltWriter(512).Write(SmallTree())), HasSubstr("neither"));
}

TEST(Bolt, SearchesTreesOfSeveralLevels) {
  constexpr std::size_t kImages = 3000;
  const UniqueFd file = FileOf(BoltWriter(1024).Write(LargeTree(kImages)));
  auto bolt = Bolt::Open(file.get());
  ASSERT_TRUE(bolt);
  const auto images = bolt->FindBucket(bolt->root(), "images");
  ASSERT_TRUE(images);
  for (std::size_t index = 0; index < kImages; ++index) {
    const auto image = bolt->FindBucket(*images, "name" + std::to_string(index));
    ASSERT_TRUE(image) << index;
    const auto target = bolt->FindBucket(*image, "target");
    ASSERT_TRUE(target) << index;
    EXPECT_EQ(bolt->FindValue(*target, "digest"), "sha256:" + std::to_string(index));
  }
  for (const char* absent : {"", "a", "name", "name00", "name2999x", "z"}) {
    EXPECT_FALSE(bolt->FindBucket(*images, absent)) << absent;
  }
  std::size_t count = 0;
  bolt->ForEach(*images, [&](const Bolt::Entry&) { return ++count < kImages + 1; });
  EXPECT_EQ(count, kImages);
  const auto is_whole = bolt->Confirm();
  ASSERT_TRUE(is_whole);
  EXPECT_TRUE(*is_whole);
}

TEST(Bolt, ReadsValuesLargerThanAPage) {
  Tree tree;
  tree.values["spec"] = std::string(3 * kPageSize, 's');
  tree.values["after"] = "x";
  EXPECT_EQ(Dump(BoltWriter().Write(tree)), "after=x\nspec=" + tree.values["spec"] + "\n");
}

TEST(Bolt, DistinguishesValuesFromBuckets) {
  Tree tree;
  tree.At("bucket").values["a"] = "b";
  tree.values["value"] = "v";
  const UniqueFd file = FileOf(BoltWriter().Write(tree));
  auto bolt = Bolt::Open(file.get());
  ASSERT_TRUE(bolt);
  EXPECT_FALSE(bolt->FindValue(bolt->root(), "bucket"));
  EXPECT_FALSE(bolt->FindBucket(bolt->root(), "value"));
  EXPECT_TRUE(bolt->FindBucket(bolt->root(), "bucket"));
  EXPECT_EQ(bolt->FindValue(bolt->root(), "value"), "v");
}

TEST(Bolt, UsesTheNewestCompleteState) {
  Tree older;
  older.values["state"] = "older";
  Tree newest;
  newest.values["state"] = "newest";
  const std::string database = BoltWriter().Write(newest, older);
  ASSERT_EQ(Dump(database), "state=newest\n");
  // The newest one's meta page is the second, the one before it the first.
  constexpr std::size_t kMetaEnd = BoltWriter::kHeader + 64;
  for (const std::size_t page : {0, 1}) {
    for (std::size_t at = BoltWriter::kHeader; at < kMetaEnd; ++at) {
      for (const char bit : {'\x01', '\x80'}) {
        std::string damaged = database;
        damaged[page * kPageSize + at] ^= bit;
        EXPECT_EQ(Dump(damaged), page == 0 ? "state=newest\n" : "state=older\n") << page << at;
      }
    }
  }
}

TEST(Bolt, RejectsTwoDamagedMetaPages) {
  std::string database = BoltWriter().Write(SmallTree());
  database[BoltWriter::kHeader] ^= 1;
  database[kPageSize + BoltWriter::kHeader] ^= 1;
  EXPECT_THAT(Dump(database), HasSubstr("neither"));
  EXPECT_THAT(Dump(""), HasSubstr("neither"));
  EXPECT_THAT(Dump(std::string(16 * kPageSize, '\0')), HasSubstr("neither"));
}

TEST(Bolt, TruncationIsDetectedOrHarmless) {
  for (const std::string& database : {BoltWriter().Write(LargeTree(100)), RealDatabase()}) {
    const std::string whole = Dump(database);
    ASSERT_THAT(whole, HasSubstr("digest="));
    for (std::size_t size = 0; size < database.size(); size += kPageSize) {
      for (const std::size_t cut : {size, size + 20, size + kPageSize - 1}) {
        const std::string dump = Dump(database.substr(0, cut));
        EXPECT_TRUE(dump == whole || dump.starts_with("! ")) << cut;
      }
    }
  }
}

struct Damage {
  const char* name;
  std::size_t page;
  std::size_t offset;
  std::uint64_t number;
  std::size_t width;
  const char* expected;
};

// A branch (page 7) over four leaves (3 to 6), page 2 is the state before: every number in it,
// wrong.
TEST(Bolt, SurvivesAnyFalseNumber) {
  Tree tree;
  for (char name = 'a'; name < 'e'; ++name) tree.values[{name}] = std::string(kPageSize / 2, name);
  const std::string database = BoltWriter().Write(tree);
  ASSERT_EQ(database.size(), 8 * kPageSize);  // metas, older, four leaves, branch
  constexpr std::size_t kBranch = 7;
  constexpr std::size_t kLeaf = 3;
  constexpr std::size_t kFirst = BoltWriter::kHeader;
  const Damage damages[] = {
      {"a branch that is its own child", kBranch, kFirst + 8, kBranch, 8, "too deep"},
      {"a child that is a meta page", kBranch, kFirst + 8, 1, 8, "out of range"},
      {"a child that is no page", kBranch, kFirst + 8, 0, 8, "too short"},
      {"a child behind the end", kBranch, kFirst + 8, 8, 8, "out of range"},
      {"a child far behind the end", kBranch, kFirst + 8, ~std::uint64_t{0}, 8, "out of range"},
      {"another page's number", kLeaf, 0, 4, 8, "wrong number"},
      {"a page of no kind", kLeaf, 8, 0, 2, "not part of a tree"},
      {"a page of two kinds", kLeaf, 8, 3, 2, "not part of a tree"},
      {"a free page", kLeaf, 8, 0x10, 2, "not part of a tree"},
      {"an empty branch", kBranch, 10, 0, 2, "empty"},
      {"too many entries", kLeaf, 10, 256, 2, "too many entries"},
      {"far too many entries", kLeaf, 10, 0xFFFF, 2, "too many entries"},
      {"overflow past the end", kLeaf, 12, 8, 4, "ends inside"},
      {"overflow that wraps", kLeaf, 12, 0xFFFFFFFF, 4, "too large"},
      {"a key behind the page", kLeaf, kFirst + 4, kPageSize, 4, "outside"},
      {"a key's place that wraps", kLeaf, kFirst + 4, 0xFFFFFFF0, 4, "outside"},
      {"a key longer than the page", kLeaf, kFirst + 8, kPageSize, 4, "outside"},
      {"a key's size that wraps", kLeaf, kFirst + 8, 0xFFFFFFFF, 4, "outside"},
      {"a value longer than the page", kLeaf, kFirst + 12, kPageSize, 4, "outside"},
      {"a value's size that wraps", kLeaf, kFirst + 12, 0xFFFFFFFF, 4, "outside"},
      {"a bucket with a root far away", kLeaf, kFirst, 1, 4, "out of range"},
  };
  for (const Damage& damage : damages) {
    std::string damaged = database;
    BoltWriter::Put(damaged, damage.page * kPageSize + damage.offset, damage.number, damage.width);
    EXPECT_THAT(Dump(damaged), HasSubstr(damage.expected)) << damage.name;
  }
}

TEST(Bolt, SurvivesFalseMetaPages) {
  const std::string database = BoltWriter().Write(SmallTree());
  const Damage damages[] = {
      {"root 0", 1, 16, 0, 8, "too short"},
      {"root a meta page", 1, 16, 1, 8, "out of range"},
      {"root behind the end", 1, 16, 1 << 20, 8, "out of range"},
      {"no pages", 1, 40, 0, 8, "out of range"},
      {"pages behind the end", 1, 40, 1 << 20, 8, "v1\n"},
  };
  for (const Damage& damage : damages) {
    std::string damaged = database;
    BoltWriter::Put(damaged, damage.page * kPageSize + BoltWriter::kHeader + damage.offset,
                    damage.number, damage.width);
    BoltWriter::Seal(damaged, damage.page);
    EXPECT_THAT(Dump(damaged), HasSubstr(damage.expected)) << damage.name;
  }
  // Such a meta page is none, and the state before it (here: empty) is the newest.
  const Damage invalid[] = {
      {"page size 0", 1, 8, 0, 4, ""},
      {"page size 512", 1, 8, 512, 4, ""},
      {"page size 4097", 1, 8, 4097, 4, ""},
      {"page size 128 KiB", 1, 8, 131072, 4, ""},
      {"page size 8192", 1, 8, 8192, 4, ""},
      {"version 3", 1, 4, 3, 4, ""},
      {"a magic number", 1, 0, 0xED0CDAEE, 4, ""},
      {"pages past off_t", 1, 40, ~0ULL >> 8, 8, ""},
  };
  for (const Damage& damage : invalid) {
    std::string damaged = database;
    BoltWriter::Put(damaged, damage.page * kPageSize + BoltWriter::kHeader + damage.offset,
                    damage.number, damage.width);
    BoltWriter::Seal(damaged, damage.page);
    EXPECT_EQ(Dump(damaged), "") << damage.name;
  }
}

TEST(Bolt, ReadsDeepAndInlineBuckets) {
  Tree tree;
  Tree* at = &tree;
  for (int depth = 0; depth < 15; ++depth) at = &at->At("b");
  at->values["k"] = "v";
  EXPECT_THAT(Dump(BoltWriter().Write(tree)), HasSubstr("k=v"));

  Tree inline_tree;
  inline_tree.At("bucket").values["k"] = "v";
  const std::string database = BoltWriter().Write(inline_tree);
  const std::size_t leaf = 3 * kPageSize;
  std::string damaged = database;
  for (const std::uint64_t size : {0, 8, 15, 16, 31, 47}) {  // of the bucket's value
    BoltWriter::Put(damaged, leaf + BoltWriter::kHeader + 12, size, 4);
    EXPECT_THAT(Dump(damaged), HasSubstr("damaged")) << size;
  }
}

TEST(Bolt, AHugeSparseFileIsCheap) {
  constexpr off_t kGibibyte = off_t{1} << 30;
  const UniqueFd file = FileOf(BoltWriter().Write(SmallTree()));
  ASSERT_EQ(::ftruncate(file.get(), kGibibyte), 0);
  auto bolt = Bolt::Open(file.get());
  ASSERT_TRUE(bolt);
  EXPECT_TRUE(bolt->FindBucket(bolt->root(), "v1"));

  const UniqueFd nothing(::memfd_create("bolt", MFD_CLOEXEC));
  ASSERT_EQ(::ftruncate(nothing.get(), kGibibyte), 0);
  EXPECT_FALSE(Bolt::Open(nothing.get()));
}

// A branch whose children are all the next branch: 2^16 ways of 200 steps down.
TEST(Bolt, BoundsAWalkOfACyclicTree) {
  Tree tree;
  for (char name = 'a'; name < 'e'; ++name) tree.values[{name}] = std::string(kPageSize / 2, name);
  std::string database = BoltWriter().Write(tree);
  constexpr std::size_t kBranch = 7 * kPageSize;
  constexpr std::size_t kChildren = 200;
  BoltWriter::Put(database, kBranch + 10, kChildren, 2);
  for (std::size_t child = 0; child < kChildren; ++child) {
    const std::size_t element = kBranch + BoltWriter::kHeader + child * 16;
    BoltWriter::Put(database, element, 0, 8);
    BoltWriter::Put(database, element + 8, 3, 8);
  }
  // Its leaf is a bucket whose root is the branch again.
  BoltWriter::Put(database, 3 * kPageSize + BoltWriter::kHeader, 1, 4);
  database.replace(3 * kPageSize + BoltWriter::kHeader + 17, 8, std::string("\7\0\0\0\0\0\0\0", 8));
  EXPECT_THAT(Dump(database), HasSubstr("too many entries"));
}

TEST(Bolt, DetectsACommitSinceItWasOpened) {
  Tree older;
  older.values["state"] = "older";
  const std::string database = BoltWriter().Write(SmallTree(), older);
  const UniqueFd file = FileOf(database);
  auto bolt = Bolt::Open(file.get());
  ASSERT_TRUE(bolt);
  // Transaction 8 takes the first meta page.
  std::string next = database.substr(kPageSize, kPageSize);
  BoltWriter::Put(next, 0, 0, 8);
  BoltWriter::Put(next, BoltWriter::kHeader + 48, 8, 8);
  BoltWriter::Seal(next, 0);
  // Half written it is none.
  ASSERT_EQ(::pwrite(file.get(), next.data(), BoltWriter::kHeader + 52, 0),
            BoltWriter::kHeader + 52);
  auto is_whole = bolt->Confirm();
  ASSERT_TRUE(is_whole);
  EXPECT_TRUE(*is_whole);
  ASSERT_EQ(::pwrite(file.get(), next.data(), next.size(), 0), static_cast<ssize_t>(next.size()));
  is_whole = bolt->Confirm();
  ASSERT_TRUE(is_whole);
  EXPECT_FALSE(*is_whole);
}

TEST(Bolt, ReadsWhatContainerdWrote) {
  const std::string dump = Dump(RealDatabase());
  EXPECT_THAT(dump, HasSubstr("\n  images\n   docker.io/library/app:1\n"));
  EXPECT_THAT(dump, HasSubstr("\n    snapshotKey=plain\n"));
}

TEST(Bolt, NoMutationCrashes) {
  const std::string real = RealDatabase();
  const std::string small = BoltWriter(1024).Write(LargeTree(40));
  std::mt19937 random(20261122);  // NOLINT: the same every time
  for (int round = 0; round < 400; ++round) {
    std::string database = round % 8 == 0 ? real : small;
    const std::size_t page = round % 8 == 0 ? kPageSize : 1024;
    const int changes = static_cast<int>(random() % 8) + 1;
    for (int change = 0; change < changes; ++change) {
      // Headers and elements are where the numbers are.
      const std::size_t at = random() % (database.size() / page) * page + random() % 128;
      constexpr std::uint64_t kTelling[] = {0,      1,          0x7F,       0xFF,
                                            0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, ~0ULL};
      const std::uint64_t number = random() % 2 == 0 ? random() : kTelling[random() % 8];
      BoltWriter::Put(database, at, number, std::size_t{1} << random() % 4);
    }
    BoltWriter::Seal(database, 0, page);
    BoltWriter::Seal(database, 1, page);
    (void)Dump(database);
  }
}

}  // namespace
}  // namespace runclad::engine::bolt_test
