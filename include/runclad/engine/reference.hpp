// An image's name in canonical form.
#pragma once

#include <string>
#include <string_view>

#include "runclad/base/result.hpp"

namespace runclad::engine {

struct Reference {
  std::string repository;  // "docker.io/library/nginx": a domain and at least one more component
  std::string tag;         // "1.27"; empty when the reference names none
  std::string digest;      // "sha256:…"; empty when the reference names none

  // "docker.io/library/nginx:1.27"
  [[nodiscard]] std::string text() const;
  friend bool operator==(const Reference&, const Reference&) = default;
};

// Reads `text` as Docker does (docs: distribution/reference): "nginx" is docker.io/library/nginx,
// "me/app" docker.io/me/app, "localhost/app" and "host:5000/app" name a registry. No tag is added.
// The repository of a reference that parses is a path without "..", empty components or bytes
// other than a-z 0-9 . _ - : (and A-Z, [ ] in the domain). Errors quote what was given.
Result<Reference> ParseReference(std::string_view text);

// Whether `text` is "sha256:" and 64 lower-case hexadecimal digits.
bool IsSha256Digest(std::string_view text);

}  // namespace runclad::engine
