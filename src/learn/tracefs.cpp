#include "tracefs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <utility>
#include <vector>

#include <poll.h>

#include "runclad/sys/directory.hpp"

namespace runclad::learn {
namespace {

constexpr const char* kFollowed = "set_event_pid";
constexpr const char* kInstances = "instances";
constexpr const char* kInstancePrefix = "runclad-learn-";
// Of linux/mount.h, which older systems lack.
constexpr unsigned kFsopenCloexec = 1;
constexpr unsigned kFsconfigCreate = 6;
constexpr unsigned kFsmountCloexec = 1;

Result<UniqueFd> MountTracefs() {
  const UniqueFd context(static_cast<int>(::syscall(SYS_fsopen, "tracefs", kFsopenCloexec)));
  if (!context ||
      ::syscall(SYS_fsconfig, context.get(), kFsconfigCreate, nullptr, nullptr, 0) != 0) {
    return SystemError("tracefs cannot be mounted", errno);
  }
  UniqueFd mount(static_cast<int>(::syscall(SYS_fsmount, context.get(), kFsmountCloexec, 0)));
  if (!mount) return SystemError("tracefs cannot be mounted", errno);
  return mount;
}

// Instances belong to the kernel, but only one learner runs per /run, which is that of a mount
// namespace: each has its own instance.
std::string InstanceName() {
  struct stat own {};
  const bool is_known = ::stat("/proc/self/ns/mnt", &own) == 0;
  return kInstancePrefix + std::to_string(is_known ? own.st_ino : 0);
}

// One that is open cannot be removed, so that of another learner stays.
void RemoveIdleInstances(int file_system) {
  const UniqueFd instances(
      ::openat(file_system, kInstances, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!instances) return;
  std::vector<std::string> names;
  sys::VisitEntries(instances.get(), [&](const dirent& entry) {
    const std::string_view name = static_cast<const char*>(entry.d_name);
    if (name.starts_with(kInstancePrefix)) names.emplace_back(name);
    return true;
  });
  for (const std::string& name : names) ::unlinkat(instances.get(), name.c_str(), AT_REMOVEDIR);
}

}  // namespace

Status TraceInstance::Make(const std::string& suffix) {
  auto mounted = MountTracefs();
  if (!mounted) return mounted.error();
  file_system_ = *std::move(mounted);
  name_ = std::string(kInstances) + "/" + InstanceName() + suffix;
  if (::mkdirat(file_system_.get(), name_.c_str(), S_IRWXU) != 0) {
    return SystemError("the tracefs instance " + name_ + " cannot be made", errno);
  }
  directory_ =
      UniqueFd(::openat(file_system_.get(), name_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory_) return SystemError("the tracefs instance cannot be opened", errno);
  // First of all: see RemoveIdleInstances.
  marker_ = Open("trace_marker", O_WRONLY);
  if (!marker_) return SystemError("the tracefs instance cannot be used", errno);
  return {};
}

bool TraceInstance::HasEvent(const std::string& event) const {
  return ::faccessat(directory_.get(), ("events/" + event).c_str(), F_OK, 0) == 0;
}

UniqueFd TraceInstance::Open(const char* file, int flags) const {
  return UniqueFd(::openat(directory_.get(), file, flags | O_CLOEXEC));
}

Status TraceInstance::Write(const std::string& file, const std::string& text) const {
  const UniqueFd opened(::openat(directory_.get(), file.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (!opened || (!text.empty() && ::write(opened.get(), text.data(), text.size()) < 0)) {
    return SystemError("the tracefs file " + file + " cannot be written", errno);
  }
  return {};
}

Status TraceInstance::Listen(std::function<void(std::string_view)> take) {
  pipe_ = Open("trace_pipe", O_RDONLY | O_NONBLOCK);
  if (!pipe_) return SystemError("the tracefs instance cannot be read", errno);
  reader_ = std::thread([this, take = std::move(take)] { Read(take); });
  return {};
}

void TraceInstance::Read(const std::function<void(std::string_view)>& take) const {
  constexpr int kMilliseconds = 20;
  std::array<char, 65536> buffer{};
  while (true) {
    const bool is_last = ends_;
    const ssize_t got = ::read(pipe_.get(), buffer.data(), buffer.size());
    if (got > 0) {
      take({buffer.data(), static_cast<std::size_t>(got)});
      continue;
    }
    if (is_last) return;
    pollfd readable{pipe_.get(), POLLIN, 0};
    ::poll(&readable, 1, kMilliseconds);
  }
}

Status TraceInstance::Follow(int pid, std::span<const char* const> events) {
  if (auto written = Write(kFollowed, std::to_string(pid)); !written) return written;
  for (const char* event : events) {
    if (auto written = Write("events/" + std::string(event) + "/enable", "1"); !written) {
      return written;
    }
  }
  return {};
}

void TraceInstance::End() {
  if (reader_.joinable()) {
    // Of every event, whichever are on.
    static_cast<void>(Write("events/enable", "0"));
    static_cast<void>(Write(kFollowed, ""));
    ends_ = true;
    reader_.join();
  }
  pipe_ = UniqueFd();
  Remove();
}

void TraceInstance::Remove() {
  marker_ = UniqueFd();
  if (directory_) {
    directory_ = UniqueFd();
    ::unlinkat(file_system_.get(), name_.c_str(), AT_REMOVEDIR);
  }
  file_system_ = UniqueFd();
}

void TraceInstance::RemoveIdle() {
  if (const auto mounted = MountTracefs()) RemoveIdleInstances(mounted->get());
}

}  // namespace runclad::learn
