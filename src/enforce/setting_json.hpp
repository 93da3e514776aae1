// A rule's setting as records have it.
#pragma once

#include "runclad/base/result.hpp"
#include "runclad/json/value.hpp"
#include "runclad/json/writer.hpp"
#include "runclad/policy/effective.hpp"

namespace runclad::enforce {

// The setting's members.
void Put(const policy::RuleSetting& setting, json::ObjectWriter& text);

// Errors are predicates of the record: "has the unknown action x".
Result<policy::RuleSetting> SettingFrom(const json::Document& document);

}  // namespace runclad::enforce
