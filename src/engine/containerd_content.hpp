// containerd's content store: indexes, manifests and configs by their digest.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runclad/base/result.hpp"

#include "state_directory.hpp"

namespace runclad::engine {

class ContainerdContent {
 public:
  // Where an image's config was found from a digest: the config's own, and those of its manifest
  // and of the indexes above it; and the volumes that the config declares.
  struct Chain {
    std::string config;
    std::vector<std::string> manifests;
    std::vector<std::string> volumes;
  };

  // `root`: containerd's own directory.
  static Result<ContainerdContent> Open(const std::string& root);

  // The image below `target` (of an index or a manifest) whose layers have this ChainID: the one
  // that a snapshot with this parent was made of. Every document on the way has its digest. An
  // error where there is none, where there are two, and where a document that is here cannot be
  // read with certainty: it may be the one that the engine took. Other platforms' documents are not
  // here as a rule, and what is not here was not run.
  Result<Chain> FindImage(const std::string& target, std::string_view chain_id);

 private:
  explicit ContainerdContent(StateDirectory blobs) : blobs_(std::move(blobs)) {}

  struct Search {
    std::string_view chain_id;
    std::vector<std::string> path;  // from the target down
    std::vector<Chain> found;
    std::size_t documents = 0;
    std::size_t bytes = 0;
  };

  // No value: the blob is not here.
  [[nodiscard]] Result<std::optional<std::string>> Read(const std::string& digest,
                                                        Search& search) const;
  [[nodiscard]] Status Follow(const std::string& digest, Search& search) const;
  [[nodiscard]] Status TakeConfig(const std::string& digest, Search& search) const;

  StateDirectory blobs_;
  // Documents never change under their digest: what was found stays so.
  std::vector<std::pair<std::string, Chain>> known_;  // by target and ChainID
};

}  // namespace runclad::engine
