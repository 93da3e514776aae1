#include "runclad/enforce/runtime_state.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "runclad/json/reader.hpp"
#include "runclad/json/value.hpp"
#include "runclad/sys/file.hpp"

namespace runclad::enforce {
namespace {

constexpr std::size_t kMaxStateBytes = std::size_t{8} << 20;

std::optional<json::Document> ReadDocument(int directory, const char* name) {
  const auto bytes = sys::ReadTrustedFile(directory, name, kMaxStateBytes);
  if (!bytes) return std::nullopt;
  auto document = json::Read(*bytes);
  if (!document || !document->is_object()) return std::nullopt;
  return *std::move(document);
}

template <typename T>
T Number(const json::Document& object, const char* name) {
  const auto member = object.find(name);
  if (member == object.end() || !member->is_number_unsigned()) return 0;
  return member->get<T>();
}

RuntimeState FromRunc(const json::Document& state) {
  RuntimeState found;
  found.pid = Number<pid_t>(state, "init_process_pid");
  found.start_time = Number<std::uint64_t>(state, "init_process_start");
  const auto config = state.find("config");
  if (config == state.end() || !config->is_object()) return found;
  const auto labels = config->find("labels");
  if (labels == config->end() || !labels->is_array()) return found;
  constexpr std::string_view kBundle = "bundle=";
  for (const json::Document& label : *labels) {
    if (!label.is_string()) continue;
    const auto& text = label.get_ref<const std::string&>();
    if (text.starts_with(kBundle)) found.bundle = text.substr(kBundle.size());
  }
  return found;
}

RuntimeState FromCrun(const json::Document& status) {
  RuntimeState found;
  found.pid = Number<pid_t>(status, "pid");
  found.start_time = Number<std::uint64_t>(status, "process-start-time");
  found.is_crun = true;
  const auto bundle = status.find("bundle");
  if (bundle != status.end() && bundle->is_string()) found.bundle = bundle->get<std::string>();
  return found;
}

}  // namespace

std::optional<RuntimeState> ReadRuntimeState(const std::string& runtime_root, std::string_view id) {
  const auto directory = sys::OpenDirectory(runtime_root + "/" + std::string(id));
  if (!directory) return std::nullopt;
  RuntimeState found;
  if (const auto state = ReadDocument(directory->get(), "state.json")) {
    found = FromRunc(*state);
  } else if (const auto status = ReadDocument(directory->get(), "status")) {
    found = FromCrun(*status);
  } else {
    return std::nullopt;
  }
  // Both keep the fifo that the program waits at until start.
  struct stat fifo {};
  found.is_waiting = ::fstatat(directory->get(), "exec.fifo", &fifo, AT_SYMLINK_NOFOLLOW) == 0;
  return found;
}

bool ContainerExists(const std::string& runtime_root, std::string_view id) {
  struct stat status {};
  return ::lstat((runtime_root + "/" + std::string(id)).c_str(), &status) == 0;
}

}  // namespace runclad::enforce
