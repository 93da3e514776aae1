// Trial policies of single containers, which runcladctl learn uses.
//
// A trial is a policy directory, /run/runclad/learn/<container id>, that applies to this container
// instead of the directory that its runtime was registered with. A runtime registered for trials
// would not do, because every user of the engine could select it. What limits a trial:
// - Only root can create it, and a policy that others could have written is an error. A directory
// alone is no
//   trial: dockerd creates directories at any path that its users name as the source of a bind
//   mount.
// - Docker or podman generates the id (64 hexadecimal digits) before the directory is created, and
//   their users cannot choose it.
// - The grants of a proof trial are in a digest file, so they count only for the image that is
//   learned, even if a client of containerd uses the id for another container.
// - The profile, and the limits that an observation trial lifts (capabilities, read-only root,
//   noexec), are in a drop-in, which counts for the container's id alone: a client of containerd
//   that uses this id meanwhile gets the same.
// - The host's policy.json and policy.d are part of it: what the host denies stays denied.
// - It is enforced, so exec and update are limited to what the container was given.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::store {

inline constexpr const char* kTrialsDirectory = "/run/runclad/learn";

// Whether engines generate ids of this form: 64 lower-case hexadecimal digits.
bool CanBeOnTrial(std::string_view id);

// In the trial's directory: the drop-in that every trial has. Where it is missing, there is no
// trial.
inline constexpr const char* kTrialDropIn = "policy.d/~learn.json";

// Whether the directory is one that a learner made, not dockerd for one of its users.
bool IsTrial(const std::string& path);

// The policy directory of the container's trial; no value: there is none. Costs one system call
// then. An error: it cannot be examined, or others than root could have made it.
Result<std::optional<std::string>> FindTrial(std::string_view id,
                                             const std::string& directory = kTrialsDirectory);

// The containers on trial whose learner was killed; none while one is running.
std::vector<std::string> AbandonedTrials(const std::string& directory = kTrialsDirectory);

// In the trial's directory: a link to the marker of the learner's trace, and a file that exists
// once the learner follows the process.
inline constexpr const char* kMarkerLink = "marker";
inline constexpr const char* kFollowedFile = "followed";

// The text that is written into the marker.
std::string MarkerText(std::string_view id);

// If the learner traces the container: makes it follow this process and all its descendants, and
// waits until it does, for at most a second. `trial` is the directory that FindTrial found. A
// failure stops nothing; the learner only sees less.
void LetLearnerFollow(const std::string& trial, std::string_view id);

}  // namespace runclad::store
