#include "runclad/enforce/own_line.hpp"

namespace runclad::enforce {

std::string OwnLineIn(std::string_view output) {
  const std::size_t begin = output.find(kOwnLine);
  if (begin == std::string_view::npos) return {};
  return std::string(output.substr(begin, output.find('\n', begin) - begin));
}

bool HasRefusal(std::string_view output) {
  return output.find(std::string(kOwnLine).append(kRefusedBy)) != std::string_view::npos;
}

}  // namespace runclad::enforce
