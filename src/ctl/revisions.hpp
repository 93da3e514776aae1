// The revisions of a policy that were applied on this host (policy/revision_layout.hpp says where).
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "runclad/base/result.hpp"
#include "runclad/base/unique_fd.hpp"

#include "policy_tree.hpp"

namespace runclad::ctl {

struct Revision {
  std::uint64_t number = 0;    // counted on this host, from 1
  std::uint64_t previous = 0;  // the number of the one before it; 0: the directory's own files
  std::uint64_t revision = 0;  // the author's, of the last bundle that was applied; 0: none
  std::string directory;       // whose policy it is: "/etc/runclad"
  std::string digest;          // DigestOf its files
  std::string source;          // the directory or bundle that it was applied from
  std::string signer;          // of the bundle; empty: a directory
  std::string not_after;       // "2027-03-31"; empty: no limit
  std::string since;           // RFC 3339
  std::string by;              // "alice (uid 1000)"
};

// "revision 41", "the change to revision 41", "number 3"
std::string TitleOf(const Revision& revision);

// Who called this program: behind sudo, or by the login's uid.
std::string Caller();

class Revisions {
 public:
  // `directory`: the policy's, /etc/runclad. Only one process at a time has a writer.
  static Result<Revisions> OpenToWrite(const std::string& directory, const std::string& state);
  static Revisions OpenToRead(const std::string& directory, const std::string& state);

  // No value: the directory's own files are in force.
  [[nodiscard]] Result<std::optional<Revision>> InForce() const;
  [[nodiscard]] Result<Revision> Read(std::uint64_t number) const;
  // "/var/lib/runclad/policies/7/policy"
  [[nodiscard]] std::string PolicyOf(std::uint64_t number) const;
  // Whether a copy was kept for "fallback".
  [[nodiscard]] bool HasCopy(std::uint64_t number) const;

  // Writes the files where they can be looked at and tried; returns their directory.
  Result<std::string> Stage(const PolicyTree& tree);
  // Puts what was staged in force, in one step, and removes what is older than the eighth before
  // it. `number`, `directory`, `since` and `by` are set.
  Result<Revision> PutInForce(Revision revision, const PolicyTree& tree, bool keeps_copy);
  // Puts an earlier one in force again; 0: the directory's own files.
  Status Return(std::uint64_t number);
  // Removes what was staged and is not wanted.
  void Discard();

 private:
  Revisions(std::string directory, std::string state);

  [[nodiscard]] Result<std::uint64_t> NextNumber() const;
  [[nodiscard]] std::string PlaceOf(std::uint64_t number) const;
  [[nodiscard]] Status Link(std::uint64_t number) const;
  void Prune(std::uint64_t number) const;

  std::string directory_;
  std::string place_;   // "/var/lib/runclad/policies"
  std::string staged_;  // ".new" in it
  UniqueFd lock_;
};

}  // namespace runclad::ctl
