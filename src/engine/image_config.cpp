#include "image_config.hpp"

#include "runclad/engine/reference.hpp"
#include "runclad/json/scanner.hpp"

#include "sha256.hpp"

namespace runclad::engine {

Result<std::vector<std::string>> ReadDiffIds(std::string_view config) {
  std::vector<std::string> diff_ids;
  bool has_rootfs = false;
  bool are_digests = true;
  json::Scanner scanner(config);
  scanner.Object({"rootfs"}, [&](std::size_t) {
    has_rootfs = true;
    scanner.Object({"diff_ids"}, [&](std::size_t) {
      if (scanner.Null()) return;
      scanner.Elements([&] {
        diff_ids.emplace_back(scanner.String());
        are_digests = are_digests && IsSha256Digest(diff_ids.back());
      });
    });
  });
  if (auto finished = scanner.Finish(); !finished) return finished.error();
  if (!has_rootfs) return Error{"has no rootfs"};
  if (!are_digests) return Error{"has a layer that is named by no sha256 digest"};
  return diff_ids;
}

std::string ChainId(const std::vector<std::string>& diff_ids) {
  std::string chain;
  for (const std::string& diff_id : diff_ids) {
    if (chain.empty()) {
      chain = diff_id;
      continue;
    }
    chain += ' ';
    chain += diff_id;
    chain = Sha256(chain);
  }
  return chain;
}

}  // namespace runclad::engine
