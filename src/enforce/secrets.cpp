#include "secrets.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/oci/secret_options.hpp"

namespace runclad::enforce {
namespace {

using json::Document;

constexpr std::string_view kHidden = "(hidden)";

// A comma in a password is written twice, so that an empty option after one continues it.
void HideIn(Document& options) {
  bool is_secret = false;     // the last option that is not empty
  bool is_continued = false;  // after an empty option
  for (Document& element : options) {
    auto* option = element.get_ptr<std::string*>();
    if (option == nullptr) continue;
    if (option->empty()) {
      is_continued = is_secret;
    } else if (is_continued) {
      *option = kHidden;
      is_continued = false;
    } else if (const auto at = oci::FindSecret(*option)) {
      option->replace(*at, std::string::npos, kHidden);
      is_secret = true;
    } else {
      is_secret = false;
    }
  }
}

// In a mount's options, a mount, or a list of mounts.
void Hide(Document& value) {
  if (value.is_string()) {
    Document one = Document::array({std::move(value)});
    HideIn(one);
    value = std::move(one.front());
  } else if (value.is_object()) {
    for (Document& member : value) Hide(member);
  } else if (value.is_array()) {
    HideIn(value);
    for (Document& element : value) {
      if (element.is_structured()) Hide(element);
    }
  }
}

}  // namespace

bool HasSecrets(const oci::Spec& spec) {
  return std::ranges::any_of(spec.mounts(), [](const oci::Mount& mount) {
    return std::ranges::any_of(mount.options, [](const std::string& option) {
      return option.find('=') != std::string::npos && oci::FindSecret(option).has_value();
    });
  });
}

json::Value WithoutSecrets(std::string_view path, json::Value value) {
  if (!path.starts_with("/mounts") || value.is_null()) return value;
  Document document = value.document();
  Hide(document);
  return json::Value(std::move(document));
}

}  // namespace runclad::enforce
