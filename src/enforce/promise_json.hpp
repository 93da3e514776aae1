// A promise as records have it.
#pragma once

#include "runclad/base/result.hpp"
#include "runclad/enforce/promise.hpp"
#include "runclad/json/value.hpp"

namespace runclad::enforce {

json::Document ToDocument(const Promise& promise);

// Versions before this one promised nothing of most mounts: has_mounts is false then. The file is
// root's and written by us: one that does not read is an error, and no promise is taken as kept.
Result<Promise> PromiseFrom(const json::Document& document);

}  // namespace runclad::enforce
