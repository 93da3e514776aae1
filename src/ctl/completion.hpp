#pragma once

#include <string>

#include "runclad/base/result.hpp"

#include "commands.hpp"

namespace CLI {
class App;
}

namespace runclad::ctl {

inline constexpr const char* kShells[] = {"bash", "zsh", "fish"};

// A script that completes the subcommands and options of `app` in `shell`, one of kShells.
Result<Output> Completion(const CLI::App& app, const std::string& shell);

}  // namespace runclad::ctl
