// The policy directory that a container on trial is judged by (store/trials.hpp).
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/base/unique_fd.hpp"
#include "runclad/learn/minimise.hpp"
#include "runclad/store/trials.hpp"

namespace runclad::learn {

// The host's policy files, which each trial of a learning copies.
struct HostPolicy {
  std::vector<std::pair<std::string, std::string>> files;  // "policy.d/a.json" and its text
};
// Reads the policy in force in `directory`, or in /etc/runclad, without its image files: a learned
// file must work without them.
Result<HostPolicy> ReadHostPolicy(const std::optional<std::string>& directory);

// The rules of an image's file that grants exactly this, as JSON. Empty lists are included, so that
// nothing else adds to them.
std::string RulesText(const Grants& grants);

// Only one learner runs at a time. An error: another one is still running when the time is up.
// Doctor has it locked for an instant.
Result<UniqueFd> LockTrials(const std::string& directory = store::kTrialsDirectory,
                            std::chrono::milliseconds patience = std::chrono::seconds(1));
// Whoever has the lock removes what killed ones left: each trial once `remove_container` has
// removed its container. That it has a trial is proof that a learner made it; a name or a label is
// not.
void RemoveLeftTrials(const std::function<bool(const std::string& id)>& remove_container);

class Trial {
 public:
  // For observation: lifts what an image's file can lift, to see what is used. Counts for the id
  // alone, for any image.
  static Result<Trial> Open(const std::string& id, const HostPolicy& host,
                            const std::string& profile);
  // For proof: exactly these grants, which count only for the image with this digest.
  static Result<Trial> Of(const std::string& id, const HostPolicy& host, const std::string& profile,
                          const std::string& digest, const Grants& grants);
  Trial(Trial&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Trial& operator=(Trial&&) = delete;
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
  ~Trial();

  // Makes runclad announce the container's create to the trace with this marker.
  [[nodiscard]] Status LinkMarker(const std::string& marker) const;
  [[nodiscard]] std::string followed_file() const;

  // Whether the container was judged by this policy: its record has the policy's digest. Otherwise,
  // the error says what happened to it instead.
  [[nodiscard]] Status WasApplied(const std::string& id) const;

 private:
  explicit Trial(std::string path) : path_(std::move(path)) {}
  static Result<Trial> Make(const std::string& id, const HostPolicy& host, const std::string& own,
                            const std::string& digest, const std::string& rules);
  [[nodiscard]] Status Grant(const std::string& digest, const std::string& rules) const;

  std::string path_;
};

}  // namespace runclad::learn
