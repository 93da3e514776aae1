#include "secrets.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/path.hpp"
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

void HideInSource(std::string& source) {
  if (const auto at = oci::FindCredentials(source)) source.replace(at->begin, at->bytes, kHidden);
}

// In a mount's options, a mount, or a list of mounts.
void HideInMounts(Document& value) {
  if (value.is_object()) {
    for (auto& [name, member] : value.items()) {
      if (name == "source" && member.is_string()) {
        HideInSource(member.get_ref<std::string&>());
      } else {
        HideInMounts(member);
      }
    }
  } else if (value.is_array()) {
    HideIn(value);
    for (Document& element : value) {
      if (element.is_structured()) HideInMounts(element);
    }
  }
}

void HideInOption(Document& option) {
  Document one = Document::array({std::move(option)});
  HideIn(one);
  option = std::move(one.front());
}

// Every string, however deep.
void HideAll(Document& value) {
  if (value.is_string()) value = kHidden;
  if (!value.is_structured()) return;
  for (Document& inner : value) HideAll(inner);
}

}  // namespace

bool HasSecrets(const oci::Spec& spec) {
  const bool is_in_mounts = std::ranges::any_of(spec.mounts(), [](const oci::Mount& mount) {
    return oci::FindCredentials(mount.source).has_value() ||
           std::ranges::any_of(mount.options, [](const std::string& option) {
             return option.find('=') != std::string::npos && oci::FindSecret(option).has_value();
           });
  });
  return is_in_mounts || spec.document().contains("annotations");
}

json::Value WithoutSecrets(std::string_view path, json::Value value) {
  const bool is_annotation = IsAtOrBelow(path, "/annotations");
  if (!(is_annotation || IsAtOrBelow(path, "/mounts")) || value.is_null()) return value;
  Document document = value.document();
  if (is_annotation) {
    HideAll(document);
  } else if (!document.is_string()) {
    HideInMounts(document);
  } else if (path.ends_with("/source")) {
    HideInSource(document.get_ref<std::string&>());
  } else if (path.find("/options") != std::string_view::npos) {
    HideInOption(document);
  }
  return json::Value(std::move(document));
}

}  // namespace runclad::enforce
