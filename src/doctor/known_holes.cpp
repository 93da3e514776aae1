#include "known_holes.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace runclad::doctor {
namespace {

// Major, minor, patch, and the number of a release candidate.
using Version = std::array<int, 4>;
constexpr int kFinal = std::numeric_limits<int>::max();

Version VersionOf(std::string_view text) {
  Version version{0, 0, 0, kFinal};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (std::size_t part = 0; part < 3; ++part) {
    const auto read = std::from_chars(at, end, version.at(part));
    at = read.ptr;
    if (at == end || *at != '.' || part == 2) break;
    ++at;
  }
  const std::size_t candidate = text.find("rc");
  if (candidate != std::string_view::npos) {
    const std::size_t digit = text.find_first_of("0123456789", candidate);
    version[3] = 0;
    if (digit != std::string_view::npos) std::from_chars(text.data() + digit, end, version[3]);
  }
  return version;
}

bool IsSameBranch(const Version& left, const Version& right) {
  return left[0] == right[0] && left[1] == right[1];
}

}  // namespace

const std::vector<KnownHole>& KnownHoles() {
  static const std::vector<KnownHole> holes = {
      {"runc",
       "CVE-2024-21626",
       "a working directory below /proc/self/fd reaches the host's files",
       {"1.1.12"}},
      {"runc",
       "CVE-2024-45310",
       "empty files can be made anywhere on the host",
       {"1.1.14", "1.2.0-rc.3"}},
      {"runc",
       "CVE-2025-31133",
       "a replaced /dev/null gives write access to files of /proc",
       {"1.2.8", "1.3.3", "1.4.0-rc.3"}},
      {"runc",
       "CVE-2025-52565",
       "a replaced /dev/pts gives write access to files of /proc",
       {"1.2.8", "1.3.3", "1.4.0-rc.3"}},
      {"runc",
       "CVE-2025-52881",
       "writes to files of /proc can be redirected",
       {"1.2.8", "1.3.3", "1.4.0-rc.3"}},
      {"runc",
       "CVE-2026-41579",
       "an escape that 1.3.6, 1.4.3 and 1.5.0 close",
       {"1.3.6", "1.4.3", "1.5.0-rc.3"}},
      {"crun",
       "CVE-2025-24965",
       "the krun handler writes outside of the root filesystem",
       {"1.20"}},
      {"crun", "CVE-2026-30892", "an escape that 1.27 closes", {"1.27"}},
      {"crun", "CVE-2026-47766", "an escape that 1.28 closes", {"1.28"}},
      {"youki",
       "CVE-2025-27612",
       "exec gives a process capabilities that it was not to have",
       {"0.5.3"}},
      {"youki",
       "CVE-2025-54867",
       "links in the root filesystem redirect /proc and /sys",
       {"0.5.5"}},
      {"youki",
       "CVE-2025-62161",
       "a replaced /dev/null gives write access to files of /proc",
       {"0.5.7"}},
      {"youki", "CVE-2025-62596", "writes to files of /proc can be redirected", {"0.5.7"}},
  };
  return holes;
}

bool HasHole(std::string_view version, const KnownHole& hole) {
  const Version own = VersionOf(version);
  bool is_before_a_fix = false;
  for (const std::string_view text : hole.fixed) {
    const Version fixed = VersionOf(text);
    if (IsSameBranch(own, fixed)) return own < fixed;
    is_before_a_fix |= own < fixed;
  }
  return is_before_a_fix;
}

}  // namespace runclad::doctor
