#include "record_json.hpp"

#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

#include "runclad/json/reader.hpp"
#include "runclad/json/writer.hpp"

#include "identity_json.hpp"

namespace runclad::enforce {
namespace {

using json::Document;
using policy::Parameters;

Document ToDocument(const policy::RuleSetting& setting) {
  Document parameters = Document::object();
  for (const auto& [name, value] : setting.parameters.all()) {
    std::visit([&, key = name](const auto& plain) { parameters[key] = plain; }, value);
  }
  return {{"action", policy::Name(setting.action)}, {"parameters", std::move(parameters)}};
}

// A member that must be there with the type asked for.
template <typename T>
Result<T> Member(const Document& object, std::string_view name) {
  const auto member = object.find(name);
  if (member == object.end()) return Error{"has no " + std::string(name)};
  const bool is_right = std::is_same_v<T, std::string> ? member->is_string()
                        : std::is_same_v<T, bool>      ? member->is_boolean()
                                                       : member->is_number_unsigned();
  if (!is_right) return Error{"has another type of " + std::string(name)};
  return member->get<T>();
}

std::optional<policy::Action> ActionOf(std::string_view name) {
  for (const auto action : {policy::Action::kFix, policy::Action::kRefuse, policy::Action::kWarn,
                            policy::Action::kOff}) {
    if (policy::Name(action) == name) return action;
  }
  return std::nullopt;
}

std::optional<Parameters::Value> ParameterFrom(const Document& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_array()) return std::nullopt;
  std::vector<std::string> strings;
  for (const Document& element : value) {
    if (!element.is_string()) return std::nullopt;
    strings.push_back(element.get<std::string>());
  }
  return strings;
}

Document ToDocument(const Promise& promise) {
  Document binds = Document::array();
  for (const Promise::Bind& bind : promise.binds) {
    binds.push_back(
        {{"destination", bind.destination}, {"device", bind.device}, {"inode", bind.inode}});
  }
  Document document = {{"noNewPrivileges", promise.no_new_privileges},
                       {"seccomp", promise.seccomp},
                       {"readOnlyRoot", promise.read_only_root},
                       {"ownNamespaces", promise.own_namespaces},
                       {"binds", std::move(binds)}};
  if (promise.bounding) document["bounding"] = *promise.bounding;
  return document;
}

// The file is root's and written by us: one that does not read is an error, and no promise is
// taken as kept.
Result<Promise> PromiseFrom(const Document& record) {
  try {
    const Document& document = record.at("promise");
    Promise promise;
    if (document.contains("bounding")) promise.bounding = document.at("bounding");
    promise.no_new_privileges = document.at("noNewPrivileges");
    promise.seccomp = document.at("seccomp");
    promise.read_only_root = document.at("readOnlyRoot");
    promise.own_namespaces = document.at("ownNamespaces");
    for (const Document& bind : document.at("binds")) {
      promise.binds.push_back({bind.at("destination"), bind.at("device"), bind.at("inode")});
    }
    return promise;
  } catch (const Document::exception&) {
    return Error{"has no promise that can be read"};
  }
}

Status ReadRules(const Document& rules, policy::Effective& policy) {
  for (const auto& [id, entry] : rules.items()) {
    const auto name = Member<std::string>(entry, "action");
    if (!name) return name.error();
    const auto action = ActionOf(*name);
    if (!action) return Error{"has the unknown action " + *name};
    policy::RuleSetting setting{*action, {}};
    const auto parameters = entry.find("parameters");
    if (parameters == entry.end()) return Error{"has no parameters of " + id};
    for (const auto& [parameter, value] : parameters->items()) {
      auto read = ParameterFrom(value);
      if (!read) return Error{"has another type of " + parameter};
      setting.parameters.Set(parameter, *std::move(read));
    }
    policy.rules.insert_or_assign(id, std::move(setting));
  }
  return {};
}

}  // namespace

std::string RecordToJson(const Record& record) {
  const policy::Effective& policy = record.process_policy;
  Document rules = Document::object();
  for (const auto& [id, setting] : policy.rules) rules[id] = ToDocument(setting);
  const Document document = {
      {"id", record.id},
      {"bundle", record.bundle},
      {"profile", policy.profile},
      {"mode", policy::Name(policy.mode)},
      {"policy", policy.digest},
      {"log", {{"target", policy.log.target}, {"required", policy.log.required}}},
      {"rules", std::move(rules)},
      {"image", ToDocument(record.identity)},
      {"imagePolicy", ImagePolicyDocument(policy)},
      {"promise", ToDocument(record.promise)},
      {"findings", record.findings.document()},
      {"pid", static_cast<std::uint64_t>(record.pid)},
      {"startTime", record.start_time},
  };
  return json::Write(document);
}

Result<Record> RecordFromJson(std::string_view text) {
  auto document = json::Read(text);
  if (!document) return document.error();
  if (!document->is_object()) return Error{"is not an object"};
  const auto id = Member<std::string>(*document, "id");
  const auto bundle = Member<std::string>(*document, "bundle");
  const auto profile = Member<std::string>(*document, "profile");
  const auto mode = Member<std::string>(*document, "mode");
  const auto digest = Member<std::string>(*document, "policy");
  const auto pid = Member<std::uint64_t>(*document, "pid");
  const auto start_time = Member<std::uint64_t>(*document, "startTime");
  for (const auto* text_member : {&id, &bundle, &profile, &mode, &digest}) {
    if (!*text_member) return text_member->error();
  }
  if (!pid) return pid.error();
  if (!start_time) return start_time.error();

  Record record;
  record.id = *id;
  record.bundle = *bundle;
  record.pid = static_cast<pid_t>(*pid);
  record.start_time = *start_time;
  record.process_policy.profile = *profile;
  record.process_policy.digest = *digest;
  record.process_policy.mode =
      *mode == policy::Name(policy::Mode::kAudit) ? policy::Mode::kAudit : policy::Mode::kEnforce;
  const auto log = document->find("log");
  if (log == document->end() || !log->is_object()) return Error{"has no log"};
  const auto target = Member<std::string>(*log, "target");
  const auto required = Member<bool>(*log, "required");
  if (!target) return target.error();
  if (!required) return required.error();
  record.process_policy.log = {*target, *required};
  const auto rules = document->find("rules");
  if (rules == document->end() || !rules->is_object()) return Error{"has no rules"};
  if (auto read = ReadRules(*rules, record.process_policy); !read) return read.error();
  if (const auto image = document->find("image"); image != document->end()) {
    auto identity = IdentityFrom(*image);
    if (!identity) return identity.error();
    record.identity = *std::move(identity);
  }
  auto promise = PromiseFrom(*document);
  if (!promise) return promise.error();
  record.promise = *std::move(promise);
  const auto findings = document->find("findings");
  if (findings != document->end()) record.findings = json::Value(*findings);
  return record;
}

}  // namespace runclad::enforce
