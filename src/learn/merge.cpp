#include "runclad/learn/merge.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "runclad/json/reader.hpp"
#include "runclad/learn/minimise.hpp"
#include "runclad/rules/parameters.hpp"

#include "image_file.hpp"

namespace runclad::learn {
namespace {

using json::Document;

struct List {
  const rules::ParameterPlace& place;
  GrantKind kind;
};
constexpr std::array<List, 3> kLists = {{
    {rules::kAllowedCapabilities, GrantKind::kCapability},
    {rules::kWritablePaths, GrantKind::kWritable},
    {rules::kExecPaths, GrantKind::kPrograms},
}};

Result<std::set<std::string>> Strings(const Document& list, const std::string& name) {
  std::set<std::string> strings;
  if (!list.is_array()) return Error{name + " is not a list"};
  for (const Document& element : list) {
    if (!element.is_string()) return Error{name + " has an element that is not a string"};
    strings.insert(element.get<std::string>());
  }
  return strings;
}

class Union {
 public:
  Status Add(const std::string& file, const std::string& text) {
    const auto document = json::Read(text, {.comments = true});
    if (!document) return document.error();
    if (!document->is_object()) return Error{"it is not an object"};
    for (const auto& [member, value] : document->items()) {
      Status added;
      if (member == "rules") {
        added = AddRules(file, value);
      } else if (member == "digests") {
        const auto digests = Strings(value, member);
        if (!digests) return digests.error();
        digests_.insert(digests->begin(), digests->end());
      } else if (member == "provenance" && value.is_string()) {
        provenances_.emplace_back(file, value.get<std::string>());
      } else {
        return Error{"its member \"" + member + "\" cannot be merged"};
      }
      if (!added) return added;
    }
    return {};
  }

  Merged Finish() const {
    Merged merged;
    std::vector<Judged> judged;
    std::string provenance = "runcladctl learn --merge";
    for (const auto& [grant, files] : origins_) {
      judged.push_back({grant, true, {}, {}});
      merged.lines.push_back({grant.text(), {files.begin(), files.end()}});
      provenance += "; " + grant.text() + ": ";
      for (const std::string& file : files)
        provenance += (file == *files.begin() ? "" : ", ") + file;
    }
    for (const auto& [file, text] : provenances_) provenance += "; " + file + ": " + text;
    merged.image_file = ImageFileText(judged, {digests_.begin(), digests_.end()}, provenance);
    return merged;
  }

 private:
  Status AddRules(const std::string& file, const Document& rules) {
    if (!rules.is_object()) return Error{"its rules are not an object"};
    for (const auto& [rule, parameters] : rules.items()) {
      if (!parameters.is_object()) return Error{"its rule " + rule + " is not an object"};
      for (const auto& [parameter, values] : parameters.items()) {
        const std::string name = rule + "." + parameter;
        const auto* list = std::find_if(kLists.begin(), kLists.end(), [&](const List& known) {
          return known.place.rule() + "." + known.place.parameter() == name;
        });
        if (list == kLists.end()) return Error{name + " cannot be merged"};
        const auto strings = Strings(values, name);
        if (!strings) return strings.error();
        for (const std::string& value : *strings) origins_[{list->kind, value}].insert(file);
      }
    }
    return {};
  }

  std::map<Grant, std::set<std::string>> origins_;
  std::set<std::string> digests_;
  std::vector<std::pair<std::string, std::string>> provenances_;
};

}  // namespace

Result<Merged> MergeImageFiles(const std::vector<std::pair<std::string, std::string>>& files) {
  Union all;
  for (const auto& [name, text] : files) {
    if (auto added = all.Add(name, text); !added) return added.error().In(name);
  }
  return all.Finish();
}

}  // namespace runclad::learn
