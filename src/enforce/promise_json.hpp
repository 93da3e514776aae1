// A promise as records have it.
#pragma once

#include "runclad/base/result.hpp"
#include "runclad/enforce/promise.hpp"
#include "runclad/json/value.hpp"
#include "runclad/json/writer.hpp"

namespace runclad::enforce {

// The promise's members. A document of all its mounts would be several times their text.
void Put(const Promise& promise, json::ObjectWriter& text);

// Versions before this one promised nothing of most mounts: has_mounts is false then. The file
// belongs to root and was written by runclad: if it cannot be read, that is an error; no promise
// counts as kept.
Result<Promise> PromiseFrom(const json::Document& document);

}  // namespace runclad::enforce
