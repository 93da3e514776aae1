// The names in a directory of records (records.hpp).
#pragma once

#include <string_view>

namespace runclad::store {

inline constexpr std::string_view kRecordSuffix = ".json";      // behind a container's id
inline constexpr std::string_view kPidPrefix = "pid-";          // a link that says the id
inline constexpr std::string_view kRepeatsSuffix = ".repeats";  // likewise
// In the name of a file on its way to become a record (sys::ReplaceFile).
inline constexpr std::string_view kTemporaryMark = ".runclad-";

}  // namespace runclad::store
