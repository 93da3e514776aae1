// /linux/seccomp between JSON and privilege::SeccompFilter.
#include <array>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/oci/spec.hpp"

#include "schema.hpp"

namespace runclad::oci {
namespace {

using json::Document;
using privilege::SeccompArgument;
using privilege::SeccompFilter;
using privilege::SeccompOperator;
using privilege::SeccompRule;

constexpr std::array<std::pair<std::string_view, SeccompOperator>, 7> kOperators = {{
    {"SCMP_CMP_NE", SeccompOperator::kNotEqual},
    {"SCMP_CMP_LT", SeccompOperator::kLess},
    {"SCMP_CMP_LE", SeccompOperator::kLessEqual},
    {"SCMP_CMP_EQ", SeccompOperator::kEqual},
    {"SCMP_CMP_GE", SeccompOperator::kGreaterEqual},
    {"SCMP_CMP_GT", SeccompOperator::kGreater},
    {"SCMP_CMP_MASKED_EQ", SeccompOperator::kMaskedEqual},
}};

template <typename T>
T ValueOr(const Document& object, std::string_view name, T otherwise) {
  const auto member = object.find(name);
  return member == object.end() ? std::move(otherwise) : member->get<T>();
}

std::optional<std::uint32_t> OptionalNumber(const Document& object, std::string_view name) {
  const auto member = object.find(name);
  if (member == object.end()) return std::nullopt;
  return member->get<std::uint32_t>();
}

std::optional<SeccompOperator> OperatorOf(std::string_view name) {
  for (const auto& [text, op] : kOperators) {
    if (text == name) return op;
  }
  return std::nullopt;
}

SeccompRule RuleFrom(const Document& object) {
  SeccompRule rule;
  rule.names = ValueOr<std::vector<std::string>>(object, "names", {});
  rule.action = ValueOr<std::string>(object, "action", "");
  rule.errno_return = OptionalNumber(object, "errnoRet");
  const auto arguments = object.find("args");
  if (arguments == object.end()) return rule;
  for (const Document& entry : *arguments) {
    rule.arguments.push_back(
        {ValueOr<std::uint32_t>(entry, "index", 0), ValueOr<std::uint64_t>(entry, "value", 0),
         ValueOr<std::uint64_t>(entry, "valueTwo", 0),
         OperatorOf(ValueOr<std::string>(entry, "op", "")).value_or(SeccompOperator::kEqual)});
  }
  return rule;
}

std::string_view NameOf(SeccompOperator op) {
  for (const auto& [text, known] : kOperators) {
    if (known == op) return text;
  }
  return "";
}

Document JsonFrom(const SeccompRule& rule) {
  Document object = {{"names", rule.names}, {"action", rule.action}};
  if (rule.errno_return) object["errnoRet"] = *rule.errno_return;
  if (rule.arguments.empty()) return object;
  Document arguments = Document::array();
  for (const SeccompArgument& argument : rule.arguments) {
    Document entry = {
        {"index", argument.index}, {"value", argument.value}, {"op", NameOf(argument.op)}};
    if (argument.value_two != 0) entry["valueTwo"] = argument.value_two;
    arguments.push_back(std::move(entry));
  }
  object["args"] = std::move(arguments);
  return object;
}

const Document* SeccompOf(const Document& config) {
  const auto linux_member = config.find("linux");
  if (linux_member == config.end()) return nullptr;
  const auto object = linux_member->find("seccomp");
  return object == linux_member->end() ? nullptr : &*object;
}

}  // namespace

Status CheckSeccompOperators(const Document& document) {
  const Document* seccomp = SeccompOf(document);
  if (seccomp == nullptr || !seccomp->contains("syscalls")) return {};
  for (const Document& rule : seccomp->at("syscalls")) {
    const auto arguments = rule.find("args");
    if (arguments == rule.end()) continue;
    for (const Document& argument : *arguments) {
      const auto op = ValueOr<std::string>(argument, "op", "");
      if (!OperatorOf(op)) {
        return Error{"/linux/seccomp/syscalls has the comparison operator \"" + op +
                     "\", which the OCI spec does not define"};
      }
    }
  }
  return {};
}

std::optional<SeccompFilter> Spec::seccomp() const {
  const Document* object = SeccompOf(*document_);
  if (object == nullptr) return std::nullopt;
  SeccompFilter filter;
  filter.default_action = ValueOr<std::string>(*object, "defaultAction", "");
  filter.default_errno_return = OptionalNumber(*object, "defaultErrnoRet");
  filter.architectures = ValueOr<std::vector<std::string>>(*object, "architectures", {});
  if (object->contains("flags")) filter.flags = object->at("flags").get<std::vector<std::string>>();
  filter.listener_path = ValueOr<std::string>(*object, "listenerPath", "");
  filter.listener_metadata = ValueOr<std::string>(*object, "listenerMetadata", "");
  const auto syscalls = object->find("syscalls");
  if (syscalls == object->end()) return filter;
  filter.rules.reserve(syscalls->size());
  for (const Document& entry : *syscalls) filter.rules.push_back(RuleFrom(entry));
  return filter;
}

json::Value ToJson(const SeccompFilter& filter) {
  Document object = {{"defaultAction", filter.default_action}};
  if (filter.default_errno_return) object["defaultErrnoRet"] = *filter.default_errno_return;
  if (!filter.architectures.empty()) object["architectures"] = filter.architectures;
  if (filter.flags) object["flags"] = *filter.flags;
  if (!filter.listener_path.empty()) object["listenerPath"] = filter.listener_path;
  if (!filter.listener_metadata.empty()) object["listenerMetadata"] = filter.listener_metadata;
  Document syscalls = Document::array();
  for (const SeccompRule& rule : filter.rules) syscalls.push_back(JsonFrom(rule));
  object["syscalls"] = std::move(syscalls);
  return json::Value(std::move(object));
}

}  // namespace runclad::oci
