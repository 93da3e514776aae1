// The options of docker run and podman run.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "runclad/base/result.hpp"
#include "runclad/draft/request.hpp"

namespace runclad::draft {

struct Option {
  enum class Sort {
    kFlag,   // true unless a value is given
    kValue,  // has an argument
  };
  enum class For { kBoth, kDocker, kPodman };
  using Take = Status (*)(Request& request, const std::string& value);

  std::string_view name;
  char letter = 0;
  Sort sort = Sort::kValue;
  For engine = For::kBoth;
  // Null: nothing that is judged depends on the option, or `not_judged` says what does.
  Take take = nullptr;
  std::string_view not_judged = {};  // "what the CDI specification of the GPUs adds"
};

std::span<const Option> Options();
// One of Docker's options, by its name.
const Option* FindOption(std::string_view name);

}  // namespace runclad::draft
