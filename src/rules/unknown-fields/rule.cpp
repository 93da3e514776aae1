// unknown-fields: fields that the lower runtime may act on and that no rule judges.
#include "runclad/rules/rule.hpp"

#include <algorithm>
#include <string>

#include "runclad/base/path.hpp"
#include "runclad/json/pointer.hpp"
#include "runclad/policy/table.hpp"

#include "rules/binding.hpp"

namespace runclad::rules {
namespace {

struct Parameters {
  policy::StringList refuse;
};

constexpr auto kParameters = policy::TableOf<Parameters>({
    {&Parameters::refuse,
     {.name = "refuse",
      .merge = policy::Merge::kAccumulate,
      .vocabulary = policy::Vocabulary::kAbsolutePath,
      .description = "JSON pointers of fields, known or unknown, that are refused; * matches each "
                     "index of an array"}},
});

constexpr Code kListed{"listed", "the field is on the list refuse"};
constexpr Code kUnknown{"unknown", "the runtime spec up to 1.3 does not have the field"};
constexpr Code kCodes[] = {kListed, kUnknown};

// The members that `pattern` names, "*" standing for each index of an array; none where there are
// none.
void AddMatches(const json::Document& document, const std::string& pattern,
                std::vector<std::string>& pointers) {
  const std::size_t star = pattern.find("/*");
  const std::size_t end = star + 2;
  if (star == std::string::npos || (end != pattern.size() && pattern[end] != '/')) {
    if (!json::Get(document, pattern).is_null()) pointers.push_back(pattern);
    return;
  }
  const std::string array = pattern.substr(0, star) + "/";
  for (std::size_t i = 0;; ++i) {
    const std::string element = array + std::to_string(i);
    if (json::Get(document, element).is_null()) return;
    AddMatches(document, element + pattern.substr(end), pointers);
  }
}

// Whether `pointer` is one of `listed` or below one.
bool IsCovered(const std::string& pointer, const std::vector<std::string>& listed) {
  return std::ranges::any_of(listed,
                             [&](const std::string& above) { return IsAtOrBelow(pointer, above); });
}

Findings Check(const oci::Spec& spec, const Context& context) {
  const json::Document& document = spec.document();
  std::vector<std::string> refused;
  Findings findings;
  for (const std::string& pattern : kParameters.Read(context.parameters).refuse) {
    const std::size_t first = refused.size();
    AddMatches(document, pattern, refused);
    for (std::size_t i = first; i < refused.size(); ++i) {
      // An empty list asks for nothing.
      if (json::Get(document, refused[i]) == json::Value::Array({})) continue;
      findings.push_back(Refuse(kListed, refused[i], json::Get(document, refused[i]),
                                "changes what the runtime does, and no rule judges it",
                                TakeFrom(kParameters[&Parameters::refuse], {pattern})));
    }
  }
  for (const std::string& pointer : spec.unknown_members()) {
    if (IsCovered(pointer, refused)) continue;
    // It passes as it is.
    findings.push_back(Note(kUnknown, pointer, json::Get(document, pointer),
                            "is not a field of the runtime spec up to 1.3"));
  }
  return findings;
}

constexpr std::string_view kPaths[] = {"/"};
constexpr policy::Action kActions[] = {policy::Action::kRefuse, policy::Action::kWarn,
                                       policy::Action::kOff};

}  // namespace

extern constinit const Rule kUnknownFields{
    .schema = {.id = "unknown-fields", .actions = kActions, .parameters = kParameters.schemas()},
    .title = "Unknown or unjudged fields",
    .rationale =
        "A runtime that is newer than runclad may act on fields that runclad does not know; they "
        "are logged. Some known fields that no other rule judges give power over the host, and no "
        "engine sets them unasked: host network devices, memory policies, CPU cache allocation. "
        "They are refused.",
    .way_out = "request the container without this field",
    .codes = kCodes,
    .benchmarks = {},
    .paths = kPaths,
    .scope = Scope::kProcess,
    .judges_updates = true,
    .check = Bind<Check>(),
};

}  // namespace runclad::rules
