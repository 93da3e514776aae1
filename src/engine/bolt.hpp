// Reads a bbolt database (containerd's metadata) while its owner continues to write: no lock, no
// mapping of a file that may shrink, and every number in it is untrusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::engine {

// One state of the database. What it hands out views its memory. Do not trust any of it until
// Confirm succeeds: a lookup in damaged pages finds nothing.
class Bolt {
 public:
  struct Bucket {
    std::uint64_t root = 0;        // 0: the bucket is the one page `inline_page`
    std::string_view inline_page;  // inside the value of the bucket above
  };

  struct Entry {
    std::string_view key;
    std::string_view value;
    bool is_bucket = false;
  };

  // The newest state that was written as a whole. `file` is borrowed.
  static Result<Bolt> Open(int file);

  [[nodiscard]] Bucket root() const { return {meta_.root, {}}; }

  std::optional<Bucket> FindBucket(const Bucket& bucket, std::string_view name);
  std::optional<std::string_view> FindValue(const Bucket& bucket, std::string_view name);

  // Calls `visit` for every entry in the order of the keys, until it returns false. What `visit`
  // looks up lives until it returns: a bucket of buckets has a page for each.
  void ForEach(const Bucket& bucket, const std::function<bool(const Entry&)>& visit);

  // The bucket that an entry is; nullopt for a value.
  std::optional<Bucket> AsBucket(const Entry& entry);

  // Whether everything handed out was of one state: false when the owner has committed another
  // since Open, as it may then have used pages again that were read here. An error when the
  // database is damaged.
  Result<bool> Confirm();

 private:
  struct Meta {
    std::uint64_t page_size = 0;
    std::uint64_t root = 0;
    std::uint64_t page_count = 0;
    std::uint64_t transaction = 0;
    friend bool operator==(const Meta&, const Meta&) = default;
  };

  // Not a string, which would be filled with zeros first: a fifth of all that is done here.
  struct PageBytes {
    explicit PageBytes(std::size_t count)
        : bytes(std::make_unique_for_overwrite<char[]>(count)), size(count) {}  // NOLINT: as above
    [[nodiscard]] std::string_view view() const { return {bytes.get(), size}; }

    std::unique_ptr<char[]> bytes;  // NOLINT
    std::size_t size;
  };

  struct Page {
    std::string_view bytes;
    std::size_t count = 0;
    bool is_leaf = false;
  };

  Bolt(int file, const Meta& meta) : file_(file), meta_(meta) {}

  static std::optional<Meta> ReadMeta(int file, std::uint64_t offset);
  static std::optional<Meta> NewestMeta(int file);

  std::nullopt_t Damaged(std::string_view what);
  std::optional<std::string_view> ReadPage(std::uint64_t id);
  void ForgetPages(std::size_t count_to_keep);
  std::optional<Page> Enter(const Bucket& bucket);
  std::optional<Page> EnterChild(const Page& page, std::size_t index);
  std::optional<Page> Parse(std::string_view bytes);
  std::optional<std::string_view> KeyAt(const Page& page, std::size_t index);
  std::optional<Entry> EntryAt(const Page& page, std::size_t index);
  std::optional<std::size_t> CountKeysUpTo(const Page& page, std::string_view name);
  std::optional<Entry> Find(const Bucket& bucket, std::string_view name);
  bool Walk(const Page& page, std::size_t depth, const std::function<bool(const Entry&)>& visit);

  int file_;
  Meta meta_;
  std::map<std::uint64_t, PageBytes> pages_;   // that are at hand, by their number
  std::vector<std::uint64_t> pages_in_order_;  // as they were read
  std::size_t bytes_read_ = 0;
  std::size_t steps_ = 0;  // pages entered and entries looked at
  std::string damage_;     // the first that was met
};

// What `read(bolt)` returns for one state of the database in `file`, which errors call `name`.
// Reads again if the owner has committed a new state in the meantime.
template <typename Read>
Result<std::invoke_result_t<Read, Bolt&>> ReadOneState(int file, std::string_view name, Read read) {
  constexpr int kTries = 10;
  for (int tries = 0; tries < kTries; ++tries) {
    auto bolt = Bolt::Open(file);
    if (!bolt) return bolt.error().In(name);
    auto found = read(*bolt);
    const auto is_whole = bolt->Confirm();
    if (!is_whole) return is_whole.error().In(name);
    if (*is_whole) return found;
  }
  return Error{std::string(name) + " kept changing while it was read"};
}

}  // namespace runclad::engine
