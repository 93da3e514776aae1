// The form of a record on disk.
#pragma once

#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/enforce/record.hpp"

namespace runclad::enforce {

std::string RecordToJson(const Record& record);
// The same; `findings`: the text of the record's.
std::string RecordToJson(const Record& record, std::string_view findings);
Result<Record> RecordFromJson(std::string_view text, RecordParts parts = RecordParts::kAll);

}  // namespace runclad::enforce
