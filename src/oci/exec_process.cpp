#include "runclad/oci/exec_process.hpp"

#include <charconv>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <system_error>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/base/spelling.hpp"

#include "go_text.hpp"

namespace runclad::oci {
namespace {

using json::Document;

// A user or group id as the kernel has it. runc wraps larger ones: 4294967296 would be root.
// Unsigned, as Spec wants them in the document.
std::optional<std::uint64_t> ParseId(std::string_view text) {
  constexpr std::uint64_t kLargest = 2147483647;
  std::uint64_t id = 0;
  if (!IsPlainInteger(text)) return std::nullopt;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), id);
  return parsed.ec == std::errc() && id <= kLargest ? std::optional(id) : std::nullopt;
}

// The member `name` of `object`, made when it is missing, as a value of `type`.
Result<Document*> Member(Document& object, const char* name, Document::value_t type) {
  Document& member = object[name];
  if (member.is_null()) member = Document(type);
  if (member.type() != type) {
    return Error{"process in config.json: " + Quoted(name) + " is not an " +
                 Document(type).type_name()};
  }
  return &member;
}

Status Append(Document& object, const char* name, const Document& element) {
  const Result<Document*> array = Member(object, name, Document::value_t::array);
  if (!array) return array.error();
  (*array)->push_back(element);
  return {};
}

void Replace(Document& process, const char* member, std::optional<std::string_view> value) {
  // runc treats an empty value as absent.
  if (value && !value->empty()) process[member] = *value;
}

Status AddCapabilities(Document& process, const std::vector<std::string_view>& capabilities) {
  if (capabilities.empty()) return {};
  const auto sets = process.find("capabilities");
  if (sets == process.end() || !sets->is_object()) {  // runc dereferences a null pointer
    return Error{"--cap: the container's config.json has no capabilities to add to"};
  }
  std::vector<const char*> names = {"bounding", "effective", "permitted"};
  // Ambient capabilities work only on top of inheritable ones; runc 1.1 adds them in vain.
  if (sets->contains("inheritable")) names.push_back("ambient");
  for (const std::string_view capability : capabilities) {
    for (const char* name : names) {
      if (Status status = Append(*sets, name, capability); !status) return status;
    }
  }
  return {};
}

Status SetUser(Document& process, const CommandLine& exec) {
  const Result<Document*> user = Member(process, "user", Document::value_t::object);
  if (!user) return user.error();
  if (const auto value = exec.option("user"); value && !value->empty()) {
    const std::size_t colon = value->find(':');
    const auto uid = ParseId(value->substr(0, colon));
    const bool has_gid = colon != std::string_view::npos;
    const auto gid = has_gid ? ParseId(value->substr(colon + 1)) : std::optional<std::uint64_t>(0);
    if (!uid || !gid) {
      return Error{"--user must be UID or UID:GID in plain decimal numbers, not " + Quoted(*value)};
    }
    (**user)["uid"] = *uid;
    if (has_gid) (**user)["gid"] = *gid;
  }
  for (const std::string_view value : exec.values("additional-gids")) {
    const auto gid = ParseId(value);
    if (!gid) return Error{"--additional-gids must be a numeric group id, not " + Quoted(value)};
    if (Status status = Append(**user, "additionalGids", *gid); !status) return status;
  }
  return {};
}

}  // namespace

Result<json::Value> ProcessFromFlags(const Document& config_process, const CommandLine& exec) {
  if (!config_process.is_object()) {
    return Error{"the container's config.json has no process; exec needs --process"};
  }
  if (exec.positionals.size() < 2) {
    return Error{"the program to run is missing after the container id"};
  }
  Document process = config_process;
  process["args"] = std::vector<std::string>(exec.positionals.begin() + 1, exec.positionals.end());
  Replace(process, "cwd", exec.option("cwd"));
  Replace(process, "apparmorProfile", exec.option("apparmor"));
  Replace(process, "selinuxLabel", exec.option("process-label"));
  if (Status status = AddCapabilities(process, exec.values("cap")); !status) return status.error();
  // A comma is not a separator here, as in every runc: "A=1,B=2" is one variable.
  for (const std::string_view variable : exec.values("env")) {
    if (Status status = Append(process, "env", variable); !status) return status.error();
  }
  process["terminal"] = exec.flag("tty");
  if (exec.option("no-new-privs")) process["noNewPrivileges"] = exec.flag("no-new-privs");
  if (Status status = SetUser(process, exec); !status) return status.error();
  return json::Value(std::move(process));
}

void DropProcessFlags(CommandLine& line) {
  for (const std::string_view flag : {"cwd", "env", "tty", "user", "additional-gids",
                                      "process-label", "apparmor", "no-new-privs", "cap"}) {
    line.RemoveOption(flag);
  }
  line.positionals.resize(1);
}

}  // namespace runclad::oci
