#include "runclad/base/version.hpp"

namespace runclad {
namespace {

// Defined for this file alone, so that a new commit compiles nothing else again.
constexpr std::string_view kVersion = RUNCLAD_VERSION;
constexpr std::string_view kVersionAndCommit =
    sizeof RUNCLAD_COMMIT == 1 ? RUNCLAD_VERSION : RUNCLAD_VERSION " (commit " RUNCLAD_COMMIT ")";

}  // namespace

std::string_view Version() { return kVersion; }
std::string_view VersionAndCommit() { return kVersionAndCommit; }

}  // namespace runclad
