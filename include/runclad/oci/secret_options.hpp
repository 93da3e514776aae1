// What in a mount may be a password (mount.cifs(8), mount.ceph(8), sshfs(1), davfs(8)).
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace runclad::oci {

// Where the value of the first option that could be a secret begins in a mount option, which may
// hold several with commas between them: 9 for "password=x". Every value is one unless the option's
// name is known to say something else (size, uid, lowerdir, vers …).
std::optional<std::size_t> FindSecret(std::string_view option);

struct Credentials {
  std::size_t begin = 0;
  std::size_t bytes = 0;
};

// The password in a mount's source: "https://user:PASSWORD@host/", "user:PASSWORD@host:/path".
std::optional<Credentials> FindCredentials(std::string_view source);

}  // namespace runclad::oci
