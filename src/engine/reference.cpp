#include "runclad/engine/reference.hpp"

#include <algorithm>
#include <cstddef>

#include "runclad/base/spelling.hpp"

namespace runclad::engine {
namespace {

constexpr std::string_view kDockerHub = "docker.io";
constexpr std::string_view kOfficial = "library/";
constexpr std::size_t kMaxRepositoryBytes = 255;
constexpr std::size_t kMaxTagBytes = 128;

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f'); }
bool IsAlphanumeric(char c) { return IsLower(c) || IsUpper(c) || IsDigit(c); }

bool IsPort(std::string_view text) { return !text.empty() && std::ranges::all_of(text, IsDigit); }

// One label of a host name: letters, digits and, inside, hyphens.
bool IsHostLabel(std::string_view label) {
  return !label.empty() && IsAlphanumeric(label.front()) && IsAlphanumeric(label.back()) &&
         std::ranges::all_of(label, [](char c) { return IsAlphanumeric(c) || c == '-'; });
}

// "registry.example:5000", "[::1]:5000"
bool IsDomain(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    const bool is_address = std::ranges::all_of(
        text.substr(1, end - 1), [](char c) { return IsHex(c) || IsUpper(c) || c == ':'; });
    const std::string_view rest = text.substr(end + 1);
    return is_address && (rest.empty() || (rest.front() == ':' && IsPort(rest.substr(1))));
  }
  if (const std::size_t colon = text.find(':'); colon != std::string_view::npos) {
    if (!IsPort(text.substr(colon + 1))) return false;
    text = text.substr(0, colon);
  }
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('.', start), text.size());
    if (!IsHostLabel(text.substr(start, end - start))) return false;
    start = end + 1;
  }
  return true;
}

// Lower-case letters and digits, with single ".", one or two "_" or any number of "-" between.
bool IsPathComponent(std::string_view text) {
  const auto is_word = [](char c) { return IsLower(c) || IsDigit(c); };
  if (text.empty() || !is_word(text.front()) || !is_word(text.back())) return false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t word =
        std::min(static_cast<std::size_t>(std::find_if_not(text.begin() + at, text.end(), is_word) -
                                          text.begin()),
                 text.size());
    const std::size_t next = static_cast<std::size_t>(
        std::find_if(text.begin() + word, text.end(), is_word) - text.begin());
    const std::string_view between = text.substr(word, next - word);
    const bool is_separator = between.empty() || between == "." || between == "_" ||
                              between == "__" ||
                              between.find_first_not_of('-') == std::string_view::npos;
    if (!is_separator) return false;
    at = next;
  }
  return true;
}

bool IsPath(std::string_view text) {
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find('/', start), text.size());
    if (!IsPathComponent(text.substr(start, end - start))) return false;
    start = end + 1;
  }
  return true;
}

bool IsTag(std::string_view text) {
  const auto is_word = [](char c) { return IsAlphanumeric(c) || c == '_'; };
  return !text.empty() && text.size() <= kMaxTagBytes && is_word(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return is_word(c) || c == '.' || c == '-'; });
}

// Whether the first component of a name is a registry and not a user of Docker Hub.
bool NamesRegistry(std::string_view component) {
  return component == "localhost" || component.find_first_of(".:[") != std::string_view::npos ||
         std::ranges::any_of(component, IsUpper);
}

}  // namespace

std::string Reference::text() const {
  std::string text = repository;
  if (!tag.empty()) text += ':' + tag;
  if (!digest.empty()) text += '@' + digest;
  return text;
}

bool IsSha256Digest(std::string_view text) {
  constexpr std::string_view kAlgorithm = "sha256:";
  constexpr std::size_t kDigits = 64;
  return text.starts_with(kAlgorithm) && text.size() == kAlgorithm.size() + kDigits &&
         std::ranges::all_of(text.substr(kAlgorithm.size()), IsHex);
}

Result<Reference> ParseReference(std::string_view text) {
  const auto fault = [text](std::string_view why) {
    return Error{Quoted(text) + " is not an image reference: " + std::string(why)};
  };
  Reference reference;
  std::string_view name = text;
  if (const std::size_t at = name.find('@'); at != std::string_view::npos) {
    reference.digest = name.substr(at + 1);
    name = name.substr(0, at);
    if (!IsSha256Digest(reference.digest)) {
      return fault("the digest is not sha256: followed by 64 lower-case hexadecimal digits");
    }
  }
  const std::size_t last_slash = name.rfind('/');
  const std::size_t colon = name.find(':', last_slash == std::string_view::npos ? 0 : last_slash);
  if (colon != std::string_view::npos) {
    reference.tag = name.substr(colon + 1);
    name = name.substr(0, colon);
    if (!IsTag(reference.tag)) return fault("the tag is malformed");
  }
  const std::size_t slash = name.find('/');
  std::string_view domain = kDockerHub;
  std::string_view path = name;
  if (slash != std::string_view::npos && NamesRegistry(name.substr(0, slash))) {
    domain = name.substr(0, slash);
    path = name.substr(slash + 1);
    // Docker's own older name of its hub.
    if (domain == "index.docker.io") domain = kDockerHub;
  }
  if (!IsDomain(domain)) return fault("the registry is not a host name");
  if (!IsPath(path)) {
    return fault(
        "a repository name consists of lower-case letters and digits, separated by . _ or -");
  }
  reference.repository = domain;
  reference.repository += '/';
  if (domain == kDockerHub && path.find('/') == std::string_view::npos) {
    reference.repository += kOfficial;
  }
  reference.repository += path;
  if (reference.repository.size() > kMaxRepositoryBytes) return fault("it is too long");
  return reference;
}

}  // namespace runclad::engine
