#include <algorithm>
#include <cstdint>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "tables.hpp"

namespace runclad::generate {
namespace {

using nlohmann::json;
using Strings = std::vector<std::string>;

// In the order of SeccompOperator.
constexpr std::pair<std::string_view, std::string_view> kOperators[] = {
    {"SCMP_CMP_NE", "kNotEqual"},          {"SCMP_CMP_LT", "kLess"},
    {"SCMP_CMP_LE", "kLessEqual"},         {"SCMP_CMP_EQ", "kEqual"},
    {"SCMP_CMP_GE", "kGreaterEqual"},      {"SCMP_CMP_GT", "kGreater"},
    {"SCMP_CMP_MASKED_EQ", "kMaskedEqual"}};

struct Argument {
  std::uint32_t index;
  std::size_t op;  // of kOperators
  std::uint64_t value;
  std::uint64_t value_two;
  auto operator<=>(const Argument&) const = default;  // NOLINT(modernize-use-nullptr)
};

struct Effect {
  std::string action;
  std::int64_t errno_return;
  std::vector<Argument> arguments;
  auto operator<=>(const Effect&) const = default;  // NOLINT(modernize-use-nullptr)
};

struct Gate {
  Strings needs_capabilities;
  Strings needs_architectures;
  Strings without_capabilities;
  Strings without_architectures;
  int kernel_major = 0;
  int kernel_minor = 0;
  auto operator<=>(const Gate&) const = default;  // NOLINT(modernize-use-nullptr)
};

// A misspelt member would open a gate without a word.
void OnlyMembers(const json& object, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::find(known, name) == known.end()) {
      throw std::runtime_error("unknown member \"" + name + "\"");
    }
  }
}

Argument ReadArgument(const json& object) {
  OnlyMembers(object, {"index", "value", "valueTwo", "op"});
  const auto* op = std::ranges::find(kOperators, object.at("op").get<std::string>(),
                                     &std::pair<std::string_view, std::string_view>::first);
  if (op == std::end(kOperators)) throw std::runtime_error("unknown operator");
  return {object.at("index"), static_cast<std::size_t>(op - kOperators), object.at("value"),
          object.value("valueTwo", std::uint64_t{0})};
}

Effect ReadEffect(const json& rule) {
  Effect effect{rule.at("action"), rule.value("errnoRet", std::int64_t{-1}), {}};
  for (const json& argument : rule.value("args", json::array())) {
    effect.arguments.push_back(ReadArgument(argument));
  }
  return effect;
}

Gate ReadGate(const json& rule) {
  Gate gate;
  const json includes = rule.value("includes", json::object());
  OnlyMembers(includes, {"caps", "arches", "minKernel"});
  gate.needs_capabilities = includes.value("caps", Strings());
  gate.needs_architectures = includes.value("arches", Strings());
  if (includes.contains("minKernel")) {
    const auto version = includes.at("minKernel").get<std::string>();
    const auto dot = version.find('.');
    gate.kernel_major = std::stoi(version);
    gate.kernel_minor = std::stoi(version.substr(dot + 1));
  }
  const json excludes = rule.value("excludes", json::object());
  OnlyMembers(excludes, {"caps", "arches"});
  gate.without_capabilities = excludes.value("caps", Strings());
  gate.without_architectures = excludes.value("arches", Strings());
  return gate;
}

std::string Quoted(std::string_view text) { return "\"" + std::string(text) + "\""; }

class Writer {
 public:
  // A named array of strings; an empty list needs none.
  std::string Array(const Strings& strings) {
    if (strings.empty()) return "{}";
    std::string elements;
    for (const std::string& text : strings) elements += Quoted(text) + ", ";
    return Define("ProfileName", elements);
  }

  std::string Array(const std::vector<Argument>& arguments) {
    if (arguments.empty()) return "{}";
    std::string elements;
    for (const Argument& argument : arguments) {
      elements += "{" + std::to_string(argument.index) + ", " + std::to_string(argument.value) +
                  "U, " + std::to_string(argument.value_two) +
                  "U, SeccompOperator::" + std::string(kOperators[argument.op].second) + "}, ";
    }
    return Define("SeccompArgument", elements);
  }

  std::string Define(std::string_view type, std::string_view elements) {
    std::string name = "kArray" + std::to_string(arrays_++);
    text_ +=
        "constexpr " + std::string(type) + " " + name + "[] = {" + std::string(elements) + "};\n";
    return name;
  }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
  int arrays_ = 0;
};

std::string GateText(const Gate& gate, Writer& writer) {
  return "{" + writer.Array(gate.needs_capabilities) + ", " +
         writer.Array(gate.needs_architectures) + ", " + writer.Array(gate.without_capabilities) +
         ", " + writer.Array(gate.without_architectures) + ", " +
         std::to_string(gate.kernel_major) + ", " + std::to_string(gate.kernel_minor) + "},\n";
}

template <typename T>
std::map<T, std::size_t> Numbered(const std::set<T>& all) {
  std::map<T, std::size_t> numbers;
  for (const T& one : all) numbers.emplace(one, numbers.size());
  if (numbers.size() > 256) throw std::runtime_error("more than 256 different conditions");
  return numbers;
}

std::string Tables(const json& profile) {
  OnlyMembers(profile, {"defaultAction", "defaultErrnoRet", "archMap", "syscalls"});
  std::set<Effect> effects;
  std::set<Gate> gates;
  for (const json& rule : profile.at("syscalls")) {
    OnlyMembers(rule, {"comment", "names", "action", "errnoRet", "args", "includes", "excludes"});
    effects.insert(ReadEffect(rule));
    gates.insert(ReadGate(rule));
  }
  const auto effect_numbers = Numbered(effects);
  const auto gate_numbers = Numbered(gates);
  std::set<std::tuple<std::string, std::size_t, std::size_t>> entries;
  for (const json& rule : profile.at("syscalls")) {
    for (const json& name : rule.at("names")) {
      entries.emplace(name, effect_numbers.at(ReadEffect(rule)), gate_numbers.at(ReadGate(rule)));
    }
  }

  Writer writer;
  std::string architecture_text;
  for (const json& entry : profile.at("archMap")) {
    architecture_text += "{" + Quoted(entry.at("architecture").get<std::string>()) + ", " +
                         writer.Array(entry.at("subArchitectures").get<Strings>()) + "},\n";
  }
  std::string gate_text;
  for (const Gate& gate : gates) gate_text += GateText(gate, writer);
  std::string effect_text;
  for (const Effect& effect : effects) {
    effect_text += "{" + Quoted(effect.action) + ", " + std::to_string(effect.errno_return) + ", " +
                   writer.Array(effect.arguments) + "},\n";
  }
  std::string entry_text;
  for (const auto& [name, effect, gate] : entries) {
    entry_text +=
        "{" + Quoted(name) + ", " + std::to_string(effect) + ", " + std::to_string(gate) + "},\n";
  }
  const std::string names = writer.Define("ProfileArchitecture", architecture_text) + ", " +
                            writer.Define("ProfileGate", gate_text) + ", " +
                            writer.Define("ProfileEffect", effect_text) + ", " +
                            writer.Define("ProfileEntry", entry_text);
  return "// Made from profiles/seccomp/default.json by src/generate/seccomp_tables.cpp.\n"
         "#include \"seccomp_profile.hpp\"\n\n"
         "namespace runclad::privilege {\nnamespace {\n\n" +
         writer.text() + "\nconstexpr ProfileTable kTable = {" +
         Quoted(profile.at("defaultAction").get<std::string>()) + ", " +
         std::to_string(profile.at("defaultErrnoRet").get<std::uint32_t>()) + ", " + names +
         "};\n\n}  // namespace\n\nconst ProfileTable& DefaultProfile() { return kTable; }\n\n"
         "}  // namespace runclad::privilege\n";
}

}  // namespace

std::string SeccompTables(const std::string& path) {
  std::ifstream file(path);
  return Tables(json::parse(file));
}

}  // namespace runclad::generate
