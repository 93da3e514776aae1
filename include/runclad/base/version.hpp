// Which runclad this is.
#pragma once

#include <string_view>

namespace runclad {

// The release as CMakeLists.txt has it: "1.0.0-rc.1".
std::string_view Version();

// The release and, if the build knew it, the commit: "1.0.0-rc.1 (commit 0123456789ab)".
std::string_view VersionAndCommit();

}  // namespace runclad
