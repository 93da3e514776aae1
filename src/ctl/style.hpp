// How text looks on a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace runclad::ctl {

// Colours for people at a terminal; plain text for everything else.
class Style {
 public:
  explicit Style(bool is_coloured) : is_coloured_(is_coloured) {}

  // Coloured when standard output is a terminal that shows colours and NO_COLOR is not set.
  static Style OfStandardOutput();

  [[nodiscard]] std::string Bold(std::string_view text) const { return In("1", text); }
  [[nodiscard]] std::string Red(std::string_view text) const { return In("31", text); }
  [[nodiscard]] std::string Green(std::string_view text) const { return In("32", text); }
  [[nodiscard]] std::string Yellow(std::string_view text) const { return In("33", text); }

 private:
  [[nodiscard]] std::string In(std::string_view code, std::string_view text) const;

  bool is_coloured_;
};

// `text` without what could drive a terminal: it may come from whoever asked for the container.
std::string Printable(std::string_view text);

// `words` with blanks between, in lines of at most 100 columns that begin with `indent` blanks,
// the first of them with `lead` in the last of these columns ("- ").
std::string Wrapped(const std::vector<std::string>& words, std::size_t indent,
                    std::string_view lead = {});
std::string Wrapped(std::string_view text, std::size_t indent, std::string_view lead = {});

// Rows of cells as columns, two blanks between.
std::string Table(const std::vector<std::vector<std::string>>& rows);

// "CIS 5.4, PSS baseline"
template <typename Texts>
std::string Joined(const Texts& texts, std::string_view separator = ", ") {
  std::string joined;
  for (const std::string_view text : texts) {
    if (!joined.empty()) joined += separator;
    joined += text;
  }
  return joined;
}

}  // namespace runclad::ctl
