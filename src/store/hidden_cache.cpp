#include "runclad/store/hidden_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <climits>
#include <cstdint>
#include <ctime>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/base/fnv.hpp"
#include "runclad/base/version.hpp"
#include "runclad/host/image_content.hpp"
#include "runclad/store/kept_directory.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"

#include "leftovers.hpp"

namespace runclad::store {
namespace {

constexpr const char* kHidden = "hidden";
constexpr std::string_view kFormat = "runclad hidden-paths 1, runclad ";
constexpr std::size_t kMaxCacheBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxFiles = 256;

// Against a write that was cut off and for names, not against an adversary: the directory is
// root's.
std::string HashOf(std::string_view bytes) {
  constexpr std::size_t kDigits = 16;
  std::array<char, kDigits> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + kDigits, Fnv1a(bytes), 16).ptr;
  const std::string text(digits.data(), end);
  return std::string(kDigits - text.size(), '0') + text;
}

// Text ends with a NUL, which no file name and no JSON string of a policy's list holds.
void Append(std::string_view text, std::string& out) { out.append(text).push_back('\0'); }

void AppendList(const std::vector<std::string>& list, std::string& out) {
  Append(std::to_string(list.size()), out);
  for (const std::string& text : list) Append(text, out);
}

std::optional<std::string_view> Take(std::string_view& rest) {
  const std::size_t end = rest.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view text = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  return text;
}

std::optional<std::vector<std::string>> TakeList(std::string_view& rest) {
  const auto number = Take(rest);
  std::size_t count = 0;
  if (!number ||
      std::from_chars(number->data(), number->data() + number->size(), count).ec != std::errc()) {
    return std::nullopt;
  }
  std::vector<std::string> list;
  for (; count > 0; --count) {
    const auto text = Take(rest);
    if (!text) return std::nullopt;
    list.emplace_back(*text);
  }
  return list;
}

// The entries of a directory that are to go first, a fixed number of them: there may be any number
// of entries.
class Oldest {
 public:
  void Add(std::int64_t time, std::string_view name) {
    if (count_ == entries_.size()) {
      if (entries_.front().time <= time) return;
      std::pop_heap(entries_.begin(), entries_.end());
      --count_;
    }
    Entry& entry = entries_.at(count_++);
    entry.time = time;
    entry.name[name.copy(entry.name.data(), NAME_MAX)] = '\0';
    std::push_heap(entries_.begin(), entries_.begin() + static_cast<std::ptrdiff_t>(count_));
  }

  // Removes up to `wanted` of them from `directory`, and whatever is dated 0.
  void Remove(int directory, std::size_t wanted) {
    const auto end = entries_.begin() + static_cast<std::ptrdiff_t>(count_);
    std::sort_heap(entries_.begin(), end);
    for (auto entry = entries_.begin(); entry != end; ++entry) {
      if (wanted == 0 && entry->time > 0) return;
      if (::unlinkat(directory, entry->name.data(), 0) == 0 && wanted > 0) --wanted;
    }
  }

 private:
  struct Entry {
    std::int64_t time = 0;
    std::array<char, NAME_MAX + 1> name{};
    bool operator<(const Entry& other) const { return time < other.time; }
  };
  std::array<Entry, kMaxSweptAtOnce> entries_;
  std::size_t count_ = 0;
};

// Leaves room for one more, where a few removals can do that: the next ones go on. Nothing that is
// dated in the future stays for it, nor what was left by a writer that died.
void RemoveOldest(int directory) {
  const std::time_t now = std::time(nullptr);
  Oldest oldest;
  std::size_t count = 0;
  sys::VisitEntries(directory, [&](const dirent& entry) {
    const std::string_view name = static_cast<const char*>(entry.d_name);
    struct stat status {};
    if (::fstatat(directory, name.data(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        S_ISDIR(status.st_mode)) {
      return true;
    }
    ++count;
    const std::time_t age = now - status.st_mtime;
    const bool is_left =
        age < 0 || (name.starts_with(sys::kTemporaryPrefix) && age > kSweepSeconds);
    oldest.Add(is_left ? 0 : status.st_mtime, name);
    return true;
  });
  oldest.Remove(directory, count < kMaxFiles ? 0 : count - kMaxFiles + 1);
}

}  // namespace

HiddenCache::HiddenCache(const engine::Identity& image, const host::HiddenLists& lists,
                         std::string state_directory)
    : state_directory_(std::move(state_directory)) {
  Append(std::string(kFormat).append(Version()), question_);
  // Docker lays files of its own over every image, other engines do not.
  Append(engine::Name(image.engine), question_);
  Append(image.config_digest, question_);
  for (const auto* list : {&lists.paths, &lists.programs, &lists.packages}) {
    AppendList(*list, question_);
  }
  file_name_ =
      image.config_digest.substr(image.config_digest.find(':') + 1) + "-" + HashOf(question_);
}

std::optional<host::HiddenFacts> HiddenCache::Find() const {
  const auto directory = OpenKeptDirectory(state_directory_, kHidden, /*create=*/false);
  if (!directory) return std::nullopt;
  const auto bytes = sys::ReadTrustedFile(directory->get(), file_name_, kMaxCacheBytes);
  if (!bytes) return std::nullopt;
  std::string_view rest = *bytes;
  const auto hash = Take(rest);
  if (!hash || *hash != HashOf(rest) || !rest.starts_with(question_)) return std::nullopt;
  rest.remove_prefix(question_.size());
  auto paths = TakeList(rest);
  if (!paths) return std::nullopt;
  const auto kept = TakeList(rest);
  if (!kept || kept->size() % 2 != 0 || !rest.empty()) return std::nullopt;
  host::HiddenFacts facts;
  facts.paths = *std::move(paths);
  for (std::size_t i = 0; i < kept->size(); i += 2) {
    facts.kept.push_back({kept->at(i), kept->at(i + 1)});
  }
  return facts;
}

Status HiddenCache::Keep(const host::HiddenFacts& facts) const {
  std::string text = question_;
  AppendList(facts.paths, text);
  std::vector<std::string> kept;
  for (const auto& [path, because] : facts.kept) {
    kept.push_back(path);
    kept.push_back(because);
  }
  AppendList(kept, text);
  std::string bytes;
  Append(HashOf(text), bytes);
  bytes += text;
  if (bytes.size() > kMaxCacheBytes) return {};  // it is looked up each time
  const auto directory = OpenKeptDirectory(state_directory_, kHidden, /*create=*/true);
  if (!directory) return directory.error();
  RemoveOldest(directory->get());
  return sys::ReplaceFile(directory->get(), file_name_, bytes, S_IRUSR | S_IWUSR, ::geteuid(),
                          ::getegid());
}

Result<host::HiddenFacts> FindHidden(const host::HiddenLists& lists, const sys::Rootfs& rootfs,
                                     const HiddenImage& image) {
  if (lists.empty()) return host::HiddenFacts{};
  if (!image.identity.is_known()) return host::FindHidden(lists, rootfs).facts;
  const HiddenCache cache(image.identity, lists, image.state_directory);
  const bool is_as_in_image = host::IsAsInImage(image.root);
  auto known = cache.Find();
  if (known && is_as_in_image) return *std::move(known);
  if (known) return host::FindHidden(lists, rootfs, known->paths).facts;
  host::HiddenSearch search = host::FindHidden(lists, rootfs);
  // Again: whoever may copy files into a container could have done so meanwhile. What cannot be
  // kept is looked up each time, and so is what could not be read: another time it may be.
  if (search.facts && is_as_in_image && search.is_complete && host::IsAsInImage(image.root)) {
    (void)cache.Keep(*search.facts);
  }
  return std::move(search.facts);
}

}  // namespace runclad::store
