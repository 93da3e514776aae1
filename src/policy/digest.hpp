// The digest by which the log tells policies apart: of every text that was read, in order.
#pragma once

#include <string>
#include <string_view>

#include "runclad/base/sha256.hpp"

namespace runclad::policy {

class Digest {
 public:
  void Add(std::string_view text) { AddDigest(Sha256(text)); }
  // Of a text whose digest is known.
  void AddDigest(std::string_view digest) { digests_.append(digest).append("\n"); }
  [[nodiscard]] std::string Finish() const { return Sha256(digests_); }

 private:
  std::string digests_;
};

}  // namespace runclad::policy
