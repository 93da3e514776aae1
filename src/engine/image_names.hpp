// The names of an image, as every engine's state has them.
#pragma once

#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"

namespace runclad::engine {

// Adds "repository:tag" or "repository@digest", the latter at the tier `with_digest`, and the
// digest to the image's manifests. An error where `text` is no such name.
Status AddName(std::string_view text, Tier with_digest, Identity& identity);

// Adds what a container was asked for with (a name, an id, a digest or nothing) to what is known of
// an image that may turn out not to be verifiable.
void AddTyped(std::string_view typed, UnverifiedImage& image);

// Sorts and fills what the contract of Identity says, when every name has been added. `typed` is
// what the container was asked for with: a name, an id, a digest or nothing.
void FinishNames(std::string_view typed, Identity& identity);

// The final identity: all of it or, if `is_known` is an error, no partial image but the image's
// claimed names, the reason why they cannot be verified, and what the engine says about the
// container itself.
Identity Finish(Identity identity, const Status& is_known);

}  // namespace runclad::engine
