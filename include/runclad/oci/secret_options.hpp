// Passwords in mount options (mount.cifs(8), mount.ceph(8)).
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace runclad::oci {

// Where the value of the first secret begins in a mount option, which may hold several with commas
// between them: 9 for "password=x".
std::optional<std::size_t> FindSecret(std::string_view option);

}  // namespace runclad::oci
