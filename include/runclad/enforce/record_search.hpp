// Records by the beginning of a container's id, for operators.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"
#include "runclad/enforce/record.hpp"

namespace runclad::enforce {

// Every record below `directory` whose id begins with `prefix`; with `runtime_root` only those of
// that root (--root). A record that matches and cannot be trusted or understood is an error.
Result<std::vector<Record>> FindRecords(
    std::string_view prefix, const std::optional<std::string>& runtime_root,
    const std::string& directory = std::string(store::kRecordsDirectory));

}  // namespace runclad::enforce
