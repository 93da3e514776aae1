#include "seen.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "runclad/base/unique_fd.hpp"
#include "runclad/enforce/record_search.hpp"
#include "runclad/sys/cgroups.hpp"
#include "runclad/sys/mounts.hpp"

namespace runclad::learn {
namespace {

std::string ReadAll(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 8192> buffer{};
  for (ssize_t got = 0; file && (got = ::read(file.get(), buffer.data(), buffer.size())) > 0;) {
    text.append(buffer.data(), static_cast<std::size_t>(got));
  }
  return text;
}

// The second number of the line "Uid:\t0\t0\t0\t0".
std::string EffectiveIn(std::string_view status, std::string_view name) {
  std::size_t at = status.starts_with(name) ? 0 : status.find("\n" + std::string(name));
  if (at == std::string_view::npos) return {};
  at = status.find('\t', at + 1);
  if (at == std::string_view::npos) return {};
  at = status.find('\t', at + 1);
  if (at == std::string_view::npos) return {};
  const std::size_t end = status.find_first_of("\t\n", at + 1);
  return std::string(status.substr(at + 1, end - at - 1));
}

std::uint64_t Peak(const sys::Cgroups& cgroups, std::string_view controller, const char* v1,
                   const char* v2) {
  const auto text = cgroups.Read(controller, v1, v2);
  std::uint64_t number = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), number);
  return number;
}

std::string Missing(const std::set<std::string>& all, const std::set<std::string>& there) {
  std::string missing;
  for (const std::string& entry : all) {
    if (!there.contains(entry)) missing += (missing.empty() ? "" : ", ") + entry;
  }
  return missing;
}

}  // namespace

std::string Serving::MissingIn(const Serving& other) const {
  if (const std::string missing = Missing(users, other.users); !missing.empty()) {
    std::string instead;
    for (const std::string& user : other.users) instead += (instead.empty() ? "" : ", ") + user;
    return "no process runs as " + missing +
           (instead.empty() ? std::string() : ", but as " + instead);
  }
  if (const std::string missing = Missing(listeners, other.listeners); !missing.empty()) {
    return "nothing listens on " + missing;
  }
  return {};
}

std::string UserIn(std::string_view status) {
  const std::string uid = EffectiveIn(status, "Uid:");
  const std::string gid = EffectiveIn(status, "Gid:");
  return uid.empty() || gid.empty() ? std::string() : uid + ":" + gid;
}

Result<Seen> SeenOf(const std::string& id) {
  look::LookOptions options;
  options.filters = look::LookOptions::Filters::kNone;
  options.wanted = id;
  auto found = look::FindContainer(options);
  if (!found) return found.error();
  Seen seen;
  seen.container = *std::move(found);
  for (const look::Listener& listener : seen.container.listeners) {
    const std::string_view protocol = listener.protocol;
    // Both families serve the same.
    seen.serving.listeners.insert(std::string(protocol.substr(0, 3)) + " " +
                                  std::to_string(listener.port));
  }
  for (const pid_t pid : seen.container.processes) {
    const std::string user = UserIn(ReadAll("/proc/" + std::to_string(pid) + "/status"));
    if (!user.empty()) seen.serving.users.insert(user);
  }
  const auto records = enforce::FindRecords(id, std::nullopt);
  if (records && !records->empty()) seen.bounding = records->front().promise.bounding();
  const std::string cgroup = ReadAll("/proc/" + std::to_string(seen.container.pid) + "/cgroup");
  const auto mounts = sys::MountTable::Read();
  if (mounts) {
    const sys::Cgroups cgroups(cgroup, *mounts);
    seen.peak_memory = Peak(cgroups, "memory", "memory.max_usage_in_bytes", "memory.peak");
    seen.peak_processes = Peak(cgroups, "pids", "pids.peak", "pids.peak");
  }
  return seen;
}

}  // namespace runclad::learn
