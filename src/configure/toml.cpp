// The only file that includes toml++ (5 s of compile time).
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <utility>

#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 1
#include <toml++/toml.h>

#include "document.hpp"

namespace runclad::configure {
namespace {

// Offsets of toml++'s positions: lines and columns, both from 1, columns in code points.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {
    constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
    starts_.push_back(text.starts_with(kByteOrderMark) ? kByteOrderMark.size() : 0);
    for (std::size_t at = text.find('\n'); at != std::string_view::npos;
         at = text.find('\n', at + 1)) {
      starts_.push_back(at + 1);
    }
  }

  [[nodiscard]] std::size_t Offset(const toml::source_position& position) const {
    if (position.line == 0 || position.line > starts_.size()) return text_.size();
    constexpr unsigned kContinuationMask = 0xC0;
    constexpr unsigned kContinuation = 0x80;
    std::size_t at = starts_[position.line - 1];
    for (std::uint32_t column = 1; column < position.column && at < text_.size(); ++column) {
      ++at;
      while (at < text_.size() &&
             (static_cast<unsigned char>(text_[at]) & kContinuationMask) == kContinuation) {
        ++at;
      }
    }
    return at;
  }

  // Without the line's end.
  [[nodiscard]] Span Line(std::uint32_t line) const {
    const std::size_t begin = starts_[std::min<std::size_t>(line, starts_.size()) - 1];
    return {begin, std::min(text_.find('\n', begin), text_.size())};
  }

 private:
  std::string_view text_;
  std::vector<std::size_t> starts_;
};

template <typename Value>
std::string Formatted(const Value& value) {
  std::ostringstream stream;
  stream << value;
  return stream.str();
}

class Converter {
 public:
  Converter(const Lines& lines, Parsed& parsed) : lines_(lines), parsed_(parsed) {}

  Document Convert(const toml::node& node, const Path& path) {
    const toml::source_region& source = node.source();
    const toml::table* table = node.as_table();
    if (table != nullptr && !table->is_inline()) {
      if (source.begin.line != 0) parsed_.headers[path] = lines_.Line(source.begin.line);
    } else {
      parsed_.values[path] = {lines_.Offset(source.begin), lines_.Offset(source.end)};
    }
    return ToDocument(node, path);
  }

 private:
  Document ToDocument(const toml::node& node, const Path& path) {
    if (const auto* table = node.as_table()) {
      Document object = Document::object();
      for (const auto& [key, value] : *table) {
        Path member = path;
        member.emplace_back(key.str());
        object[member.back()] = Convert(value, member);
      }
      return object;
    }
    if (const auto* array = node.as_array()) {
      Document list = Document::array();
      // What an element has needs no place of its own.
      Parsed unused;
      for (const toml::node& element : *array) {
        parsed_.elements[path].push_back(
            {lines_.Offset(element.source().begin), lines_.Offset(element.source().end)});
        list.push_back(Converter(lines_, unused).ToDocument(element, {}));
      }
      return list;
    }
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return number->get();
    if (const auto* boolean = node.as_boolean()) return boolean->get();
    if (const auto* number = node.as_floating_point()) {
      if (std::isfinite(number->get())) return number->get();
      return Formatted(number->get());
    }
    if (const auto* date = node.as_date()) return Formatted(date->get());
    if (const auto* time = node.as_time()) return Formatted(time->get());
    if (const auto* both = node.as_date_time()) return Formatted(both->get());
    return {};
  }

  const Lines& lines_;
  Parsed& parsed_;
};

std::string Quote(std::string_view text) { return Document(std::string(text)).dump(); }

}  // namespace

Result<Parsed> ParseToml(std::string_view text) {
  const toml::parse_result result = toml::parse(text);
  if (!result) {
    const toml::parse_error& error = result.error();
    return Error{"line " + std::to_string(error.source().begin.line) + ": " +
                 std::string(error.description())};
  }
  Parsed parsed;
  const Lines lines(text);
  parsed.tree = Converter(lines, parsed).Convert(result.table(), {});
  return parsed;
}

std::string TomlName(const Path& path) {
  std::string text;
  for (const std::string& name : path) {
    constexpr std::string_view kBare =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    const bool is_bare = !name.empty() && name.find_first_not_of(kBare) == std::string::npos;
    if (!text.empty()) text += '.';
    text += is_bare ? name : Quote(name);
  }
  return text;
}

std::string TomlValue(const Document& value) {
  if (value.is_array()) {
    std::string text;
    for (const Document& element : value) text += (text.empty() ? "" : ", ") + TomlValue(element);
    return "[" + text + "]";
  }
  if (value.is_object()) {
    std::string text;
    for (const auto& [name, member] : value.items()) {
      text += (text.empty() ? " " : ", ") + TomlName({name}) + " = " + TomlValue(member);
    }
    return text.empty() ? "{}" : "{" + text + " }";
  }
  return value.dump();  // a string's escapes are those of JSON
}

}  // namespace runclad::configure
