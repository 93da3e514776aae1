// The settings of the log as records have them: what an exec or the deletion of a container is
// logged by.
#pragma once

#include "runclad/base/result.hpp"
#include "runclad/json/value.hpp"
#include "runclad/json/writer.hpp"
#include "runclad/policy/effective.hpp"

namespace runclad::enforce {

// Its members; what an earlier runclad did not know is left out where it has its default.
void Put(const policy::LogSettings& settings, json::ObjectWriter& text);

// Errors are predicates of the record: "has no target".
Result<policy::LogSettings> LogSettingsFrom(const json::Document& document);

}  // namespace runclad::enforce
