// The strings in a TOML document. A small reader of its own: a general one would be a part of every
// create (toml++ is 600 KB of program), and only a few keys are asked for.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace runclad::engine {

// `key` is the last one of those that lead to the string, which is that of the array where the
// string is in one: "graphroot" for storage.graphroot and [storage] "graphroot" alike.
using TakeTomlString = std::function<void(std::string_view key, std::string_view value)>;

// Calls `take` for every string of the document. 0: the whole document was understood; otherwise
// the line, from 1, up to which it was.
std::size_t VisitTomlStrings(std::string_view text, const TakeTomlString& take);

}  // namespace runclad::engine
