// Where policy pin takes an image's digests from.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"

#include "commands.hpp"

namespace runclad::ctl {

struct PinSource {
  std::string title;                 // "container 3f2a9c…", for sentences and "provenance"
  engine::Identity identity;         // without names: nothing says which repository it is
  std::vector<std::string> digests;  // not empty
  // What a container of it got; no value: there is no container.
  std::optional<std::vector<std::string>> capabilities;
};

// Of a container: by its record, as it runs, or by the last create of it in the policy's log.
Result<PinSource> SourceOfContainer(const std::string& wanted, const PinRequest& request);

// Of an image that the engines of this host have under this name, in exactly one store.
Result<PinSource> SourceOfStoredImage(const std::string& name);

// The operator's word.
Result<PinSource> SourceOfDigest(const std::string& digest);

// Of every running container that is made of an image with a name, each image once. What cannot be
// pinned is a sentence in `skipped`.
std::vector<PinSource> SourcesOfRunning(const PinRequest& request,
                                        std::vector<std::string>& skipped);

}  // namespace runclad::ctl
