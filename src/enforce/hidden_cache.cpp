#include "hidden_cache.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/sys/file.hpp"

#include "kept_directory.hpp"

namespace runclad::enforce {
namespace {

constexpr const char* kHidden = "hidden";
constexpr std::string_view kFormat = "runclad hidden-paths 1, runclad " RUNCLAD_VERSION;
constexpr std::size_t kMaxBytes = std::size_t{1} << 20;
constexpr std::size_t kMaxFiles = 256;

// FNV-1a. Against a write that was cut off and for names, not against an adversary: the directory
// is root's.
std::string HashOf(std::string_view bytes) {
  constexpr std::uint64_t kBasis = 0xcbf29ce484222325;
  constexpr std::uint64_t kPrime = 0x100000001b3;
  std::uint64_t hash = kBasis;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * kPrime;
  constexpr std::size_t kDigits = 16;
  std::array<char, kDigits> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + kDigits, hash, 16).ptr;
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

// Leaves room for one more.
void RemoveOldest(int directory) {
  const int copy = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(::fdopendir(copy), ::closedir);
  if (!stream) return;
  std::vector<std::pair<std::int64_t, std::string>> files;
  while (const dirent* entry = ::readdir(stream.get())) {  // NOLINT(concurrency-mt-unsafe)
    std::string name = static_cast<const char*>(entry->d_name);
    struct stat status {};
    if (::fstatat(directory, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0 ||
        !S_ISREG(status.st_mode)) {
      continue;
    }
    files.emplace_back(status.st_mtime, std::move(name));
  }
  if (files.size() < kMaxFiles) return;
  std::ranges::sort(files);
  files.resize(files.size() - kMaxFiles + 1);
  for (const auto& [time, name] : files) ::unlinkat(directory, name.c_str(), 0);
}

}  // namespace

HiddenCache::HiddenCache(const engine::Identity& image, const policy::RuleSetting& setting,
                         std::string state_directory)
    : state_directory_(std::move(state_directory)) {
  Append(kFormat, question_);
  // Docker lays files of its own over every image, other engines do not.
  Append(engine::Name(image.engine), question_);
  Append(image.config_digest, question_);
  for (const char* list : {"paths", "programs", "packages"}) {
    AppendList(setting.parameters.strings(list), question_);
  }
  file_name_ =
      image.config_digest.substr(image.config_digest.find(':') + 1) + "-" + HashOf(question_);
}

std::optional<rules::HiddenFacts> HiddenCache::Find() const {
  const auto directory = OpenKeptDirectory(state_directory_, kHidden, /*create=*/false);
  if (!directory) return std::nullopt;
  const auto bytes = sys::ReadTrustedFile(directory->get(), file_name_, kMaxBytes);
  if (!bytes) return std::nullopt;
  std::string_view rest = *bytes;
  const auto hash = Take(rest);
  if (!hash || *hash != HashOf(rest) || !rest.starts_with(question_)) return std::nullopt;
  rest.remove_prefix(question_.size());
  auto paths = TakeList(rest);
  if (!paths) return std::nullopt;
  const auto kept = TakeList(rest);
  if (!kept || kept->size() % 2 != 0 || !rest.empty()) return std::nullopt;
  rules::HiddenFacts facts;
  facts.paths = *std::move(paths);
  for (std::size_t i = 0; i < kept->size(); i += 2) {
    facts.kept.push_back({kept->at(i), kept->at(i + 1)});
  }
  return facts;
}

Status HiddenCache::Keep(const rules::HiddenFacts& facts) const {
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
  if (bytes.size() > kMaxBytes) return {};  // it is looked up each time
  const auto directory = OpenKeptDirectory(state_directory_, kHidden, /*create=*/true);
  if (!directory) return directory.error();
  RemoveOldest(directory->get());
  return sys::ReplaceFile(directory->get(), file_name_, bytes, S_IRUSR | S_IWUSR, ::geteuid(),
                          ::getegid());
}

}  // namespace runclad::enforce
