#include "runclad/base/spelling.hpp"
#include "runclad/rules/rule.hpp"

#include "commands.hpp"

namespace runclad::ctl {

Result<policy::Effective> LoadPolicy(const std::optional<std::string>& config_directory) {
  return policy::Load(config_directory.value_or(std::string(policy::kDefaultConfigDirectory)),
                      rules::Schemas(), {.directory_must_exist = config_directory.has_value()});
}

Result<policy::Effective> LoadProfile(const std::string& name) {
  if (policy::Profile(name).empty()) return Error{"unknown profile " + Quoted(name)};
  return policy::Parse(R"({"extends": ")" + name + R"("})", "profile " + name, rules::Schemas());
}

}  // namespace runclad::ctl
