#include "runclad/sys/user_namespace.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>

#include "runclad/base/unique_fd.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::sys {
namespace {

constexpr std::size_t kMaxMapBytes = std::size_t{64} << 10;

// "/proc/42" of "/proc/42/ns/user", in exactly that spelling; empty for every other.
std::string ProcessDirectory(std::string_view path) {
  constexpr std::string_view kProc = "/proc/";
  constexpr std::string_view kUser = "/ns/user";
  if (!path.starts_with(kProc) || !path.ends_with(kUser)) return {};
  const std::string_view process = path.substr(0, path.size() - kUser.size());
  if (process.size() <= kProc.size()) return {};
  const bool is_number = std::ranges::all_of(
      process.substr(kProc.size()), [](char digit) { return digit >= '0' && digit <= '9'; });
  return is_number ? std::string(process) : std::string();
}

Result<std::vector<IdRange>> ReadIdMap(int process, const char* name) {
  const UniqueFd file(::openat(process, name, O_RDONLY | O_CLOEXEC));
  if (!file) return SystemError(std::string("its ") + name + " cannot be opened", errno);
  const auto text = ReadRegularFile(file.get(), kMaxMapBytes);
  if (!text) return text.error();
  return ParseIdMap(*text);
}

bool HasHostsRoot(const std::vector<IdRange>& map) {
  return std::ranges::any_of(
      map, [](const IdRange& range) { return range.outside == 0 && range.size > 0; });
}

}  // namespace

std::vector<IdRange> ParseIdMap(std::string_view text) {
  std::vector<IdRange> map;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    std::array<std::uint32_t, 3> numbers{};
    std::size_t count = 0;
    for (; count < numbers.size(); ++count) {
      line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
      const auto [end, fault] =
          std::from_chars(line.data(), line.data() + line.size(), numbers.at(count));
      if (fault != std::errc()) break;
      line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    }
    if (count == numbers.size()) map.push_back({numbers[0], numbers[1], numbers[2]});
  }
  return map;
}

Result<UserNamespace> ReadUserNamespace(const std::string& path) {
  const std::string directory = ProcessDirectory(path);
  if (directory.empty()) return Error{path + " is not the user namespace of a process"};
  // It stays this process's directory when the number is another's by now.
  const UniqueFd process(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!process) return SystemError(directory + " cannot be opened", errno);
  struct stat before {};
  if (::fstatat(process.get(), "ns/user", &before, 0) != 0) {
    return SystemError(path + " cannot be examined", errno);
  }
  const auto uids = ReadIdMap(process.get(), "uid_map");
  if (!uids) return uids.error().In(path);
  const auto gids = ReadIdMap(process.get(), "gid_map");
  if (!gids) return gids.error().In(path);
  // A process can enter another namespace, with another map.
  struct stat after {};
  if (::fstatat(process.get(), "ns/user", &after, 0) != 0) {
    return SystemError(path + " cannot be examined", errno);
  }
  if (before.st_ino != after.st_ino) return Error{path + " changed while it was read"};
  const auto root = std::ranges::find_if(
      *uids, [](const IdRange& range) { return range.inside == 0 && range.size > 0; });
  if (root == uids->end()) return Error{path + " has no root"};
  return UserNamespace{.inode = before.st_ino,
                       .root = root->outside,
                       .has_host_ids = HasHostsRoot(*uids) || HasHostsRoot(*gids)};
}

std::optional<uid_t> RootOfUserNamespace(const std::string& path) {
  const auto found = ReadUserNamespace(path);
  if (!found || found->root == 0) return std::nullopt;
  return found->root;
}

}  // namespace runclad::sys
