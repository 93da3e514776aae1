#include "image_config.hpp"

#include <algorithm>

#include "runclad/base/sha256.hpp"
#include "runclad/engine/reference.hpp"
#include "runclad/json/scanner.hpp"

namespace runclad::engine {

namespace {

void TakeDiffIds(json::Scanner& scanner, std::vector<std::string>& diff_ids) {
  scanner.Object({"diff_ids"}, [&](std::size_t) {
    if (scanner.Null()) return;
    scanner.Elements([&] { diff_ids.emplace_back(scanner.String()); });
  });
}

void TakeVolumes(json::Scanner& scanner, std::vector<std::string>& volumes) {
  if (scanner.Null()) return;
  scanner.Object({"Volumes"}, [&](std::size_t) {
    if (scanner.Null()) return;
    scanner.Members([&](std::string_view path) {
      if (path.starts_with('/') && volumes.size() < kMaxVolumes) volumes.emplace_back(path);
      scanner.Skip();
    });
  });
}

}  // namespace

Result<ImageConfig> ReadConfigBlob(std::string_view text) {
  ImageConfig config;
  json::Scanner scanner(text);
  scanner.Object({"rootfs", "config"}, [&](std::size_t member) {
    if (member == 1) return TakeVolumes(scanner, config.volumes);
    config.has_rootfs = true;
    TakeDiffIds(scanner, config.diff_ids);
  });
  if (auto finished = scanner.Finish(); !finished) return finished.error();
  return config;
}

Result<ImageConfig> ReadImageConfig(std::string_view text) {
  auto config = ReadConfigBlob(text);
  if (!config) return config;
  if (!config->has_rootfs) return Error{"has no rootfs"};
  if (!std::ranges::all_of(config->diff_ids, IsSha256Digest)) {
    return Error{"has a layer without a sha256 digest"};
  }
  return config;
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
