#include "runclad/base/result.hpp"

#include <cstring>

namespace runclad {

Error SystemError(std::string_view what, int error_number) {
  const char* name = strerrorname_np(error_number);
  return {std::string(what) + " (" + (name != nullptr ? name : std::to_string(error_number)) + ")"};
}

}  // namespace runclad
