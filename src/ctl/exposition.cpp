#include "exposition.hpp"

#include "runclad/base/printable.hpp"

namespace runclad::ctl {
namespace {

// What a label's value has no other form for; control characters and bytes that are not UTF-8 are
// replaced as in every other output.
std::string Escaped(std::string_view value) {
  std::string text;
  for (const char c : Printable(value)) {
    if (c == '\\' || c == '"') text += '\\';
    text += c;
  }
  return text;
}

}  // namespace

void Exposition::Family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_ += "# HELP " + name_ + " " + std::string(help) + "\n# TYPE " + name_ + " " +
           std::string(type) + "\n";
}

void Exposition::AddSample(std::initializer_list<Label> labels, const std::string& value) {
  text_ += name_;
  char separator = '{';
  for (const auto& [name, label] : labels) {
    text_ += separator;
    text_ += std::string(name) + "=\"" + Escaped(label) + '"';
    separator = ',';
  }
  text_ += (separator == ',' ? "} " : " ") + value + '\n';
}

}  // namespace runclad::ctl
