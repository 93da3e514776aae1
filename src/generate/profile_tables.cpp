// Only the shape of a profile is checked here; what it means, tests hold against the reader of
// policy files.
#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>

#include "runclad/base/sha256.hpp"

#include "tables.hpp"

namespace runclad::generate {
namespace {

using nlohmann::json;

// As a part of a line, which ends where a tab or a newline stands.
std::string Plain(const json& value) {
  std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  const auto may_end_it = [](unsigned char c) { return c <= '\n'; };
  if (value.is_structured() || std::ranges::any_of(text, may_end_it)) {
    throw std::runtime_error("no parameter is like " + value.dump());
  }
  return text;
}

// A list of one empty string would look like an empty list.
std::string Element(const json& value) {
  if (value == "") throw std::runtime_error("no list has an empty element");
  return Plain(value);
}

// The lines of compiled_profile.hpp.
std::string Rules(const json& profile) {
  std::string lines;
  for (const auto& [id, settings] : profile.at("rules").items()) {
    lines += Plain(id) + '\t' + Plain(settings.at("action")) + '\n';
    for (const auto& [name, value] : settings.items()) {
      if (name == "action") continue;
      lines += '\t' + Plain(name);
      if (value.is_array()) {
        for (const json& element : value) lines += '\t' + Element(element);
      } else {
        lines += '\t' + Plain(value);
      }
      lines += '\n';
    }
  }
  return lines;
}

std::string ReadFile(const std::string& path) {
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

std::string Profile(const std::string& name, const std::string& path,
                    std::map<std::string, json>& known) {
  std::string text = ReadFile(path);
  const json profile = json::parse(text);
  const json& whole = known[name] = Extended(profile, known);
  if (profile.contains("extends")) text = whole.dump(2) + "\n";
  return "{" + json(name).dump() + ", R\"json(" + text + ")json\", " + json(Sha256(text)).dump() +
         ", " + json(Rules(whole)).dump() + "},\n";
}

}  // namespace

std::string ProfileTables(const std::vector<NamedFile>& files) {
  std::string profiles;
  std::map<std::string, json> known;
  for (const NamedFile& file : files) profiles += Profile(file.name, file.path, known);
  return "// Made from profiles/*.json by src/generate/profile_tables.cpp.\n"
         "#include \"compiled_profile.hpp\"\n\nnamespace runclad::policy {\nnamespace {\n\n"
         "constexpr CompiledProfile kProfiles[] = {\n" +
         profiles +
         "};\n\n}  // namespace\n\n"
         "std::span<const CompiledProfile> CompiledProfiles() { return kProfiles; }\n\n"
         "}  // namespace runclad::policy\n";
}

}  // namespace runclad::generate
