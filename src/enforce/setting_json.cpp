#include "setting_json.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <nlohmann/json.hpp>

namespace runclad::enforce {
namespace {

using json::Document;
using policy::Parameters;

std::optional<policy::Action> ActionNamed(std::string_view name) {
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

}  // namespace

void Put(const policy::RuleSetting& setting, json::ObjectWriter& text) {
  text.Put("action", policy::Name(setting.action))
      .PutObject("parameters", [&](json::ObjectWriter& parameters) {
        for (const auto& [name, value] : setting.parameters.all()) {
          std::visit([&, &key = name](const auto& plain) { parameters.Put(key, plain); }, value);
        }
      });
}

Result<policy::RuleSetting> SettingFrom(const Document& document) {
  const auto name = document.find("action");
  if (name == document.end()) return Error{"has no action"};
  if (!name->is_string()) return Error{"has the wrong type for action"};
  const auto action = ActionNamed(name->get_ref<const std::string&>());
  if (!action) return Error{"has the unknown action " + name->get<std::string>()};
  policy::RuleSetting setting{*action, {}};
  const auto parameters = document.find("parameters");
  if (parameters == document.end()) return Error{"has no parameters"};
  for (const auto& [parameter, value] : parameters->items()) {
    auto read = ParameterFrom(value);
    if (!read) return Error{"has the wrong type for " + parameter};
    setting.parameters.Set(parameter, *std::move(read));
  }
  return setting;
}

}  // namespace runclad::enforce
