// A rule's setting as records have it.
#pragma once

#include "runclad/base/result.hpp"
#include "runclad/json/value.hpp"
#include "runclad/policy/effective.hpp"

namespace runclad::enforce {

json::Document ToDocument(const policy::RuleSetting& setting);

// Errors are predicates of the record: "has the unknown action x".
Result<policy::RuleSetting> SettingFrom(const json::Document& document);

}  // namespace runclad::enforce
