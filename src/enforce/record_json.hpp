// The form of a record on disk.
#pragma once

#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/enforce/records.hpp"

namespace runclad::enforce {

std::string RecordToJson(const Record& record);
Result<Record> RecordFromJson(std::string_view text, RecordParts parts = RecordParts::kAll);

// The record `text` with another pid and start time, all else as it is.
Result<std::string> StampedRecord(std::string_view text, pid_t pid, std::uint64_t start_time);

}  // namespace runclad::enforce
