// Turns the policy profiles (JSON) into C++ tables, when runclad is built: the programs parse none.
//   profile_tables OUTPUT.cpp NAME PROFILE.json [NAME PROFILE.json …]
// Only the shape is checked here; what it means, tests hold against the reader of policy files.
#include <cstdio>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <tuple>

#include <nlohmann/json.hpp>

#include "runclad/base/sha256.hpp"

namespace {

using nlohmann::json;

class Writer {
 public:
  std::string Rules(const json& profile) {
    std::string rules;
    for (const auto& [id, settings] : profile.at("rules").items()) {
      std::string parameters;
      for (const auto& [name, value] : settings.items()) {
        if (name == "action") continue;
        parameters += "{" + json(name).dump() + ", " + Value(value) + "}, ";
      }
      rules += "{" + json(id).dump() + ", " + settings.at("action").dump() + ", " +
               Array("CompiledParameter", parameters) + "}, ";
    }
    return Array("CompiledRule", rules);
  }

  std::string Text(const std::string& text) {
    std::string name = "kText" + std::to_string(arrays_++);
    text_ += "constexpr std::string_view " + name + " = R\"json(" + text + ")json\";\n";
    return name;
  }

  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string Value(const json& value) {
    if (value.is_boolean()) return value.dump();
    if (value.is_string()) return "std::string_view(" + value.dump() + ")";
    if (value.is_number_integer()) return "std::int64_t{" + value.dump() + "}";
    if (!value.is_array()) throw std::runtime_error("no parameter is like " + value.dump());
    std::string lines;
    for (const json& element : value) lines += element.get<std::string>() + '\n';
    return "CompiledList{" + json(lines).dump() + "}";
  }

  std::string Array(const std::string& type, const std::string& elements) {
    if (elements.empty()) return "{}";
    std::string name = "kArray" + std::to_string(arrays_++);
    text_ += "constexpr " + type + " " + name + "[] = {" + elements + "};\n";
    return name;
  }

  std::string text_;
  int arrays_ = 0;
};

std::string ReadFile(const char* path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

// Of a profile that extends one before it, the whole of what it says.
json Extended(const json& profile, const std::map<std::string, json>& known) {
  if (!profile.contains("extends")) return profile;
  const auto base = known.find(profile.at("extends").get<std::string>());
  if (base == known.end()) throw std::runtime_error("a profile extends one that is not before it");
  json whole = base->second;
  for (const auto& [id, settings] : profile.at("rules").items()) {
    for (const auto& [name, value] : settings.items()) whole.at("rules").at(id).at(name) = value;
  }
  return whole;
}

std::string Profile(const std::string& name, const char* path, std::map<std::string, json>& known,
                    Writer& writer) {
  std::string text = ReadFile(path);
  const json profile = json::parse(text);
  const json& whole = known[name] = Extended(profile, known);
  if (profile.contains("extends")) text = whole.dump(2) + "\n";
  const std::string text_name = writer.Text(text);
  return "{" + json(name).dump() + ", " + text_name + ", " + json(runclad::Sha256(text)).dump() +
         ", " + writer.Rules(whole) + "},\n";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4 || argc % 2 != 0) {
    std::ignore = std::fputs("usage: profile_tables OUTPUT.cpp NAME PROFILE.json …\n", stderr);
    return 2;
  }
  try {
    Writer writer;
    std::string profiles;
    std::map<std::string, json> known;
    for (int i = 2; i < argc; i += 2) profiles += Profile(argv[i], argv[i + 1], known, writer);
    std::ofstream output(argv[1]);
    output << "// Made from profiles/*.json by src/generate/profile_tables.cpp.\n"
              "#include \"compiled_profile.hpp\"\n\nnamespace runclad::policy {\nnamespace {\n\n"
           << writer.text() << "constexpr CompiledProfile kProfiles[] = {\n"
           << profiles << "};\n\n}  // namespace\n\n"
           << "std::span<const CompiledProfile> CompiledProfiles() { return kProfiles; }\n\n"
              "}  // namespace runclad::policy\n";
    output.close();
    if (!output) throw std::runtime_error("cannot be written");
  } catch (const std::exception& exception) {
    std::ignore = std::fprintf(stderr, "%s: %s\n", argv[1], exception.what());
    return 1;
  }
  return 0;
}
