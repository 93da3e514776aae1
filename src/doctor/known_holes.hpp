// Holes of lower runtimes that let a container reach the host, by version.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace runclad::doctor {

struct KnownHole {
  std::string_view kind;  // "runc"
  std::string_view cve;
  std::string_view what;
  std::vector<std::string_view> fixed;  // the first version of each branch that has the fix
};

// Those of 2024 to 2026.
const std::vector<KnownHole>& KnownHoles();

// Whether an upstream version ("1.2.7", "1.4.0-rc.2") has the hole. A branch that is in none of
// `fixed` has it if a later branch is.
bool HasHole(std::string_view version, const KnownHole& hole);

}  // namespace runclad::doctor
