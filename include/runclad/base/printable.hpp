// Text from others, made safe to look at.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace runclad {

// The length of the UTF-8 sequence at the front of `text` (Unicode 15, table 3-7); 0: none is.
std::size_t SequenceLength(std::string_view text);

// Whether what begins `text`, a whole UTF-8 sequence, would not be seen, or would move what stands
// beside it: controls (C0, DEL, C1), marks and isolates of writing direction, characters without
// width, line separators, tags.
bool IsDeceptive(std::string_view text);

// Appends a whole UTF-8 sequence as JSON may write it: \u202e, \ud83d\ude00.
void AppendEscaped(std::string_view sequence, std::string& out);

// `text` in one line: what is deceptive as \u202e, a byte that is not UTF-8 as \x9b.
std::string Printable(std::string_view text);

// The same for lines that we wrote, which may have tabs and colours (ESC [ digits m). In the text
// of a JSON document, this says the same as before.
std::string PrintableLines(std::string_view text);

// `text`, or its beginning and its end, `most` bytes in all: "abc… (4000 bytes left out) …xyz". No
// character and no escape (~1, \u202e) is cut in two.
std::string Shortened(std::string_view text, std::size_t most);

}  // namespace runclad
