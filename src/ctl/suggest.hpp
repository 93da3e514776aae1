// runcladctl learn --suggest: an image's file from the log alone, where nobody watched.
#pragma once

#include <optional>
#include <string>

#include "commands.hpp"
#include "style.hpp"

namespace runclad::ctl {

// What containers of the image asked for, what was taken from them and what was refused, as its
// file: of all that the log has. Nothing of it is proved.
Result<Output> Suggest(const std::string& image, const std::optional<std::string>& log_file,
                       const std::optional<std::string>& config_directory, const Style& style);

}  // namespace runclad::ctl
