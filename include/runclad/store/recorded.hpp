// Whether runclad created a container, without reading what it recorded.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace runclad::store {

// Whether one of `ids` has a record, be it damaged, under this runtime root (--root).
bool IsRecorded(const std::string& runtime_root, std::span<const std::string_view> ids);

}  // namespace runclad::store
