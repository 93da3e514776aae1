#include "runclad/host/runtime_state.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <charconv>

#include "runclad/json/scanner.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::host {
namespace {

// runc writes 300 bytes for a mount, of which a document has at most 100,000.
constexpr std::size_t kMaxStateBytes = std::size_t{64} << 20;

// 0 where what stands there is not a whole number from 0 on that fits.
template <typename T>
T Number(json::Scanner& scanner) {
  const std::string_view text = scanner.Skip();
  T number = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool is_whole = fault == std::errc() && end == text.data() + text.size();
  return is_whole && number > 0 ? number : T{0};
}

void ReadLabels(json::Scanner& scanner, RuntimeState& found) {
  constexpr std::string_view kBundle = "bundle=";
  if (scanner.Null()) return;
  scanner.Elements([&] {
    const std::string_view label = scanner.String();
    // The last one is runc's own, behind those made of annotations.
    if (label.starts_with(kBundle)) found.bundle = label.substr(kBundle.size());
  });
}

// runc writes tens of kilobytes, most of them the container's configuration.
std::optional<RuntimeState> FromRunc(std::string_view text) {
  static constexpr std::string_view kMembers[] = {"init_process_pid", "init_process_start",
                                                  "config"};
  static constexpr std::string_view kConfigMembers[] = {"labels"};
  RuntimeState found;
  json::Scanner scanner(text);
  scanner.Object(kMembers, [&](std::size_t member) {
    if (member == 0) {
      found.pid = Number<pid_t>(scanner);
    } else if (member == 1) {
      found.start_time = Number<std::uint64_t>(scanner);
    } else {
      scanner.Object(kConfigMembers, [&](std::size_t) { ReadLabels(scanner, found); });
    }
  });
  if (!scanner.Finish()) return std::nullopt;
  return found;
}

std::optional<RuntimeState> FromCrun(std::string_view text) {
  static constexpr std::string_view kMembers[] = {"pid", "process-start-time", "bundle"};
  RuntimeState found;
  found.is_crun = true;
  json::Scanner scanner(text);
  scanner.Object(kMembers, [&](std::size_t member) {
    if (member == 0) {
      found.pid = Number<pid_t>(scanner);
    } else if (member == 1) {
      found.start_time = Number<std::uint64_t>(scanner);
    } else {
      found.bundle = scanner.String();
    }
  });
  if (!scanner.Finish()) return std::nullopt;
  return found;
}

}  // namespace

std::optional<RuntimeState> ReadRuntimeState(const std::string& runtime_root, std::string_view id) {
  const auto directory = sys::OpenDirectory(runtime_root + "/" + std::string(id));
  if (!directory) return std::nullopt;
  std::optional<RuntimeState> found;
  if (const auto state = sys::ReadTrustedFile(directory->get(), "state.json", kMaxStateBytes)) {
    found = FromRunc(*state);
  } else if (const auto status = sys::ReadTrustedFile(directory->get(), "status", kMaxStateBytes)) {
    found = FromCrun(*status);
  }
  if (!found) return std::nullopt;
  // Both keep the fifo that the program waits at until start. If that is unknown, it counts as
  // waiting and is verified.
  struct stat fifo {};
  found->is_waiting =
      ::fstatat(directory->get(), "exec.fifo", &fifo, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
  return found;
}

bool ContainerExists(const std::string& runtime_root, std::string_view id) {
  struct stat status {};
  return ::lstat((runtime_root + "/" + std::string(id)).c_str(), &status) == 0;
}

}  // namespace runclad::host
