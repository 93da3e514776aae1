// The image as log lines and records have it.
#pragma once

#include "runclad/base/result.hpp"
#include "runclad/engine/identity.hpp"
#include "runclad/json/value.hpp"

namespace runclad::store {

// The image as the log line and the record have it.
json::Document ToDocument(const engine::Identity& identity);
Result<engine::Identity> IdentityFrom(const json::Document& document);

}  // namespace runclad::store
