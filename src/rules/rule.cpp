#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <utility>

namespace runclad::rules {

Finding Propose(std::string path, json::Value value, std::string why) {
  return {std::move(path), Operation::kSet, {}, std::move(value), std::move(why)};
}

Finding ProposeInsert(std::string path, json::Value value, std::string why) {
  return {std::move(path), Operation::kInsert, {}, std::move(value), std::move(why)};
}

Finding ProposeRemove(std::string path, std::string why) {
  return {std::move(path), Operation::kRemove, {}, {}, std::move(why)};
}

Finding ProposeDefault(std::string path, json::Value value, std::string why) {
  Finding finding = Propose(std::move(path), std::move(value), std::move(why));
  finding.is_default = true;
  return finding;
}

Finding Refuse(std::string path, json::Value value, std::string why) {
  return {std::move(path), Operation::kNone, std::move(value), {}, std::move(why)};
}

Finding Note(std::string path, json::Value value, std::string why) {
  Finding finding = Refuse(std::move(path), std::move(value), std::move(why));
  finding.only_warns = true;
  return finding;
}

namespace {

Finding Coded(Finding finding, const Code& code, Remedy remedy) {
  finding.code = &code;
  finding.remedy = std::move(remedy);
  return finding;
}

}  // namespace

Finding Propose(const Code& code, std::string path, json::Value value, std::string why,
                Remedy remedy) {
  return Coded(Propose(std::move(path), std::move(value), std::move(why)), code, std::move(remedy));
}

Finding ProposeInsert(const Code& code, std::string path, json::Value value, std::string why,
                      Remedy remedy) {
  return Coded(ProposeInsert(std::move(path), std::move(value), std::move(why)), code,
               std::move(remedy));
}

Finding ProposeRemove(const Code& code, std::string path, std::string why, Remedy remedy) {
  return Coded(ProposeRemove(std::move(path), std::move(why)), code, std::move(remedy));
}

Finding ProposeDefault(const Code& code, std::string path, json::Value value, std::string why,
                       Remedy remedy) {
  return Coded(ProposeDefault(std::move(path), std::move(value), std::move(why)), code,
               std::move(remedy));
}

Finding Refuse(const Code& code, std::string path, json::Value value, std::string why,
               Remedy remedy) {
  return Coded(Refuse(std::move(path), std::move(value), std::move(why)), code, std::move(remedy));
}

Finding Note(const Code& code, std::string path, json::Value value, std::string why,
             Remedy remedy) {
  return Coded(Note(std::move(path), std::move(value), std::move(why)), code, std::move(remedy));
}

namespace {

// Docker's capabilities are findings of nearly every create: nothing is copied.
Remedy Settings(Remedy::Kind kind, std::string_view parameter, policy::Parameters::Value value) {
  Remedy remedy{.kind = kind};
  remedy.settings.push_back({.rule = {}, .parameter = parameter, .value = std::move(value)});
  return remedy;
}

}  // namespace

Remedy AddTo(std::string_view parameter, std::vector<std::string> values) {
  return Settings(Remedy::Kind::kSetting, parameter, std::move(values));
}

Remedy TakeFrom(std::string_view parameter, std::vector<std::string> values) {
  return Settings(Remedy::Kind::kWaiver, parameter, std::move(values));
}

Remedy SetTo(std::string_view parameter, policy::Parameters::Value value) {
  return Settings(Remedy::Kind::kSetting, parameter, std::move(value));
}

Remedy NoRemedy(std::string because) {
  return {.kind = Remedy::Kind::kNone, .because = std::move(because)};
}

Remedy AskEngine(std::string clause) {
  return {.kind = Remedy::Kind::kEngine, .because = std::move(clause)};
}

bool IsDenial(const Rule& rule, std::string_view parameter) {
  const auto found =
      std::ranges::find(rule.schema.parameters, parameter, &policy::ParameterSchema::name);
  return found != rule.schema.parameters.end() && found->merge == policy::Merge::kAccumulate;
}

}  // namespace runclad::rules
