// The format: https://github.com/etcd-io/bbolt (internal/common: page.go, meta.go, inode.go). Its
// numbers are in the machine's own byte order.
#include "bolt.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <limits>

#include "runclad/base/fnv.hpp"

namespace runclad::engine {
namespace {

constexpr std::size_t kPageHeader = 16;
constexpr std::size_t kElement = 16;
constexpr std::size_t kBucketHeader = 16;
constexpr std::size_t kMetaBytes = 64;
constexpr std::uint64_t kMinPageSize = 1024;
constexpr std::uint64_t kMaxPageSize = 65536;
constexpr unsigned kBranchPage = 0x01;
constexpr unsigned kLeafPage = 0x02;
constexpr std::uint32_t kBucketLeaf = 0x01;

// A tree of 4 KiB pages with a hundred entries each holds 10^12 entries in six levels.
constexpr std::size_t kMaxPageDepth = 16;
// 20,000 images are 80 MiB.
constexpr std::size_t kMaxBytesRead = std::size_t{128} << 20;
constexpr std::size_t kMaxPageSteps = 300'000;

// The number at `offset`, which the caller knows to be inside.
template <typename T>
T Number(std::string_view bytes, std::size_t offset) {
  T number = 0;
  std::memcpy(&number, bytes.data() + offset, sizeof number);
  return number;
}

// Whether all of `bytes` were there to be read.
bool ReadAt(int file, std::uint64_t offset, char* bytes, std::size_t size) {
  for (std::size_t done = 0; done < size;) {
    const ssize_t got = ::pread(file, bytes + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

std::optional<Bolt::Meta> Bolt::ReadMeta(int file, std::uint64_t offset) {
  std::array<char, kMetaBytes> buffer{};
  if (!ReadAt(file, offset + kPageHeader, buffer.data(), buffer.size())) return std::nullopt;
  const std::string_view bytes(buffer.data(), buffer.size());
  constexpr std::uint64_t kMagic = 0xED0CDAED;
  constexpr std::uint64_t kVersion = 2;
  constexpr std::size_t kChecksum = kMetaBytes - 8;
  if (Number<std::uint32_t>(bytes, 0) != kMagic || Number<std::uint32_t>(bytes, 4) != kVersion ||
      Number<std::uint64_t>(bytes, kChecksum) != Fnv1a(bytes.substr(0, kChecksum))) {
    return std::nullopt;
  }
  const Meta meta{.page_size = Number<std::uint32_t>(bytes, 8),
                  .root = Number<std::uint64_t>(bytes, 16),
                  .page_count = Number<std::uint64_t>(bytes, 40),
                  .transaction = Number<std::uint64_t>(bytes, 48)};
  const bool is_power_of_two = (meta.page_size & (meta.page_size - 1)) == 0;
  const bool is_size = is_power_of_two && meta.page_size >= kMinPageSize &&
                       meta.page_size <= kMaxPageSize && (offset == 0 || offset == meta.page_size);
  // Every page's place must be an off_t.
  const bool is_in_range =
      meta.page_count <=
      static_cast<std::uint64_t>(std::numeric_limits<off_t>::max()) / kMaxPageSize;
  if (!is_size || !is_in_range) return std::nullopt;
  return meta;
}

std::optional<Bolt::Meta> Bolt::NewestMeta(int file) {
  constexpr int kTries = 5;
  for (int tries = 0; tries < kTries; ++tries) {
    const auto first = ReadMeta(file, 0);
    std::optional<Meta> second;
    for (std::uint64_t size = kMinPageSize; !second && size <= kMaxPageSize; size *= 2) {
      if (!first || first->page_size == size) second = ReadMeta(file, size);
    }
    // The owner writes them in turn. Two commits between the two reads, the later one half
    // written, would make the first look like the newest.
    if (ReadMeta(file, 0) != first) continue;
    if (!first || (second && second->transaction > first->transaction)) return second;
    return first;
  }
  return std::nullopt;
}

Result<Bolt> Bolt::Open(int file) {
  const auto meta = NewestMeta(file);
  if (!meta) return Error{"neither of the database's first two pages is valid"};
  return Bolt(file, *meta);
}

Result<bool> Bolt::Confirm() {
  if (NewestMeta(file_) != meta_) return false;
  if (!damage_.empty()) return Error{"the database is damaged: " + damage_};
  return true;
}

std::nullopt_t Bolt::Damaged(std::string_view what) {
  if (damage_.empty()) damage_ = what;
  return std::nullopt;
}

std::optional<std::string_view> Bolt::ReadPage(std::uint64_t id) {
  if (const auto known = pages_.find(id); known != pages_.end()) return known->second.view();
  if (id < 2 || id >= meta_.page_count) return Damaged("a page number is out of range");
  PageBytes page(meta_.page_size);
  const auto read = [&] {
    return ReadAt(file_, id * meta_.page_size, page.bytes.get(), page.size);
  };
  if (!read()) return Damaged("it ends before the start of a page");
  if (Number<std::uint64_t>(page.view(), 0) != id) return Damaged("a page has a wrong number");
  // Large values run on over the pages that follow.
  const std::uint64_t size =
      (Number<std::uint32_t>(page.view(), 12) + std::uint64_t{1}) * meta_.page_size;
  if (size > kMaxBytesRead - bytes_read_) return Damaged("its pages are too large");
  bytes_read_ += size;
  if (size > page.size) {
    page = PageBytes(size);
    if (!read()) return Damaged("it ends inside a page");
  }
  pages_in_order_.push_back(id);
  return pages_.emplace(id, std::move(page)).first->second.view();
}

void Bolt::ForgetPages(std::size_t count_to_keep) {
  while (pages_in_order_.size() > count_to_keep) {
    pages_.erase(pages_in_order_.back());
    pages_in_order_.pop_back();
  }
}

std::optional<Bolt::Page> Bolt::Parse(std::string_view bytes) {
  if (++steps_ > kMaxPageSteps) return Damaged("it has too many entries");
  if (bytes.size() < kPageHeader) return Damaged("a bucket is too short");
  const auto flags = static_cast<unsigned>(Number<std::uint16_t>(bytes, 8));
  const auto count = static_cast<std::size_t>(Number<std::uint16_t>(bytes, 10));
  const bool is_leaf = (flags & kLeafPage) != 0;
  if (is_leaf == ((flags & kBranchPage) != 0)) return Damaged("a page is not part of a tree");
  if (!is_leaf && count == 0) return Damaged("a branch is empty");
  if (count > (bytes.size() - kPageHeader) / kElement)
    return Damaged("a page contains too many entries");
  return Page{bytes, count, is_leaf};
}

std::optional<Bolt::Page> Bolt::Enter(const Bucket& bucket) {
  if (bucket.root == 0) return Parse(bucket.inline_page);
  const auto bytes = ReadPage(bucket.root);
  return bytes ? Parse(*bytes) : std::nullopt;
}

std::optional<Bolt::Page> Bolt::EnterChild(const Page& page, std::size_t index) {
  return Enter({Number<std::uint64_t>(page.bytes, kPageHeader + index * kElement + 8), {}});
}

std::optional<std::string_view> Bolt::KeyAt(const Page& page, std::size_t index) {
  const std::size_t element = kPageHeader + index * kElement;
  const std::size_t fields = element + (page.is_leaf ? 4 : 0);  // a leaf's flags come first
  const std::uint64_t start = element + Number<std::uint32_t>(page.bytes, fields);
  const std::uint64_t size = Number<std::uint32_t>(page.bytes, fields + 4);
  if (start + size > page.bytes.size()) return Damaged("a key is outside its page");
  return page.bytes.substr(start, size);
}

std::optional<Bolt::Entry> Bolt::EntryAt(const Page& page, std::size_t index) {
  if (++steps_ > kMaxPageSteps) return Damaged("it has too many entries");
  const auto key = KeyAt(page, index);
  if (!key) return std::nullopt;
  const std::size_t element = kPageHeader + index * kElement;
  const std::uint64_t size = Number<std::uint32_t>(page.bytes, element + 12);
  const auto start = static_cast<std::size_t>(key->data() + key->size() - page.bytes.data());
  if (start + size > page.bytes.size()) return Damaged("a value is outside its page");
  const bool is_bucket = (Number<std::uint32_t>(page.bytes, element) & kBucketLeaf) != 0;
  return Entry{*key, page.bytes.substr(start, size), is_bucket};
}

// How many of the page's keys are not greater than `name`.
std::optional<std::size_t> Bolt::CountKeysUpTo(const Page& page, std::string_view name) {
  std::size_t low = 0;
  std::size_t high = page.count;
  while (low < high) {
    const std::size_t middle = low + (high - low) / 2;
    const auto key = KeyAt(page, middle);
    if (!key) return std::nullopt;
    if (*key <= name) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

std::optional<Bolt::Entry> Bolt::Find(const Bucket& bucket, std::string_view name) {
  auto page = Enter(bucket);
  for (std::size_t depth = 0; page; ++depth) {
    const auto count = CountKeysUpTo(*page, name);
    if (!count) return std::nullopt;
    if (page->is_leaf) {
      if (*count == 0) return std::nullopt;
      const auto entry = EntryAt(*page, *count - 1);
      return entry && entry->key == name ? entry : std::nullopt;
    }
    if (depth == kMaxPageDepth) return Damaged("a tree is too deep");
    page = EnterChild(*page, *count == 0 ? 0 : *count - 1);
  }
  return std::nullopt;
}

std::optional<Bolt::Bucket> Bolt::AsBucket(const Entry& entry) {
  if (!entry.is_bucket) return std::nullopt;
  if (entry.value.size() < kBucketHeader) return Damaged("a bucket is too short");
  const std::uint64_t root = Number<std::uint64_t>(entry.value, 0);
  return Bucket{root, root == 0 ? entry.value.substr(kBucketHeader) : std::string_view()};
}

std::optional<Bolt::Bucket> Bolt::FindBucket(const Bucket& bucket, std::string_view name) {
  const auto entry = Find(bucket, name);
  return entry ? AsBucket(*entry) : std::nullopt;
}

std::optional<std::string_view> Bolt::FindValue(const Bucket& bucket, std::string_view name) {
  const auto entry = Find(bucket, name);
  if (!entry || entry->is_bucket) return std::nullopt;
  return entry->value;
}

void Bolt::ForEach(const Bucket& bucket, const std::function<bool(const Entry&)>& visit) {
  if (const auto page = Enter(bucket)) Walk(*page, 0, visit);
}

bool Bolt::Walk(const Page& page, std::size_t depth,
                const std::function<bool(const Entry&)>& visit) {
  if (depth > kMaxPageDepth) {
    Damaged("a tree is too deep");
    return false;
  }
  const std::size_t pages_before = pages_in_order_.size();
  for (std::size_t index = 0; index < page.count; ++index) {
    if (page.is_leaf) {
      const auto entry = EntryAt(page, index);
      if (!entry || !visit(*entry)) return false;
    } else {
      const auto child = EnterChild(page, index);
      if (!child || !Walk(*child, depth + 1, visit)) return false;
    }
    ForgetPages(pages_before);
  }
  return true;
}

}  // namespace runclad::engine
