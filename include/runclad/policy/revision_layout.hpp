// Where the revisions of a policy that were applied are kept:
//
//   /etc/runclad/applied -> /var/lib/runclad/policies/7/policy    the revision in force
//   /var/lib/runclad/policies/7/policy                            its files
//   /var/lib/runclad/policies/7/copy                              the same once more, for
//   "fallback" /var/lib/runclad/policies/7/revision.json                     who applied it, when,
//   and from what
#pragma once

namespace runclad::policy {

inline constexpr const char* kAppliedLink = "applied";
inline constexpr const char* kRevisionsDirectory = "policies";  // below runclad's state
inline constexpr const char* kRevisionPolicy = "policy";
inline constexpr const char* kRevisionCopy = "copy";

}  // namespace runclad::policy
