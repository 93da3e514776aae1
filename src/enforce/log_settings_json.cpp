#include "log_settings_json.hpp"

#include <array>
#include <utility>

#include <nlohmann/json.hpp>

namespace runclad::enforce {
namespace {

using json::Document;

// The member, if it is there with this type. Without at() and value(), whose errors have tables
// that every start of the program would relocate.
template <typename Value>
const Value* Find(const Document& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : found->template get_ptr<const Value*>();
}

const std::string* TextOf(const Document& object, const char* name) {
  return Find<std::string>(object, name);
}

// The value of `Enum` with this name.
template <typename Enum, std::size_t kCount>
std::optional<Enum> Named(const std::array<Enum, kCount>& values, const std::string* name) {
  for (const Enum value : values) {
    if (name != nullptr && policy::Name(value) == *name) return value;
  }
  return std::nullopt;
}

constexpr std::array kLevels = {policy::LogLevel::kInfo, policy::LogLevel::kNotice,
                                policy::LogLevel::kWarning};
constexpr std::array kFormats = {policy::LogFormat::kJson, policy::LogFormat::kFalco,
                                 policy::LogFormat::kOcsf};

}  // namespace

void Put(const policy::LogSettings& settings, json::ObjectWriter& text) {
  // As LogSettings has them; an object of it would cost every create its construction.
  constexpr std::int64_t kUsualKeep = 10;
  constexpr std::int64_t kUsualMegabytes = 100;
  if (settings.forward) {
    text.PutObject("forward", [&](json::ObjectWriter& forward) {
      forward.Put("format", policy::Name(settings.forward->format))
          .Put("target", settings.forward->target);
    });
  }
  if (settings.keep != kUsualKeep) text.Put("keep", settings.keep);
  if (settings.level != policy::LogLevel::kInfo) text.Put("level", policy::Name(settings.level));
  if (settings.max_megabytes != kUsualMegabytes) {
    text.Put("maxMegabytes", settings.max_megabytes);
  }
  text.Put("required", settings.required).Put("target", settings.target);
}

Result<policy::LogSettings> LogSettingsFrom(const Document& document) {
  const Error wrong{"has the wrong type for log"};
  policy::LogSettings settings;
  const auto* target = TextOf(document, "target");
  const auto* required = Find<Document::boolean_t>(document, "required");
  if (target == nullptr || required == nullptr) return wrong;
  settings.target = *target;
  settings.required = *required;
  for (const auto& [name, number] :
       {std::pair("keep", &settings.keep), std::pair("maxMegabytes", &settings.max_megabytes)}) {
    if (!document.contains(name)) continue;
    const auto* value = Find<Document::number_unsigned_t>(document, name);
    if (value == nullptr) return wrong;
    *number = static_cast<std::int64_t>(*value);
  }
  if (document.contains("level")) {
    const auto level = Named(kLevels, TextOf(document, "level"));
    if (!level) return Error{"has an unknown level of the log"};
    settings.level = *level;
  }
  if (const auto forward = document.find("forward"); forward != document.end()) {
    const auto format = Named(kFormats, TextOf(*forward, "format"));
    const auto* other = TextOf(*forward, "target");
    if (!format || other == nullptr) return Error{"has an unknown format of the log"};
    settings.forward = {*format, *other};
  }
  return settings;
}

}  // namespace runclad::enforce
