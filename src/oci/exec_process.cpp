#include "runclad/oci/exec_process.hpp"

#include <array>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace runclad::oci {
namespace {

using json::Document;

constexpr std::array<std::string_view, 9> kProcessFlags = {
    "cwd",           "env",      "tty",          "user", "additional-gids",
    "process-label", "apparmor", "no-new-privs", "cap"};

std::optional<std::uint32_t> Id(std::string_view text) {
  std::uint32_t id = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (text.empty() || fault != std::errc() || end != text.data() + text.size()) {
    return std::nullopt;
  }
  return id;
}

void SetWhenGiven(Document& process, const char* member, std::optional<std::string_view> value) {
  if (value && !value->empty()) process[member] = *value;
}

void Append(Document& array, const std::vector<std::string_view>& values) {
  if (values.empty()) return;
  if (array.is_null()) array = Document::array();
  for (const std::string_view value : values) array.push_back(value);
}

}  // namespace

Result<json::Value> ProcessFromFlags(const json::Document& config_process,
                                     const CommandLine& line) {
  if (line.positionals.size() < 2) return Error{"exec: no program is named after the container"};
  Document process = config_process;
  process["args"] = std::vector<std::string>(line.positionals.begin() + 1, line.positionals.end());
  SetWhenGiven(process, "cwd", line.option("cwd"));
  SetWhenGiven(process, "apparmorProfile", line.option("apparmor"));
  SetWhenGiven(process, "selinuxLabel", line.option("process-label"));
  // runc leaves the inheritable set as it is.
  for (const char* set : {"bounding", "effective", "permitted", "ambient"}) {
    if (!line.values("cap").empty()) Append(process["capabilities"][set], line.values("cap"));
  }
  Append(process["env"], line.values("env"));
  process["terminal"] = line.flag("tty");
  if (const auto value = line.option("no-new-privs")) {
    process["noNewPrivileges"] = *value == "true";
  }
  if (const auto user = line.option("user"); user && !user->empty()) {
    const std::size_t colon = user->find(':');
    const auto uid = Id(user->substr(0, colon));
    if (!uid) return Error{"exec: --user " + std::string(*user) + " is not uid[:gid] in numbers"};
    process["user"]["uid"] = *uid;
    if (colon != std::string_view::npos) {
      const auto gid = Id(user->substr(colon + 1));
      if (!gid) return Error{"exec: --user " + std::string(*user) + " is not uid[:gid] in numbers"};
      process["user"]["gid"] = *gid;
    }
  }
  for (const std::string_view value : line.values("additional-gids")) {
    const auto gid = Id(value);
    if (!gid) return Error{"exec: --additional-gids " + std::string(value) + " is no number"};
    Document& gids = process["user"]["additionalGids"];
    if (gids.is_null()) gids = Document::array();
    gids.push_back(*gid);
  }
  return json::Value(std::move(process));
}

void DropProcessFlags(CommandLine& line) {
  for (const std::string_view flag : kProcessFlags) line.RemoveOption(flag);
  line.positionals.resize(1);
}

}  // namespace runclad::oci
