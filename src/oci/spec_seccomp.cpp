// /linux/seccomp between JSON and privilege::SeccompFilter.
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/oci/spec.hpp"
#include "runclad/privilege/operator_names.hpp"

#include "members.hpp"
#include "schema.hpp"

namespace runclad::oci {
namespace {

using json::Document;
using privilege::SeccompArgument;
using privilege::SeccompFilter;
using privilege::SeccompOperator;
using privilege::SeccompRule;

template <typename T>
T NumberOr(const Document* number, T absent) {
  return number == nullptr ? absent : number->get<T>();
}

std::optional<std::uint32_t> OptionalNumber(const Document* number) {
  if (number == nullptr) return std::nullopt;
  return number->get<std::uint32_t>();
}

std::optional<SeccompOperator> OperatorOf(std::string_view name) {
  for (const auto& [text, op] : privilege::kOperatorNames) {
    if (text == name) return op;
  }
  return std::nullopt;
}

SeccompRule RuleFrom(const Document& object) {
  SeccompRule rule;
  rule.names = Strings(Find(object, "names"));
  rule.action = Text(Find(object, "action"));
  rule.errno_return = OptionalNumber(Find(object, "errnoRet"));
  const Document* arguments = Find(object, "args");
  if (arguments == nullptr) return rule;
  for (const Document& entry : Elements(*arguments)) {
    rule.arguments.push_back(
        {NumberOr<std::uint32_t>(Find(entry, "index"), 0),
         NumberOr<std::uint64_t>(Find(entry, "value"), 0),
         NumberOr<std::uint64_t>(Find(entry, "valueTwo"), 0),
         OperatorOf(Text(Find(entry, "op"))).value_or(SeccompOperator::kEqual)});
  }
  return rule;
}

std::string_view NameOf(SeccompOperator op) {
  for (const auto& [text, known] : privilege::kOperatorNames) {
    if (known == op) return text;
  }
  return "";
}

Document Array(const std::vector<std::string>& texts) {
  Document array = Document::array();
  auto& elements = array.get_ref<Document::array_t&>();
  elements.reserve(texts.size());
  for (const std::string& text : texts) elements.emplace_back(text);
  return array;
}

void Put(const SeccompArgument& argument, Document& object) {
  Add(object, "index", argument.index);
  Add(object, "op", NameOf(argument.op));
  Add(object, "value", argument.value);
  if (argument.value_two != 0) Add(object, "valueTwo", argument.value_two);
}

void Put(const SeccompRule& rule, Document& object) {
  Add(object, "action", rule.action);
  if (!rule.arguments.empty()) {
    Document arguments = Document::array();
    auto& elements = arguments.get_ref<Document::array_t&>();
    elements.reserve(rule.arguments.size());
    for (const SeccompArgument& argument : rule.arguments) {
      Put(argument, elements.emplace_back(Document::value_t::object));
    }
    Add(object, "args", std::move(arguments));
  }
  if (rule.errno_return) Add(object, "errnoRet", *rule.errno_return);
  Add(object, "names", Array(rule.names));
}

}  // namespace

Status CheckSeccompOperators(const Document& document) {
  const Document* syscalls = Find(document, "linux", "seccomp", "syscalls");
  if (syscalls == nullptr) return {};
  for (const Document& rule : Elements(*syscalls)) {
    const Document* arguments = Find(rule, "args");
    if (arguments == nullptr) continue;
    for (const Document& argument : Elements(*arguments)) {
      const std::string op = Text(Find(argument, "op"));
      if (!OperatorOf(op)) {
        return Error{"/linux/seccomp/syscalls has the comparison operator \"" + op +
                     "\", which the OCI spec does not define"};
      }
    }
  }
  return {};
}

std::optional<SeccompFilter> Spec::seccomp() const {
  const Document* object = Find(*document_, "linux", "seccomp");
  if (object == nullptr) return std::nullopt;
  SeccompFilter filter;
  filter.default_action = Text(Find(*object, "defaultAction"));
  filter.default_errno_return = OptionalNumber(Find(*object, "defaultErrnoRet"));
  filter.architectures = Strings(Find(*object, "architectures"));
  if (const Document* flags = Find(*object, "flags")) filter.flags = Strings(flags);
  filter.listener_path = Text(Find(*object, "listenerPath"));
  filter.listener_metadata = Text(Find(*object, "listenerMetadata"));
  const Document* syscalls = Find(*object, "syscalls");
  if (syscalls == nullptr) return filter;
  filter.rules.reserve(Elements(*syscalls).size());
  for (const Document& entry : Elements(*syscalls)) filter.rules.push_back(RuleFrom(entry));
  return filter;
}

json::Value ToJson(const SeccompFilter& filter) {
  Document object = Document::object();
  if (!filter.architectures.empty()) Add(object, "architectures", Array(filter.architectures));
  Add(object, "defaultAction", filter.default_action);
  if (filter.default_errno_return) Add(object, "defaultErrnoRet", *filter.default_errno_return);
  if (filter.flags) Add(object, "flags", Array(*filter.flags));
  if (!filter.listener_metadata.empty()) Add(object, "listenerMetadata", filter.listener_metadata);
  if (!filter.listener_path.empty()) Add(object, "listenerPath", filter.listener_path);
  Document syscalls = Document::array();
  auto& elements = syscalls.get_ref<Document::array_t&>();
  elements.reserve(filter.rules.size());
  for (const SeccompRule& rule : filter.rules) {
    Put(rule, elements.emplace_back(Document::value_t::object));
  }
  Add(object, "syscalls", std::move(syscalls));
  return json::Value(std::move(object));
}

}  // namespace runclad::oci
