#include "runclad/json/folding.hpp"

namespace runclad::json {

bool FoldsTo(std::string_view spelling, std::string_view name) {
  constexpr std::string_view kLongS = "\xC5\xBF";
  constexpr std::string_view kKelvin = "\xE2\x84\xAA";
  constexpr char kToLower = 0x20;
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + kToLower) : c;
  };
  for (const char expected : name) {
    if (spelling.empty()) return false;
    const char wanted = lower(expected);
    if (lower(spelling.front()) == wanted) {
      spelling.remove_prefix(1);
    } else if (wanted == 's' && spelling.starts_with(kLongS)) {
      spelling.remove_prefix(kLongS.size());
    } else if (wanted == 'k' && spelling.starts_with(kKelvin)) {
      spelling.remove_prefix(kKelvin.size());
    } else {
      return false;
    }
  }
  return spelling.empty();
}

}  // namespace runclad::json
