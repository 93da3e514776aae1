// The config of an image that an engine of this host has, without a container of it.
#pragma once

#include <string>

#include "runclad/base/result.hpp"
#include "runclad/engine/named_images.hpp"

namespace runclad::engine {

struct StoredConfig {
  std::string digest;  // of the text: "sha256:…"
  std::string text;    // as the OCI image spec has it, verified by the digest
};

// Of `image`, as FindNamedImages found it. Of an image for several platforms, that for Linux on
// `architecture` (Go's name). An error if the store has it no longer.
Result<StoredConfig> ReadStoredConfig(const NamedImage& image, const std::string& architecture);

}  // namespace runclad::engine
