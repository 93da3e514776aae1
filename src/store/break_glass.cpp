#include "runclad/store/break_glass.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <string_view>

#include <nlohmann/json.hpp>

#include "runclad/base/time.hpp"
#include "runclad/json/reader.hpp"
#include "runclad/store/format.hpp"
#include "runclad/sys/directory.hpp"
#include "runclad/sys/file.hpp"
#include "runclad/sys/owned_path.hpp"

namespace runclad::store {
namespace {

using json::Document;

constexpr std::size_t kMaxBreakGlassBytes = 16384;

std::uint64_t SecondsSinceBoot() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec);
}

Result<std::string> BootId() {
  const UniqueFd file(::open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC));
  if (!file) return SystemError("the boot's id cannot be read", errno);
  auto id = sys::ReadRegularFile(file.get(), kMaxBreakGlassBytes);
  if (!id) return id.error().In("the boot's id");
  while (id->ends_with('\n')) id->pop_back();
  return id;
}

struct Saved {
  BreakGlass what;
  std::string boot;
  std::uint64_t from = 0;  // seconds since boot
  std::uint64_t to = 0;
};

Result<Saved> Parsed(std::string_view text) {
  const auto document = json::Read(text);
  if (!document) return document.error();
  if (!document->is_object()) return Error{"must be an object"};
  Saved saved;
  const auto read = [&](const char* name, auto& value) {
    const auto member = document->find(name);
    if (member == document->end()) return false;
    if constexpr (std::is_same_v<std::remove_reference_t<decltype(value)>, std::string>) {
      if (!member->is_string()) return false;
    } else {
      if (!member->is_number_unsigned()) return false;
    }
    member->get_to(value);
    return true;
  };
  std::uint64_t version = 0;
  for (const bool is_there :
       {read("version", version), read("reason", saved.what.reason), read("by", saved.what.by),
        read("since", saved.what.since), read("until", saved.what.until), read("boot", saved.boot),
        read("from", saved.from), read("to", saved.to)}) {
    if (!is_there) return Error{"lacks a member or has one of the wrong type"};
  }
  if (version > kFormatVersion) return Error{"was written by a later version of runclad"};
  if (saved.what.reason.empty()) return Error{"gives no reason"};
  if (saved.to < saved.from ||
      saved.to - saved.from > static_cast<std::uint64_t>(kLongestBreakGlass.count())) {
    return Error{"is for longer than 24 hours"};
  }
  return saved;
}

Result<std::optional<BreakGlass>> ReadBreakGlass(int fd, const std::string& path) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return SystemError("cannot be examined", errno);
  if (const std::string why = sys::WhyUntrusted(status); !why.empty()) return Error{"is " + why};
  if (!sys::OnlyRootCouldReplace(path)) return Error{"is in a directory of others than root"};
  const auto text = sys::ReadRegularFile(fd, kMaxBreakGlassBytes);
  if (!text) return text.error();
  auto saved = Parsed(*text);
  if (!saved) return saved.error();
  const auto boot = BootId();
  if (!boot) return boot.error();
  const std::uint64_t now = SecondsSinceBoot();
  if (saved->boot != *boot || now < saved->from || now >= saved->to) {
    return std::optional<BreakGlass>();
  }
  saved->what.left = std::chrono::seconds(saved->to - now);
  return std::optional<BreakGlass>(std::move(saved->what));
}

}  // namespace

Result<std::optional<BreakGlass>> FindBreakGlass(const std::string& path) {
  const UniqueFd file(
      ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::optional<BreakGlass>();
  const std::string title = "the break-glass switch " + path;
  if (!file) return SystemError(title + " cannot be opened", errno);
  auto found = ReadBreakGlass(file.get(), path);
  if (!found) return Error{title + " " + found.error().message};
  return found;
}

Result<BreakGlass> StartBreakGlass(std::chrono::seconds time, const std::string& reason,
                                   const std::string& by, const std::string& path) {
  if (time <= std::chrono::seconds(0) || time > kLongestBreakGlass) {
    return Error{"break-glass is for at least one second and at most 24 hours"};
  }
  if (reason.empty()) return Error{"break-glass needs a reason"};
  const auto boot = BootId();
  if (!boot) return boot.error();
  const std::int64_t now = std::time(nullptr);
  BreakGlass what{reason, by, FormatTime(now).data(), FormatTime(now + time.count()).data(), time};
  const std::uint64_t from = SecondsSinceBoot();
  const Document document = {{"version", kFormatVersion},
                             {"reason", what.reason},
                             {"by", what.by},
                             {"since", what.since},
                             {"until", what.until},
                             {"boot", *boot},
                             {"from", from},
                             {"to", from + static_cast<std::uint64_t>(time.count())}};
  const std::size_t slash = path.rfind('/');
  const std::string directory = path.substr(0, slash);
  if (auto made = sys::MakePrivateDirectory(directory); !made) return made.error();
  const auto opened = sys::OpenWithoutLinks(AT_FDCWD, directory, O_RDONLY | O_DIRECTORY);
  if (!opened) return opened.error();
  if (!sys::OnlyRootCouldReplace(directory)) {
    return Error{directory + " could have been made by others than root"};
  }
  sys::RemoveEmptyDirectories(path);
  auto written = sys::ReplaceFile(opened->get(), path.substr(slash + 1), document.dump() + "\n",
                                  S_IRUSR | S_IWUSR, ::geteuid(), ::getegid());
  if (!written) return written.error().In(directory);
  return what;
}

Result<bool> EndBreakGlass(const std::string& path) {
  if (::unlink(path.c_str()) == 0) return true;
  if (errno == ENOENT || (errno == EISDIR && sys::RemoveEmptyDirectories(path))) return false;
  return SystemError("the break-glass switch " + path + " cannot be removed", errno);
}

}  // namespace runclad::store
