#include "value.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include <nlohmann/json.hpp>

#include "runclad/base/id_range.hpp"
#include "runclad/base/spelling.hpp"
#include "runclad/engine/reference.hpp"
#include "runclad/privilege/capabilities.hpp"
#include "runclad/privilege/denied_call.hpp"
#include "runclad/privilege/socket_families.hpp"
#include "runclad/privilege/syscalls.hpp"

namespace runclad::policy {
namespace {

using json::Document;

std::string UnknownCapability(const std::string& name) {
  // Compared without the prefix, which people leave out and which makes short names look alike.
  constexpr std::string_view kPrefix = "CAP_";
  std::vector<std::string_view> known;
  for (const std::string_view capability : privilege::AllCapabilities()) {
    known.push_back(capability.substr(kPrefix.size()));
  }
  std::string_view bare = name;
  if (bare.starts_with(kPrefix) || bare.starts_with("cap_")) bare.remove_prefix(kPrefix.size());
  const std::string_view nearest = Nearest(bare, known);
  return "unknown capability " + Quoted(name) +
         (nearest.empty() ? "" : "; did you mean " + Quoted(nearest) + "?");
}

std::string UnknownFamily(const std::string& name) {
  constexpr std::string_view kPrefix = "AF_";
  std::string bare = name;
  std::ranges::transform(bare, bare.begin(), [](unsigned char c) { return std::toupper(c); });
  if (bare.starts_with(kPrefix)) bare.erase(0, kPrefix.size());
  std::vector<std::string_view> known;
  for (const std::string_view family : privilege::kFamilyNames) {
    known.push_back(family.substr(kPrefix.size()));
  }
  const std::string_view nearest = Nearest(bare, known);
  return "unknown address family " + Quoted(name) +
         (nearest.empty() ? "" : "; did you mean " + Quoted(nearest) + "?");
}

// "c 10:229", "b 8:*"
bool LooksLikeDevice(std::string_view text) {
  const auto is_number = [](std::string_view number) {
    return number == "*" || (!number.empty() && number.size() <= 9 &&
                             number.find_first_not_of("0123456789") == std::string_view::npos);
  };
  const std::size_t colon = text.find(':');
  return (text.starts_with("c ") || text.starts_with("b ")) && colon != std::string_view::npos &&
         is_number(text.substr(2, colon - 2)) && is_number(text.substr(colon + 1));
}

bool LooksLikeUserAndGroup(std::string_view text) {
  const auto both = ParseUserAndGroup(text);
  return both && both->uid != 0 && both->gid != 0;
}

// "bind /var/log ro", "nfs4 server:/export vers=4.2": the type, the source and, for a bind, the
// mode or otherwise the options, as they are asked for.
std::string WhyNotMount(std::string_view text) {
  const std::size_t first = text.find(' ');
  const std::size_t second = text.find(' ', std::min(first, text.size() - 1) + 1);
  const bool has_three = first != std::string_view::npos && first > 0 &&
                         second != std::string_view::npos && second > first + 1 &&
                         second + 1 < text.size() &&
                         text.find(' ', second + 1) == std::string_view::npos;
  const std::string wrong =
      Quoted(text) +
      R"( is not a mount such as "bind /var/log ro" or "nfs4 host:/export vers=4.2")";
  if (!has_three) return wrong;
  if (text.substr(0, first) != "bind") return {};
  const std::string_view mode = text.substr(second + 1);
  if (mode != "ro" && mode != "rw") return wrong;
  return WhyNotAbsolute(text.substr(first + 1, second - first - 1));
}

// "nginx" → "docker.io/library/nginx", "ghcr.io/me/*" and a digest as they are.
std::string CanonicalizeImage(std::string& text) {
  if (engine::IsSha256Digest(text)) return {};
  constexpr std::string_view kAll = "/*";
  if (text.ends_with(kAll)) {
    // Two components, so that Docker Hub's own "library" is not put in between.
    constexpr std::string_view kAny = "any/image";
    const auto below = engine::ParseReference(text.substr(0, text.size() - 1).append(kAny));
    if (!below) return Quoted(text) + " is not a registry or repository followed by /*";
    text = below->repository.substr(0, below->repository.size() - kAny.size()) + "*";
    return {};
  }
  const auto reference = engine::ParseReference(text);
  if (!reference) return reference.error().message;
  text = reference->text();
  return {};
}

// A system call with arguments. The fault, empty if there is none; no value: it has no arguments.
std::optional<std::string> CanonicalizeDeniedCall(std::string& text) {
  const std::size_t space = text.find(' ');
  if (space == std::string::npos || !privilege::IsSyscallName(text.substr(0, space))) {
    return std::nullopt;
  }
  const auto call = privilege::ParseDeniedCall(text);
  if (!call) return call.error().message;
  text = privilege::ToText(*call);
  return std::string();
}

class ValueReader {
 public:
  ValueReader(const ValueFormat& format, const std::string& pointer,
              std::vector<LayerFault>& faults)
      : format_(format), pointer_(pointer), faults_(faults) {}

  std::optional<Parameters::Value> Read(const Document& value) {
    switch (format_.schema.type) {
      case ParameterType::kStrings:
        return ReadStrings(value);
      case ParameterType::kInteger:
        return ReadInteger(value);
      case ParameterType::kText:
        if (!value.is_string()) return WrongType("a string", value);
        return ReadText(value.get_ref<const std::string&>(), pointer_);
      case ParameterType::kBoolean:
        if (!value.is_boolean()) return WrongType("true or false", value);
        return value.get<bool>();
    }
    return std::nullopt;
  }

 private:
  std::optional<Parameters::Value> ReadStrings(const Document& value) {
    if (!value.is_array()) return WrongType("a list of strings", value);
    std::vector<std::string> texts;
    texts.reserve(value.size());
    bool is_sound = true;
    for (const Document& element : value) {
      const auto* text = element.get_ptr<const std::string*>();
      if (text == nullptr) {
        is_sound = false;
        Fail(ElementPointer(value, element),
             " must be a list of strings; this element is " + TypeName(element));
        continue;
      }
      std::string canonical = *text;
      std::string fault = Canonicalize(canonical);
      const Futile& futile = format_.schema.futile;
      const bool is_futile = (format_.is_lint || futile.at_load) && canonical == futile.value;
      if (fault.empty() && is_futile) {
        fault = ": " + Quoted(canonical) + " " + std::string(futile.because);
      }
      if (fault.empty()) {
        texts.push_back(std::move(canonical));
        continue;
      }
      is_sound = false;
      Fail(ElementPointer(value, element), fault);
    }
    if (!is_sound) return std::nullopt;
    return texts;
  }

  std::optional<Parameters::Value> ReadInteger(const Document& value) {
    const ParameterSchema& schema = format_.schema;
    if (const auto* word = value.get_ptr<const std::string*>(); word != nullptr) {
      const auto meant = IntegerOf(schema, *word);
      if (meant && *meant >= schema.minimum && *meant <= schema.maximum) return *meant;
      if (schema.has_unlimited) {
        Fail(pointer_, " must be a number or \"unlimited\", not " + Quoted(*word));
        return std::nullopt;
      }
      if (schema.is_octal) {
        Fail(pointer_, " must be octal digits such as \"0027\", not " + Quoted(*word));
        return std::nullopt;
      }
    }
    if (!value.is_number_integer()) return WrongType("a number", value);
    // The maximum itself is only said by its word.
    const std::int64_t maximum = schema.maximum - (schema.has_unlimited ? 1 : 0);
    const bool is_too_large = value.is_number_unsigned()
                                  ? value.get<std::uint64_t>() > static_cast<std::uint64_t>(maximum)
                                  : value.get<std::int64_t>() > maximum;
    if (is_too_large) {
      Fail(pointer_, " must be at most " + std::to_string(maximum) +
                         (schema.has_unlimited ? ", or \"unlimited\"" : ""));
      return std::nullopt;
    }
    const auto integer = value.get<std::int64_t>();
    if (integer < schema.minimum) {
      Fail(pointer_, " must be at least " + std::to_string(schema.minimum));
      return std::nullopt;
    }
    return integer;
  }

  std::optional<Parameters::Value> ReadText(std::string text, const std::string& pointer) {
    const std::string fault = Canonicalize(text);
    if (fault.empty()) return text;
    Fail(pointer, fault);
    return std::nullopt;
  }

  // Converts `text` to the form that rules read; if it is malformed, returns what a sentence says
  // of the parameter.
  std::string Canonicalize(std::string& text) const {
    if (format_.schema.vocabulary == Vocabulary::kChoice) {
      const auto choices = format_.schema.choices;
      if (std::ranges::find(choices, text) != choices.end()) return {};
      return " is " + Alternatives(choices) + ", not " + Quoted(text) + Suggestion(text, choices);
    }
    const std::string why = CanonicalizeWord(text);
    return why.empty() ? why : ": " + why;
  }

  // The same for every vocabulary but a choice; returns a sentence.
  std::string CanonicalizeWord(std::string& text) const {
    switch (format_.schema.vocabulary) {
      case Vocabulary::kAny:
      case Vocabulary::kChoice:
        return {};
      case Vocabulary::kCapability: {
        std::optional<std::string> canonical = privilege::CanonicalCapability(text);
        if (!canonical) return UnknownCapability(text);
        text = *std::move(canonical);
        return {};
      }
      case Vocabulary::kSyscall:
        // runc ignores a name that it does not know, so that a misspelt one would deny nothing.
        // Lists that deny take an address family of sockets, and arguments, too.
        if (format_.schema.merge == Merge::kAccumulate && text.starts_with("AF_") &&
            privilege::CanonicalFamily(text) == text) {
          return {};
        }
        if (format_.schema.merge == Merge::kAccumulate) {
          if (std::optional<std::string> fault = CanonicalizeDeniedCall(text)) return *fault;
        }
        return privilege::IsSyscallName(text) ? "" : "unknown system call " + Quoted(text);
      case Vocabulary::kAbsolutePath:
        return WhyNotAbsolute(text);
      case Vocabulary::kDevice:
        return LooksLikeDevice(text) ? "" : Quoted(text) + R"( is not a device such as "c 10:229")";
      case Vocabulary::kIdRange:
        return ParseIdRange(text)
                   ? ""
                   : Quoted(text) +
                         R"( is neither an id such as "1000" nor a range such as "1000-65535")";
      case Vocabulary::kUserAndGroup:
        return LooksLikeUserAndGroup(text)
                   ? ""
                   : Quoted(text) + R"( is not a non-root user and group such as "1000:1000")";
      case Vocabulary::kImage:
        return CanonicalizeImage(text);
      case Vocabulary::kSocketFamily: {
        std::optional<std::string> canonical = privilege::CanonicalFamily(text);
        if (!canonical) return UnknownFamily(text);
        text = *std::move(canonical);
        return {};
      }
      case Vocabulary::kMount:
        return text.empty() ? Quoted(text) + " is not a mount" : WhyNotMount(text);
    }
    return {};
  }

  std::optional<Parameters::Value> WrongType(std::string_view wanted, const Document& value) {
    Fail(pointer_, " must be " + std::string(wanted) + ", not " + TypeName(value));
    return std::nullopt;
  }

  [[nodiscard]] std::string ElementPointer(const Document& list, const Document& element) const {
    const Document* first = &list.front();
    return pointer_ + "/" + std::to_string(&element - first);
  }

  // `what` follows the parameter's name: " must be a number", ": \"x\" is not …".
  void Fail(std::string pointer, const std::string& what) {
    const std::string name =
        "\"" + std::string(format_.rule) + "/" + std::string(format_.schema.name) + "\"";
    faults_.push_back({std::move(pointer), name + what});
  }

  const ValueFormat& format_;
  const std::string& pointer_;
  std::vector<LayerFault>& faults_;
};

}  // namespace

std::optional<Parameters::Value> ReadValue(const Document& value, const ValueFormat& format,
                                           const std::string& pointer,
                                           std::vector<LayerFault>& faults) {
  return ValueReader(format, pointer, faults).Read(value);
}

std::string WhyNotAbsolute(std::string_view path) {
  if (!path.starts_with('/')) return Quoted(path) + " is not an absolute path";
  for (std::size_t start = 0; start < path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string_view component = path.substr(start, end - start);
    if (component == "." || component == "..") {
      return Quoted(path) + " must be written without \".\" and \"..\"";
    }
    start = end + 1;
  }
  return {};
}

std::string TypeName(const Document& value) {
  switch (value.type()) {
    case Document::value_t::null:
      return "null";
    case Document::value_t::object:
      return "an object";
    case Document::value_t::array:
      return "a list";
    case Document::value_t::string:
      return "a string";
    case Document::value_t::boolean:
      return value.get<bool>() ? "true" : "false";
    default:
      return "a number";
  }
}

}  // namespace runclad::policy
