// Changes an engine's configuration file as a text, so that comments, order and formatting stay.
// Each change is parsed again and compared: nothing else than what was asked for differs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "document.hpp"

namespace runclad::configure {

struct Setting {
  Path path;
  Document value;  // no object
};

// What is at a path before runclad was registered; no value: nothing.
struct Restore {
  Path path;
  std::optional<Document> before;
};

// `text` with these settings; the same text if it has them. What is new in TOML is in a block or on
// a line that is marked with `mark`, the name under which runclad is registered.
Result<std::string> Set(Format format, std::string_view text, const std::string& mark,
                        const std::vector<Setting>& settings);

// `text` without what Set() added for `mark` and with each path as it was before.
Result<std::string> Unset(Format format, std::string_view text, const std::string& mark,
                          const std::vector<Restore>& restores);

// What the block of `mark` has in `text`, which is TOML; empty if there is no block.
std::string_view BlockOf(std::string_view text, const std::string& mark);

// The two halves of Set and Unset, which compare their result.
std::string SetInJson(std::string text, const Setting& setting);
std::string UnsetInJson(std::string text, const Restore& restore);
Result<std::string> SetInToml(std::string text, const std::string& mark,
                              const std::vector<Setting>& settings);
std::string StripMarks(std::string_view text, const std::string& mark);
std::string UnsetInToml(std::string text, const Restore& restore);

// "\r\n" if the text's first line ends so.
std::string_view LineEnd(std::string_view text);
// The blanks at the beginning of the line that `offset` is on.
std::string_view Indentation(std::string_view text, std::size_t offset);

}  // namespace runclad::configure
