#pragma once

#include <string>
#include <string_view>

namespace runclad {

// "sha256:" and the digest of `bytes` in lower-case hexadecimal digits.
std::string Sha256(std::string_view bytes);

}  // namespace runclad
