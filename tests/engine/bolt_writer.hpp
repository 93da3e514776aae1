// Writes bbolt databases for tests, from the format and not from the reader.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace runclad::engine {

// A bucket: values and buckets by name.
struct Tree {
  std::map<std::string, std::string> values;
  std::map<std::string, Tree> buckets;

  Tree& At(std::string_view name) { return buckets[std::string(name)]; }
};

class BoltWriter {
 public:
  explicit BoltWriter(std::size_t page_size = 4096) : page_size_(page_size), pages_(2) {}

  // A database whose newest state is `newest`, over the state before it.
  std::string Write(const Tree& newest, const Tree& older = {}) {
    constexpr std::uint64_t kTransaction = 7;
    const std::uint64_t older_root = WriteRoot(older);
    const std::uint64_t newest_root = WriteRoot(newest);
    PutMeta(kTransaction - 1, older_root);
    PutMeta(kTransaction, newest_root);
    std::string database;
    for (const std::string& page : pages_) database += page;
    return database;
  }

  // Puts a number of `width` bytes at `offset`.
  static void Put(std::string& bytes, std::size_t offset, std::uint64_t number, std::size_t width) {
    for (std::size_t at = 0; at < width; ++at) {
      bytes[offset + at] = static_cast<char>(number >> (8 * at));
    }
  }

  // Makes the checksum of the meta page `index` right.
  static void Seal(std::string& database, std::size_t index, std::size_t page_size = 4096) {
    const std::size_t meta = index * page_size + kHeader;
    std::uint64_t hash = 14695981039346656037U;
    for (std::size_t at = 0; at < kChecksum; ++at) {
      hash ^= static_cast<unsigned char>(database[meta + at]);
      hash *= 1099511628211U;
    }
    Put(database, meta + kChecksum, hash, 8);
  }

  static constexpr std::size_t kHeader = 16;

 private:
  struct Item {
    std::uint32_t flags = 0;  // of a leaf
    std::uint64_t child = 0;  // of a branch
    std::string key;
    std::string value;
  };

  static constexpr std::size_t kElement = 16;
  static constexpr std::size_t kChecksum = 56;
  static constexpr std::uint64_t kBranch = 1;
  static constexpr std::uint64_t kLeaf = 2;
  static constexpr std::uint64_t kMeta = 4;

  static std::string PageOf(std::uint64_t flags, const std::vector<Item>& items) {
    std::string bytes(kHeader + items.size() * kElement, '\0');
    Put(bytes, 8, flags, 2);
    Put(bytes, 10, items.size(), 2);
    for (std::size_t index = 0; index < items.size(); ++index) {
      const Item& item = items[index];
      const std::size_t element = kHeader + index * kElement;
      const std::uint64_t position = bytes.size() - element;
      if (flags == kLeaf) {
        Put(bytes, element, item.flags, 4);
        Put(bytes, element + 4, position, 4);
        Put(bytes, element + 8, item.key.size(), 4);
        Put(bytes, element + 12, item.value.size(), 4);
      } else {
        Put(bytes, element, position, 4);
        Put(bytes, element + 4, item.key.size(), 4);
        Put(bytes, element + 8, item.child, 8);
      }
      bytes += item.key + item.value;
    }
    return bytes;
  }

  // Gives the page a place; larger ones take several.
  std::uint64_t Place(std::string bytes) {
    const std::uint64_t id = pages_.size();
    const std::size_t count = (bytes.size() + page_size_ - 1) / page_size_;
    Put(bytes, 0, id, 8);
    Put(bytes, 12, count - 1, 4);
    bytes.resize(count * page_size_);
    for (std::size_t at = 0; at < count; ++at) {
      pages_.push_back(bytes.substr(at * page_size_, page_size_));
    }
    return id;
  }

  // The pages of one level of a tree, with the level above it as items.
  std::vector<Item> PlaceLevel(std::uint64_t flags, const std::vector<Item>& items) {
    std::vector<Item> above;
    for (std::size_t start = 0; start < items.size();) {
      std::size_t size = kHeader;
      std::size_t end = start;
      while (end < items.size()) {
        const std::size_t more = kElement + items[end].key.size() + items[end].value.size();
        if (end > start && size + more > page_size_) break;
        size += more;
        ++end;
      }
      const std::vector<Item> page(items.begin() + static_cast<std::ptrdiff_t>(start),
                                   items.begin() + static_cast<std::ptrdiff_t>(end));
      above.push_back({0, Place(PageOf(flags, page)), page.front().key, {}});
      start = end;
    }
    return above;
  }

  std::vector<Item> Items(const Tree& tree) {
    std::vector<Item> items;
    for (const auto& [name, value] : tree.values) items.push_back({0, 0, name, value});
    for (const auto& [name, below] : tree.buckets) items.push_back({1, 0, name, Bucket(below)});
    std::ranges::sort(items, {}, &Item::key);
    return items;
  }

  // The value of a bucket: its root page, or the bucket itself where it is small.
  std::string Bucket(const Tree& tree) {
    const std::vector<Item> items = Items(tree);
    std::string value(16, '\0');
    const std::string page = PageOf(kLeaf, items);
    if (tree.buckets.empty() && page.size() <= page_size_ / 4) return value + page;
    Put(value, 0, PlaceTree(items), 8);
    return value;
  }

  std::uint64_t PlaceTree(const std::vector<Item>& items) {
    if (items.empty()) return Place(PageOf(kLeaf, {}));
    std::vector<Item> level = PlaceLevel(kLeaf, items);
    while (level.size() > 1) level = PlaceLevel(kBranch, level);
    return level.front().child;
  }

  std::uint64_t WriteRoot(const Tree& tree) { return PlaceTree(Items(tree)); }

  void PutMeta(std::uint64_t transaction, std::uint64_t root) {
    const std::size_t index = transaction % 2;
    std::string page(page_size_, '\0');
    Put(page, 0, index, 8);
    Put(page, 8, kMeta, 2);
    Put(page, kHeader, 0xED0CDAED, 4);
    Put(page, kHeader + 4, 2, 4);
    Put(page, kHeader + 8, page_size_, 4);
    Put(page, kHeader + 16, root, 8);
    Put(page, kHeader + 40, pages_.size(), 8);
    Put(page, kHeader + 48, transaction, 8);
    Seal(page, 0);
    pages_[index] = page;
  }

  std::size_t page_size_;
  std::vector<std::string> pages_;
};

}  // namespace runclad::engine
