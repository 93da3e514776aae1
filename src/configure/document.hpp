// An engine's configuration file as a tree, with the places of its values in the text.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "runclad/base/result.hpp"
#include "runclad/json/value.hpp"

namespace runclad::configure {

using json::Document;

enum class Format { kJson, kToml };

// The names that lead to a value: {"runtimes", "runclad"}.
using Path = std::vector<std::string>;

// "runtimes.runclad", for messages.
std::string PathText(const Path& path);

// Bytes [begin, end) of a text.
struct Span {
  std::size_t begin = 0;
  std::size_t end = 0;
};

struct Parsed {
  Document tree;  // an object
  std::map<Path, Span>
      values;                  // JSON: of every member; TOML: of all but tables that a header makes
  std::map<Path, Span> names;  // JSON: the member's name, with its quotes
  std::map<Path, std::vector<Span>> elements;  // TOML: of each array
  std::map<Path, Span> headers;                // TOML: the line of the header that made the table
};

// An empty JSON text is an empty object, as for dockerd. Errors name line and column. TOML's
// floats, dates and times are only comparable: dates and times become text.
Result<Parsed> Parse(Format format, std::string_view text);
Result<Parsed> ParseJson(std::string_view text);
Result<Parsed> ParseToml(std::string_view text);

// Null if there is no such value.
const Document* Find(const Document& tree, const Path& path);
// Makes the objects on the way.
void Put(Document& tree, const Path& path, Document value);
void Erase(Document& tree, const Path& path);
// `tree` without empty objects, which mean the same to engines as none.
Document Pruned(const Document& tree);

// The text at `path` if it is a string.
std::optional<std::string> TextAt(const Document& tree, const Path& path);

// "[a.b]" without the brackets, and a value on one line.
std::string TomlName(const Path& path);
std::string TomlValue(const Document& value);

}  // namespace runclad::configure
