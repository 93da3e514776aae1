#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <utility>

namespace runclad::rules {

namespace {

Finding Make(const Code& code, std::string path, Operation operation, std::string why,
             Remedy remedy) {
  Finding finding;
  finding.path = std::move(path);
  finding.operation = operation;
  finding.why = std::move(why);
  finding.code = &code;
  finding.remedy = std::move(remedy);
  return finding;
}

}  // namespace

Finding Propose(const Code& code, std::string path, json::Value value, std::string why,
                Remedy remedy) {
  Finding finding = Make(code, std::move(path), Operation::kSet, std::move(why), std::move(remedy));
  finding.after = std::move(value);
  return finding;
}

Finding ProposeInsert(const Code& code, std::string path, json::Value value, std::string why,
                      Remedy remedy) {
  Finding finding =
      Make(code, std::move(path), Operation::kInsert, std::move(why), std::move(remedy));
  finding.after = std::move(value);
  return finding;
}

Finding ProposeRemove(const Code& code, std::string path, std::string why, Remedy remedy) {
  return Make(code, std::move(path), Operation::kRemove, std::move(why), std::move(remedy));
}

Finding ProposeDefault(const Code& code, std::string path, json::Value value, std::string why,
                       Remedy remedy) {
  Finding finding =
      Propose(code, std::move(path), std::move(value), std::move(why), std::move(remedy));
  finding.is_default = true;
  return finding;
}

Finding Refuse(const Code& code, std::string path, json::Value value, std::string why,
               Remedy remedy) {
  Finding finding =
      Make(code, std::move(path), Operation::kNone, std::move(why), std::move(remedy));
  finding.before = std::move(value);
  return finding;
}

Finding Note(const Code& code, std::string path, json::Value value, std::string why,
             Remedy remedy) {
  Finding finding =
      Refuse(code, std::move(path), std::move(value), std::move(why), std::move(remedy));
  finding.only_warns = true;
  return finding;
}

namespace {

// Docker's capabilities are findings of nearly every create: nothing is copied.
Remedy Settings(Remedy::Kind kind, policy::ParameterName parameter,
                policy::Parameters::Value value) {
  Remedy remedy{.kind = kind};
  remedy.settings.push_back({.rule = {}, .parameter = parameter.text(), .value = std::move(value)});
  return remedy;
}

}  // namespace

Remedy AddTo(policy::ParameterName parameter, std::vector<std::string> values) {
  return Settings(Remedy::Kind::kSetting, parameter, std::move(values));
}

Remedy WaiveIn(policy::ParameterName parameter, std::vector<std::string> values) {
  Remedy remedy = Settings(Remedy::Kind::kWaiver, parameter, std::move(values));
  remedy.scope = Remedy::Scope::kImage;
  return remedy;
}

Remedy WaiveForPod(policy::ParameterName parameter, std::vector<std::string> values,
                   std::string pod_namespace) {
  Remedy remedy = Settings(Remedy::Kind::kWaiver, parameter, std::move(values));
  remedy.scope = Remedy::Scope::kPod;
  remedy.because = std::move(pod_namespace);
  return remedy;
}

Remedy TakeFrom(policy::ParameterName parameter, std::vector<std::string> values) {
  return WaiveIn(parameter, std::move(values));
}

Remedy SetTo(policy::ParameterName parameter, policy::Parameters::Value value) {
  return Settings(Remedy::Kind::kSetting, parameter, std::move(value));
}

Remedy NoRemedy(std::string because) {
  return {.kind = Remedy::Kind::kNone, .because = std::move(because)};
}

Remedy AskEngine(std::string clause) {
  return {.kind = Remedy::Kind::kEngine, .because = std::move(clause)};
}

Remedy TryIn(policy::ParameterName parameter, std::vector<std::string> values) {
  return Settings(Remedy::Kind::kTrial, parameter, std::move(values));
}

bool IsDenial(const Rule& rule, std::string_view parameter) {
  const auto found =
      std::ranges::find(rule.schema.parameters, parameter, &policy::ParameterSchema::name);
  return found != rule.schema.parameters.end() && found->merge == policy::Merge::kAccumulate;
}

}  // namespace runclad::rules
