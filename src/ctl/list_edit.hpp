// Changes a list of strings in the text of a policy file: comments, order and formatting stay, byte
// for byte.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "runclad/base/result.hpp"

namespace runclad::ctl {

// `text`, a JSON object with comments, with `added` at the end of the list at `pointer`
// ("/digests"). A list that is not there becomes the first member of the object around it, which
// must be there.
Result<std::string> WithElements(const std::string& text, const std::string& pointer,
                                 const std::vector<std::string>& added);

// Without the elements `removed` of the list at `pointer`: an element that has its lines to itself
// goes with these.
Result<std::string> WithoutElements(std::string text, const std::string& pointer,
                                    const std::vector<std::string>& removed);

}  // namespace runclad::ctl
