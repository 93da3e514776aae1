// Finds which of its grants a service needs, by taking them away until it fails.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::learn {

enum class GrantKind {
  kCapability,  // "CAP_CHOWN"
  kWritable,    // a writable directory of the image: "/var/cache/nginx"
  kPrograms,    // a writable directory from which programs can run: "/tmp"
};

struct Grant {
  GrantKind kind = GrantKind::kCapability;
  std::string value;

  [[nodiscard]] std::string text() const;  // "CAP_CHOWN", "writable /run", "programs in /tmp"
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 in it for a pointer
  friend auto operator<=>(const Grant&, const Grant&) = default;
};
using Grants = std::vector<Grant>;

// How the service did under some grants.
struct Verdict {
  bool lives = false;
  std::string symptom;  // of its failure: "first boot: exit 1: chown: Operation not permitted"
};
// Runs the service with exactly these grants, which are sorted. An error ends the whole search.
using Prover = std::function<Result<Verdict>(const Grants&)>;

struct Judged {
  Grant grant;
  bool is_needed = false;
  std::string symptom;  // if it is needed: how the service fails without it
  // First use of a capability: "chown(2) by /usr/sbin/nginx, first boot" or "not seen"; empty:
  // unknown.
  std::string seen = {};
};

// Every grant of `groups`, judged. The needed ones are a minimal set: without any one of them, the
// service fails. It is assumed that a service that fails without a grant also fails without this
// and another one. A group is taken away at once, and by halves if that fails, so grants that are
// probably not needed should share a group. Errors: the service fails with all grants, or `prove`
// fails.
Result<std::vector<Judged>> Minimise(const std::vector<Grants>& groups, const Prover& prove);

}  // namespace runclad::learn
