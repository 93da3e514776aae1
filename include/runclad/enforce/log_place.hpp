// Where decisions are logged, for those who judge a policy: what is wrong with a place although
// lines can be written there.
#pragma once

#include <optional>
#include <string>

#include "runclad/policy/effective.hpp"

namespace runclad::enforce {

// Which containers could change what is in the directory of a target that is a file, with the
// directory: "/srv/log could be changed by a container that mounts /srv, which the policy allows".
// `loosest` says what they may write (LoadLoosestPolicy). Empty: none, or it is no file, or others
// than root could change it by its permissions.
std::string WhyLogIsExposed(const std::string& target, const policy::Effective& loosest);

// Whether two targets are the same file: by another spelling, a link or a hard link.
bool IsSameLog(const std::string& target, const std::string& other);

}  // namespace runclad::enforce
