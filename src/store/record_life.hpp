// The members of a record that say which process it is of.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/store/records.hpp"

namespace runclad::store {

// Errors are predicates of the record: "has no pid".
Result<Life> LifeFrom(std::string_view record);

// The record with another pid and start time, all else as it is.
Result<std::string> Stamped(std::string_view record, pid_t pid, std::uint64_t start_time);

}  // namespace runclad::store
