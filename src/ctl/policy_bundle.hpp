// A policy as one signed file: a line of JSON, and the signature of it that ssh-keygen(1) made.
//
//   {"files":{"policy.json":"…"},"format":"runclad-policy","notAfter":"2027-03-31","revision":41,…}
//   -----BEGIN SSH SIGNATURE-----
//   …
//
// The same files, revision and date always make the same line. There is nothing in it to unpack:
// no links, owners, modes or times.
#pragma once

#include <cstdint>
#include <string>

#include "runclad/base/result.hpp"

#include "policy_tree.hpp"

namespace runclad::ctl {

struct PolicyBundle {
  std::uint64_t revision = 0;  // from 1
  std::string not_after;       // "2027-03-31", the last day; empty: no limit
  PolicyTree files;
  std::string signer = {};  // whom `allowed_signers` names for the key
};

// The line that is signed, with its newline.
Result<std::string> PayloadOf(const PolicyBundle& bundle);

// `payload` and the signature that `key` makes: a file with a private key, or with a public one
// whose private key ssh-agent(1) has.
Result<std::string> Signed(const std::string& payload, const std::string& key);

// Nothing of `path` is understood before the signature was verified: by a key that the file
// `allowed_signers` (ssh-keygen(1)) names, and that only root can change.
Result<PolicyBundle> ReadPolicyBundle(const std::string& path, const std::string& allowed_signers);

}  // namespace runclad::ctl
