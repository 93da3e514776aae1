// Signatures that ssh-keygen(1) makes and verifies (-Y sign, -Y verify).
#pragma once

#include <string>
#include <string_view>

#include "runclad/base/result.hpp"

namespace runclad::ctl {

// The first line of a signature.
inline constexpr std::string_view kSignatureArmour = "-----BEGIN SSH SIGNATURE-----\n";

// The signature of `payload` that `key` makes: a file with a private key, or with a public one
// whose private key ssh-agent(1) has. A signature for one namespace does not count in another.
Result<std::string> Signature(std::string_view payload, const std::string& key,
                              const std::string& name_space);

// An error: others than root could change the file `allowed_signers`.
Status CheckSigners(const std::string& allowed_signers);

// Whom the file `allowed_signers` (ssh-keygen(1)), which CheckSigners accepts, names for the key
// that made the signature. Errors are predicates: "is signed by a key that …".
Result<std::string> SignerOf(std::string_view payload, std::string_view signature,
                             const std::string& allowed_signers, const std::string& name_space);

}  // namespace runclad::ctl
