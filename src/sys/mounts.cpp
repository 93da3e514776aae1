#include "runclad/sys/mounts.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <utility>

#include <poll.h>

#include "runclad/base/unique_fd.hpp"

namespace runclad::sys {
namespace {

constexpr std::size_t kMaxMountinfoBytes = std::size_t{256} << 20;

// memchr: the table is long on a node with thousands of mounts.
char* FindByte(char* begin, char* end, char c) {
  void* found = std::memchr(begin, c, static_cast<std::size_t>(end - begin));
  return found == nullptr ? end : static_cast<char*>(found);
}

bool IsOctal(char c) { return c >= '0' && c <= '7'; }

// Undoes the kernel's \ooo escapes (blank, tab, newline, backslash, #) where the field stands.
std::string_view Unescape(char* begin, char* end) {
  constexpr int kDigits = 3;
  char* out = FindByte(begin, end, '\\');
  for (const char* in = out; in < end;) {
    if (*in == '\\' && end - in > kDigits && std::all_of(in + 1, in + 1 + kDigits, IsOctal)) {
      *out++ = static_cast<char>((in[1] - '0') * 64 + (in[2] - '0') * 8 + (in[3] - '0'));
      in += kDigits + 1;
    } else {
      *out++ = *in++;
    }
  }
  return {begin, static_cast<std::size_t>(out - begin)};
}

// Hands out a line's fields one after the other.
class Fields {
 public:
  Fields(char* begin, char* end) : at_(begin), end_(end) {}

  // Empty when the line has ended.
  std::pair<char*, char*> Next() {
    char* begin = at_;
    char* field_end = std::find(begin, end_, ' ');
    at_ = field_end == end_ ? end_ : field_end + 1;
    return {begin, field_end};
  }

  [[nodiscard]] std::string_view rest() const {
    return {at_, static_cast<std::size_t>(end_ - at_)};
  }

 private:
  char* at_;
  char* end_;
};

bool ReadNumber(const char* begin, const char* end, std::uint64_t& number) {
  const auto [stop, fault] = std::from_chars(begin, end, number);
  return fault == std::errc() && stop == end;
}

bool ReadLine(char* begin, char* end, Mount& mount) {
  Fields fields(begin, end);
  const auto [id_begin, id_end] = fields.Next();
  if (!ReadNumber(id_begin, id_end, mount.id)) return false;
  const auto [parent_begin, parent_end] = fields.Next();
  if (!ReadNumber(parent_begin, parent_end, mount.parent)) return false;
  const auto [device_begin, device_end] = fields.Next();
  const char* colon = FindByte(device_begin, device_end, ':');
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  constexpr int kMajorShift = 32;
  if (colon == device_end || !ReadNumber(device_begin, colon, major) ||
      !ReadNumber(colon + 1, device_end, minor)) {
    return false;
  }
  mount.file_system = major << kMajorShift | minor;
  const auto [root_begin, root_end] = fields.Next();
  mount.root = Unescape(root_begin, root_end);
  const auto [point_begin, point_end] = fields.Next();
  mount.point = Unescape(point_begin, point_end);
  mount.tail = fields.rest();
  return mount.point.starts_with('/');
}

// Whether the mount table changed since `mountinfo` was opened or last asked for (proc(5)): entries
// may then be missing from what was read.
bool HasChanged(int mountinfo) {
  pollfd wanted = {.fd = mountinfo, .events = POLLPRI, .revents = 0};
  return ::poll(&wanted, 1, 0) > 0;
}

}  // namespace

std::string_view Mount::type() const {
  constexpr std::string_view kSeparator = " - ";
  const std::size_t separator = tail.find(kSeparator);
  if (separator == std::string_view::npos) return {};
  const std::string_view type_and_on = tail.substr(separator + kSeparator.size());
  return type_and_on.substr(0, type_and_on.find(' '));
}

std::string_view Mount::options() const { return tail.substr(0, tail.find(' ')); }

bool Mount::receives_mounts() const {
  const std::string_view optional = tail.substr(0, tail.find(" - "));
  return optional.find(" shared:") != std::string_view::npos ||
         optional.find(" master:") != std::string_view::npos;
}

std::string_view Mount::option(std::string_view name) const {
  // A comma inside a value is escaped.
  for (std::string_view rest = tail.substr(tail.rfind(' ') + 1); !rest.empty();) {
    std::string_view option = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), option.size() + 1));
    if (!option.starts_with(name)) continue;
    option.remove_prefix(name.size());
    if (option.starts_with('=')) return option.substr(1);
  }
  return {};
}

Result<MountTable> MountTable::Parse(std::string mountinfo) {
  MountTable table;
  table.text_ = std::make_unique<std::string>(std::move(mountinfo));
  constexpr std::size_t kUsualLineBytes = 128;
  table.mounts_.reserve(table.text_->size() / kUsualLineBytes);
  char* at = table.text_->data();
  char* const end = at + table.text_->size();
  while (at < end) {
    char* const line_end = FindByte(at, end, '\n');
    Mount& mount = table.mounts_.emplace_back();
    if (!ReadLine(at, line_end, mount)) {
      return Error{"/proc/self/mountinfo line " + std::to_string(table.mounts_.size()) +
                   " does not have the format of proc(5)"};
    }
    at = line_end == end ? end : line_end + 1;
  }
  return table;
}

Result<MountTable> MountTable::Read() {
  const UniqueFd process(::open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!process) return SystemError("/proc/self cannot be opened", errno);
  return ReadOf(process.get());
}

Result<MountTable> MountTable::ReadOf(int process) {
  constexpr const char* kName = "mountinfo";
  constexpr int kTries = 5;  // on a host that never stops mounting, the last one must do
  const UniqueFd file(::openat(process, kName, O_RDONLY | O_CLOEXEC));
  if (!file) return SystemError(std::string(kName) + " cannot be opened", errno);
  for (int tries_left = kTries;; --tries_left) {
    auto text = ReadRegularFile(file.get(), kMaxMountinfoBytes);
    if (!text) return text.error().In(kName);
    if (tries_left == 1 || !HasChanged(file.get())) return Parse(*std::move(text));
    if (::lseek(file.get(), 0, SEEK_SET) != 0) {
      return SystemError(std::string(kName) + " cannot be read again", errno);
    }
  }
}

const Mount* MountTable::Find(std::uint64_t id) const {
  const auto found = std::ranges::find(mounts_, id, &Mount::id);
  return found == mounts_.end() ? nullptr : &*found;
}

std::optional<Place> MountTable::PlaceOf(const Located& located) const {
  const Mount* mount = Find(located.mount_id);
  if (mount == nullptr) return std::nullopt;
  const auto rest = Below(located.path, mount->point);
  if (!rest) return std::nullopt;
  std::string path(mount->root == "/" && !rest->empty() ? std::string_view() : mount->root);
  path += *rest;
  return Place{.file_system = mount->file_system, .path = std::move(path)};
}

std::optional<std::string_view> Below(std::string_view path, std::string_view directory) {
  if (directory == "/") return path == "/" ? std::string_view() : path;
  if (!path.starts_with(directory)) return std::nullopt;
  path.remove_prefix(directory.size());
  if (!path.empty() && path.front() != '/') return std::nullopt;
  return path;
}

}  // namespace runclad::sys
